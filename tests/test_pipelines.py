"""action.yml and samples/ci: their scripts run as the services run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

PROJECT = Path(__file__).parent.parent
SAMPLES = PROJECT / "samples" / "ci"
TIME_LIMIT = 170

FAULTY = """\
events {}
http {
    upstream app { server 127.0.0.1:1 down; }
    server { location / { proxy_pass http://app; } }
}
"""


def read(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path)


def run(
    script: str, folder: Path, shell: tuple[str, ...], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("GIT", "CI_"))
    }
    return subprocess.run(
        [*shell, script],
        cwd=folder,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one old fault, committed, and a new one beside it."""
    folder = tmp_path / "a repository"
    (folder / "old site").mkdir(parents=True)
    (folder / "old site" / "nginx.conf").write_text(FAULTY)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "old")
    (folder / "new").mkdir()
    (folder / "new" / "nginx.conf").write_text(FAULTY)
    return folder


def test_the_action_installs_and_checks(tmp_path: Path, repository: Path) -> None:
    action = read(PROJECT / "action.yml")
    install, check = action["runs"]["steps"]
    bash = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
    output = tmp_path / "output"
    environment = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(PROJECT),
        "GITHUB_WORKSPACE": str(repository),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "RUNNER_TEMP": str(tmp_path),
        "GWLINT_PYTHON": sys.executable,
        "GWLINT_PATHS": "old site\n\nnew\n",
        "GWLINT_ARGUMENTS": "--select=NGX109\n",
        "GWLINT_NEW_SINCE": "",
        "GWLINT_SARIF": "found.sarif",
    }
    named = {name for step in (install, check) for name in step["env"]}
    assert named == {name for name in environment if name.startswith("GWLINT_")}
    assert run(install["run"], repository, bash, environment).returncode == 0

    done = run(check["run"], repository, bash, environment)
    assert done.returncode == 1, done.stderr
    commands = [line for line in done.stdout.splitlines() if line.startswith("::error ")]
    assert [line.partition("file=")[2].partition(",")[0] for line in commands] == [
        "new/nginx.conf",
        "old site/nginx.conf",
    ]
    assert output.read_text() == "exit-code=1\n"
    assert "NGX109" in (tmp_path / "summary").read_text()
    assert len(json.loads((repository / "found.sarif").read_text())["runs"][0]["results"]) == 2

    done = run(check["run"], repository, bash, {**environment, "GWLINT_NEW_SINCE": "HEAD"})
    assert done.returncode == 1, done.stderr
    assert done.stdout.count("::error ") == 1
    assert "file=new/nginx.conf" in done.stdout


def test_what_users_write_is_never_run(tmp_path: Path) -> None:
    for step in read(PROJECT / "action.yml")["runs"]["steps"]:
        assert "${{" not in step["run"]


def test_the_workflow_uses_inputs_that_exist() -> None:
    inputs = read(PROJECT / "action.yml")["inputs"]
    steps = read(SAMPLES / "github-workflow.yml")["jobs"]["gwlint"]["steps"]
    (ours,) = [step for step in steps if step["uses"].startswith("OWNER/gwlint@")]
    assert set(ours["with"]) <= set(inputs)


def test_the_gitlab_job_reports_what_is_new(repository: Path) -> None:
    job = read(SAMPLES / "gitlab-ci.yml")["gwlint"]
    environment = {
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": git(repository, "rev-parse", "HEAD"),
        "CI_PROJECT_DIR": str(repository),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    done = run("\n".join(job["script"]), repository, ("sh", "-ec"), environment)
    assert done.returncode == 1, done.stderr
    report = repository / job["artifacts"]["reports"]["codequality"]
    found = {(one["check_name"], one["location"]["path"]) for one in json.loads(report.read_text())}
    assert ("NGX109", "new/nginx.conf") in found
    assert not [path for _, path in found if path.startswith("old site")]


def test_the_sample_names_hooks_that_exist() -> None:
    offered = {hook["id"] for hook in read(PROJECT / ".pre-commit-hooks.yaml")}
    (ours,) = read(SAMPLES / "pre-commit-config.yaml")["repos"]
    assert {hook["id"] for hook in ours["hooks"]} == offered == {"gwlint", "gwlint-fix"}
