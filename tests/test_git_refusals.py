"""What `--diff-base` and `--changed-only` cannot do is said, and ends with 2."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from git_sandbox import Sandbox, haproxy, nginx

from gwlint.git.process import GitError
from gwlint.git.repository import repository_of


@pytest.fixture
def repo(tmp_path: Path) -> Sandbox:
    """One fault in each dialect, committed."""
    repo = Sandbox(tmp_path / "repo")
    repo.write("nginx.conf", nginx("a"))
    repo.write("haproxy.cfg", haproxy("a"))
    repo.commit()
    return repo


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the tests' own process, when git is not asked through the command."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)


def test_every_name_of_a_revision_does(repo: Sandbox, clean: None) -> None:
    repo.git("tag", "--annotate", "--message", "one", "v1")
    repo.git("tag", "light")
    tree = repo.git("rev-parse", "HEAD^{tree}").strip()
    commit = repo.git("rev-parse", "HEAD").strip()
    found = repository_of([str(repo.top)])
    for name in ("HEAD", "@", "main", "v1", "light", "HEAD~0", commit, commit[:10], tree):
        assert found.tree_of(name) == tree
    repo.write("nginx.conf", nginx("a", "b"))
    assert repo.new("--diff-base", "v1") == ["nginx.conf:23:NGX402"]


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        ("nope", "'nope' is no revision of the repository"),
        ("1" * 40, "is no revision of the repository"),
        ("HEAD~7", "is no revision of the repository"),
        ("main..HEAD", "is a range"),
        ("main...HEAD", "merge-base"),
        ("", "the revision is empty"),
        ("--all", "is an option"),
        ("HEAD:nginx.conf", "is no revision"),
        ("BLOB", "is neither a commit nor a tree"),
        ("a\nb", "is no revision of the repository"),
    ],
)
def test_a_revision_that_does_not_exist(
    repo: Sandbox, clean: None, revision: str, says: str
) -> None:
    if revision == "BLOB":
        revision = repo.git("rev-parse", "HEAD:nginx.conf").strip()
    with pytest.raises(GitError, match=re.escape(says)):
        repository_of([str(repo.top)]).tree_of(revision)


def test_a_revision_that_does_not_exist_is_2(repo: Sandbox) -> None:
    for command in ("check", "fix"):
        run = repo.run(command, "--diff-base", "nope")
        assert (run.code, run.stdout) == (2, b"")
        assert run.stderr.startswith("gwlint: --diff-base: 'nope' is no revision")


def test_a_shallow_clone_says_so(repo: Sandbox, tmp_path: Path) -> None:
    first = repo.git("rev-parse", "HEAD").strip()
    repo.write("nginx.conf", nginx("a", "b"))
    repo.commit()
    clone = tmp_path / "clone"
    repo.git("clone", "--quiet", "--depth", "1", f"file://{repo.top}", clone)
    for revision in (first, "HEAD~1"):
        run = repo.run("check", "--diff-base", revision, cwd=clone)
        assert (run.code, run.stdout) == (2, b"")
        assert "a shallow clone" in run.stderr
        assert "fetch-depth: 0" in run.stderr
    assert repo.new("--diff-base", "HEAD", cwd=clone) == []
    repo.git("fetch", "--quiet", "--unshallow", cwd=clone)
    assert repo.new("--diff-base", first, cwd=clone) == ["nginx.conf:23:NGX402"]


@pytest.mark.parametrize("option", [("--diff-base", "HEAD"), ("--changed-only",)])
def test_no_repository_no_git_no_trust_are_2(
    repo: Sandbox, tmp_path: Path, option: tuple[str, ...]
) -> None:
    def refused(*arguments: str | Path, **variables: str) -> str:
        run = repo.run("check", *arguments, *option, **variables)
        assert (run.code, run.stdout) == (2, b"")
        assert run.stderr.startswith(f"gwlint: {option[0]}: ")
        return run.stderr

    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/nginx.conf").write_text(nginx("a"))
    assert "lies in no git repository" in refused(tmp_path / "plain")
    assert "git is not installed" in refused(".", PATH=str(tmp_path))
    other = Sandbox(tmp_path / "other")
    other.write("nginx.conf", nginx("a"))
    assert "several repositories" in refused(".", other.top)
    refusal = refused(".", GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert f"git config --global --add safe.directory {repo.top}" in refusal
    bare = tmp_path / "bare.git"
    repo.git("clone", "--quiet", "--bare", repo.top, bare)
    (bare / "nginx.conf").write_text(nginx("a"))
    assert "bare repository" in refused(bare)


def test_a_damaged_repository_is_2(repo: Sandbox) -> None:
    blob = repo.git("rev-parse", "HEAD:nginx.conf").strip()
    (repo.top / ".git/objects" / blob[:2] / blob[2:]).unlink()
    run = repo.run("check", "--diff-base", "HEAD")
    assert (run.code, run.stdout) == (2, b"")
    assert f"lacks object {blob}" in run.stderr


def test_a_path_that_does_not_exist_is_2(repo: Sandbox) -> None:
    run = repo.run("check", "no/such.conf", "--diff-base", "HEAD")
    assert (run.code, run.stderr) == (2, "gwlint: no/such.conf: no such file or folder\n")


def test_before_the_first_commit_everything_is_new(tmp_path: Path) -> None:
    repo = Sandbox(tmp_path / "empty")
    repo.write("nginx.conf", nginx("a"))
    assert repo.new("--diff-base", "HEAD") == ["nginx.conf:11:NGX402"]
    assert repo.new("--changed-only") == ["nginx.conf:11:NGX402"]
    assert repo.run("check", "--diff-base", "main").code == 2
