"""The hooks of .pre-commit-hooks.yaml, run by the real pre-commit in a real git repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
NOT_SHIPPED = shutil.ignore_patterns(
    ".*_cache", ".venv", ".git", "build", "*.egg-info", "__pycache__"
)
TIME_LIMIT = 170
"""Seconds. The first run makes an environment and installs gwlint into it."""

MAIN = """\
events {}
http {
    upstream app {
        server 127.0.0.1:3000;
        keepalive 32;
        keepalive_timeout 4s;
    }
    include conf.d/*.conf;
}
"""

SITE = """\
server {{
    listen {port};
    location / {{
        proxy_pass http://app;
        proxy_set_header Connection "";
    }}
}}
"""

FIXED = "proxy_pass http://app;\n        proxy_http_version 1.1;\n"


class Repository:
    """A git repository whose commits go through the hooks of this project."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            "HOME": str(home),
            "PRE_COMMIT_HOME": str(home / "pre-commit"),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            **{f"GIT_{who}_NAME": "A" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "a@example.org" for who in ("AUTHOR", "COMMITTER")},
        }
        self.folder.mkdir(parents=True)
        self.run("git", "init", "--quiet", "--initial-branch=main")

    def run(self, *command: str, succeeds: bool = True) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
        )
        assert (done.returncode == 0) == succeeds, done.stdout
        return done.stdout

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def commit(self, *, succeeds: bool = True) -> str:
        return self.run("git", "commit", "--quiet", "--message", "x", succeeds=succeeds)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository with a configuration that has a fault already, and with the hooks installed."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(PROJECT, home / "gwlint", ignore=NOT_SHIPPED)
    hooks = Repository(home / "release", home)
    shutil.copytree(home / "gwlint", hooks.folder, dirs_exist_ok=True)
    hooks.run("git", "add", "--all")
    hooks.commit()
    revision = hooks.run("git", "rev-parse", "HEAD").strip()
    mine = Repository(home / "mine", home)
    mine.write("nginx/nginx.conf", MAIN)
    mine.write("nginx/conf.d/old.conf", SITE.format(port=8080))
    mine.write(
        ".pre-commit-config.yaml",
        f"repos:\n- repo: {hooks.folder}\n  rev: {revision}\n"
        "  hooks: [{id: gwlint-fix, stages: [manual]}, {id: gwlint}]\n",
    )
    mine.run("git", "add", "--all")
    mine.commit()
    mine.run("pre-commit", "install")
    return mine


def test_a_fault_stops_the_commit_and_the_fix_lets_it_through(repository: Repository) -> None:
    name = "nginx/conf.d/new.conf"
    repository.write(name, SITE.format(port=8081))
    repository.run("git", "add", name)

    said = repository.commit(succeeds=False)
    assert f"{name}:4:9: warning NGX402" in said  # only the main file has the pool
    assert "old.conf" not in said  # it has the same fault, and is not staged

    fixed = repository.run(
        *("pre-commit", "run", "--hook-stage", "manual", "gwlint-fix"), succeeds=False
    )
    assert "files were modified by this hook" in fixed
    assert FIXED in repository.read(name)
    assert repository.run("git", "diff", "--name-only").split() == [name]
    repository.run("git", "add", name)
    repository.commit()


def test_all_files_are_checked_on_demand(repository: Repository) -> None:
    said = repository.run("pre-commit", "run", "gwlint", "--all-files", succeeds=False)
    assert "nginx/conf.d/old.conf:4:9: warning NGX402" in said


def test_what_is_not_staged_does_not_count(repository: Repository) -> None:
    name = "nginx/conf.d/partly.conf"
    sound = SITE.format(port=8082).replace("proxy_pass http://app;\n", FIXED)
    repository.write(name, sound)
    repository.run("git", "add", name)
    repository.write(name, sound.replace("proxy_http_version 1.1;", ""))
    repository.commit()
    assert "proxy_http_version" not in repository.read(name)


def test_a_commit_without_configurations_is_not_looked_at(repository: Repository) -> None:
    repository.write("README", "text\n")
    repository.run("git", "add", "README")
    assert "Skipped" in repository.commit()
