"""gwlint in hooks of git, with the environment that git gives them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from conftest import TIME_LIMIT
from git_sandbox import CLEAN, FAULTS, Sandbox, haproxy, nginx


@pytest.fixture
def repo(tmp_path: Path) -> Sandbox:
    repo = Sandbox(tmp_path / "repo")
    repo.write("sub/nginx.conf", nginx("a"))
    repo.write("sub/haproxy.cfg", haproxy("a"))
    repo.commit()
    return repo


def hook(repo: Sandbox, command: str) -> None:
    """A pre-commit hook as people write them; it keeps the environment for the test."""
    path = repo.top / ".git/hooks/pre-commit"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\nenv >'{repo.top.parent}/environment'\n{command}\n")
    path.chmod(0o755)


def commit(repo: Sandbox, *arguments: str, cwd: Path | None = None) -> tuple[int, str]:
    """Whether git commits, and what it and the hook say."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=repo.top if cwd is None else cwd,
        env=CLEAN,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIME_LIMIT,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def environment(repo: Sandbox) -> str:
    return (repo.top.parent / "environment").read_text()


CHECK = f"gwlint check {' '.join(FAULTS)} --format concise --diff-base HEAD"


def test_a_hook_lets_pass_what_is_known_and_stops_what_is_new(repo: Sandbox) -> None:
    hook(repo, CHECK)
    repo.write("sub/nginx.conf", "# a comment\n" + nginx("a"))
    assert commit(repo, "commit", "-q", "-a", "-m", "known") == (0, "")
    assert "GIT_INDEX_FILE" in environment(repo)
    repo.write("sub/nginx.conf", nginx("a", "b"))
    code, said = commit(repo, "commit", "-q", "-a", "-m", "new")
    assert code == 1
    assert said.startswith("sub/nginx.conf:23:13: ")
    assert said.count("\n") == 1


def test_a_partial_commit_and_one_from_a_subfolder(repo: Sandbox) -> None:
    """git gives the hook an index of its own, by a path that it removes afterwards."""
    hook(repo, CHECK)
    repo.write("sub/nginx.conf", "# a comment\n" + nginx("a"))
    repo.write("sub/haproxy.cfg", "# a comment\n" + haproxy("a"))
    inner = repo.top / "sub"
    assert commit(repo, "commit", "-q", "-m", "one", "nginx.conf", cwd=inner) == (0, "")
    assert "next-index" in environment(repo)
    repo.write("sub/haproxy.cfg", haproxy("a", "b"))
    code, said = commit(repo, "commit", "-q", "-m", "two", "haproxy.cfg", cwd=inner)
    assert code == 1
    assert said.startswith("sub/haproxy.cfg:20:5: ")


@pytest.mark.parametrize("go", ["cd sub", "cd / && cd - >/dev/null"])
def test_a_hook_that_changes_the_folder(repo: Sandbox, go: str) -> None:
    hook(repo, f"{go}\n{CHECK}")
    repo.write("sub/nginx.conf", nginx("a", "b"))
    code, said = commit(repo, "commit", "-q", "-a", "-m", "new")
    assert code == 1
    assert "nginx.conf:23:13: " in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("go", [".", "sub"])
def test_a_hook_in_a_linked_worktree(repo: Sandbox, go: str, tmp_path: Path) -> None:
    """There git names the repository by GIT_DIR, which alone would make any folder its top."""
    side = tmp_path / "side"
    repo.git("worktree", "add", "--quiet", side)
    hook(repo, f"cd {go} && {CHECK}")
    (side / "sub/nginx.conf").write_text("# a comment\n" + nginx("a"))
    assert commit(repo, "commit", "-q", "-a", "-m", "known", cwd=side) == (0, "")
    assert f"GIT_DIR={repo.top}/.git/worktrees/side" in environment(repo)
    (side / "sub/nginx.conf").write_text(nginx("a", "b"))
    code, said = commit(repo, "commit", "-q", "-a", "-m", "new", cwd=side)
    assert code == 1
    assert "nginx.conf:23:13: " in said
    hook(repo, f"cd {go} && gwlint check {' '.join(FAULTS)} --format concise --changed-only")
    code, said = commit(repo, "commit", "-q", "-a", "-m", "new", cwd=side)
    assert code == 1
    assert said.count("\n") == 2  # both of nginx.conf, and haproxy.cfg did not change
    assert "haproxy.cfg" not in said


def test_a_repository_named_on_the_command_line(repo: Sandbox) -> None:
    """git exports GIT_DIR and a relative GIT_WORK_TREE then."""
    hook(repo, CHECK)
    repo.write("sub/nginx.conf", nginx("a", "b"))
    places = (f"--git-dir={repo.top}/.git", f"--work-tree={repo.top}")
    arguments = (*places, "commit", "-q", "-a", "-m", "new")
    code, said = commit(repo, *arguments, cwd=repo.top.parent)
    assert "GIT_WORK_TREE=" in environment(repo)
    assert code == 1
    assert said.startswith("sub/nginx.conf:23:13: ")


def test_the_first_commit(tmp_path: Path) -> None:
    repo = Sandbox(tmp_path / "empty")
    hook(repo, CHECK)
    repo.write("nginx.conf", nginx("a"))
    repo.git("add", "nginx.conf")
    code, said = commit(repo, "commit", "-q", "-m", "first")
    assert code == 1
    assert said.startswith("nginx.conf:11:13: ")


def test_a_hook_that_fixes_what_is_new(repo: Sandbox) -> None:
    hook(
        repo, f"gwlint fix {' '.join(FAULTS)} -q --write --diff-base HEAD && git add sub && {CHECK}"
    )
    repo.write("sub/nginx.conf", nginx("a", "b"))
    assert commit(repo, "commit", "-q", "-a", "-m", "new") == (0, "")
    fixed = (repo.top / "sub/nginx.conf").read_text()
    assert fixed.count("proxy_http_version 1.1;") == 1
    assert fixed.index("proxy_http_version") > fixed.index("http://b")
    assert repo.git("show", "HEAD:sub/nginx.conf") == fixed


def test_an_alias_that_runs_a_shell(repo: Sandbox) -> None:
    repo.write("sub/nginx.conf", nginx("a", "b"))
    repo.git("config", "alias.lint", f"!{CHECK}")
    code, said = commit(repo, "lint", cwd=repo.top / "sub")
    assert code == 1
    assert said.startswith("sub/nginx.conf:23:13: ")
    assert os.linesep.join(said.splitlines()) == said.strip()
