"""`--diff-base` wherever gwlint is run: folders, worktrees, submodules, environments."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from git_sandbox import FAULTS, Sandbox, haproxy, nginx


@pytest.fixture
def repo(tmp_path: Path) -> Sandbox:
    """One fault in each dialect, committed."""
    repo = Sandbox(tmp_path / "repo")
    repo.write("nginx.conf", nginx("a"))
    repo.write("haproxy.cfg", haproxy("a"))
    repo.commit()
    return repo


def test_any_folder_will_do(repo: Sandbox, tmp_path: Path) -> None:
    repo.write("sub/deep/nginx.conf", nginx("x"))
    repo.commit()
    repo.write("sub/deep/nginx.conf", nginx("x", "y"))
    assert repo.new("--diff-base", "HEAD", cwd=repo.top / "sub/deep") == ["nginx.conf:23:NGX402"]
    assert repo.new("deep", "--diff-base", "HEAD", cwd=repo.top / "sub") == [
        "deep/nginx.conf:23:NGX402"
    ]
    found = repo.new("repo/sub", "--diff-base", "HEAD", cwd=tmp_path)
    assert found == ["repo/sub/deep/nginx.conf:23:NGX402"]
    assert len(repo.new(repo.top / "sub", "--diff-base", "HEAD", cwd=Path("/"))) == 1


def test_a_bare_environment(repo: Sandbox) -> None:
    """As cron and containers have it: no HOME, no user, no locale."""
    repo.write("nginx.conf", nginx("a", "b"))
    run = repo.run(
        *("check", *FAULTS, "--diff-base", "HEAD", "--format", "concise"),
        environment={"PATH": os.environ["PATH"]},
    )
    assert run.code == 1
    assert run.text.startswith("nginx.conf:23:13: ")
    assert run.text.count("\n") == 1


def test_git_speaks_english_to_gwlint(repo: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/nginx.conf").write_text(nginx("a"))
    german = {"LANGUAGE": "de", "LANG": "de_DE.UTF-8"}
    run = repo.run("check", "--diff-base", "HEAD", cwd=tmp_path / "plain", **german)
    assert "lies in no git repository" in run.stderr


def test_git_dir_and_work_tree_apart(repo: Sandbox, tmp_path: Path) -> None:
    """As for a folder whose history is kept elsewhere."""
    (repo.top / ".git").rename(tmp_path / "history.git")
    repo.write("nginx.conf", nginx("a", "b"))
    places = {"GIT_DIR": "../history.git", "GIT_WORK_TREE": "."}
    assert repo.new("--diff-base", "HEAD", **places) == ["nginx.conf:23:NGX402"]
    places = {"GIT_DIR": str(tmp_path / "history.git"), "GIT_WORK_TREE": str(repo.top)}
    assert len(repo.new("repo", "--diff-base", "HEAD", cwd=tmp_path, **places)) == 1


def test_the_variables_of_another_repository_do_not_mislead(repo: Sandbox, tmp_path: Path) -> None:
    other = Sandbox(tmp_path / "other")
    other.write("nginx.conf", "events {}\n")
    other.commit()
    for git_dir in (".git", f"{other.top}/.git"):
        places = {"GIT_DIR": git_dir, "GIT_INDEX_FILE": f"{git_dir}/index"}
        assert repo.new(repo.top, "--diff-base", "HEAD", cwd=other.top, **places) == []


def test_a_linked_worktree(repo: Sandbox, tmp_path: Path) -> None:
    repo.git("worktree", "add", "--quiet", "-b", "side", tmp_path / "side")
    (tmp_path / "side/nginx.conf").write_text(nginx("a", "b"))
    assert repo.new("--diff-base", "main", cwd=tmp_path / "side") == ["nginx.conf:23:NGX402"]
    assert repo.new("--diff-base", "side") == []


def test_a_repository_with_sha256(tmp_path: Path) -> None:
    top = tmp_path / "new"
    repo = Sandbox(top, "--object-format=sha256")
    repo.write("nginx.conf", nginx("a"))
    repo.commit()
    (top / "nginx.conf").rename(top / "moved.conf")
    assert repo.new("--diff-base", "HEAD") == []


# Submodules


@pytest.fixture
def nested(repo: Sandbox, tmp_path: Path) -> Sandbox:
    """The repository with a submodule `shared`, which holds a fault of its own."""
    shared = Sandbox(tmp_path / "shared")
    shared.write("nginx.conf", nginx("s"))
    shared.commit()
    allowed = ("-c", "protocol.file.allow=always")
    repo.git(*allowed, "submodule", "add", "--quiet", shared.top, "shared")
    repo.commit()
    return repo


def test_a_submodule_is_compared_with_the_commit_it_had(nested: Sandbox) -> None:
    assert nested.new("--diff-base", "HEAD") == []
    inner = nested.top / "shared"
    nested.write("shared/nginx.conf", nginx("s", "t"))
    assert nested.new("--diff-base", "HEAD") == ["shared/nginx.conf:23:NGX402"]
    nested.git("commit", "--quiet", "--all", "--message", "more", cwd=inner)
    assert nested.new("--diff-base", "HEAD") == ["shared/nginx.conf:23:NGX402"]
    assert nested.new("shared", "--diff-base", "HEAD") == ["shared/nginx.conf:23:NGX402"]
    assert nested.new("--diff-base", "HEAD", cwd=inner) == []  # the submodule's own HEAD
    nested.commit()
    assert nested.new("--diff-base", "HEAD") == []
    assert nested.new("--diff-base", "HEAD~1") == ["shared/nginx.conf:23:NGX402"]
    assert nested.new("--diff-base", "HEAD~2") == [
        "shared/nginx.conf:11:NGX402",
        "shared/nginx.conf:23:NGX402",
    ]


def test_a_submodule_without_its_former_commit_is_2(nested: Sandbox) -> None:
    index = f"160000,{'1' * 40},shared"
    nested.git("update-index", "--cacheinfo", index)
    nested.git("commit", "--quiet", "--message", "a commit that nobody has")
    run = nested.run("check", "--diff-base", "HEAD")
    assert (run.code, run.stdout) == (2, b"")
    assert f"shared lacks commit {'1' * 40}" in run.stderr
    assert "fetch" in run.stderr
    # Nobody asks about the submodule here.
    assert nested.new("nginx.conf", "--diff-base", "HEAD") == []


def test_a_submodule_that_is_not_cloned(nested: Sandbox) -> None:
    nested.git("submodule", "deinit", "--quiet", "--all")
    assert nested.new("--diff-base", "HEAD") == []
