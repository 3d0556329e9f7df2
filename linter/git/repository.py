"""A repository with its work tree: where it is, and what a revision in it means."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gwlint.git.process import GitError, environment, run
from gwlint.project.reading import absolute_path, is_inside

_HEAD_NAMES = ("HEAD", "@")


@dataclass(frozen=True, slots=True)
class Repository:
    """`top` is the root of the work tree and `git_dir` git's own folder; both are real, absolute
    paths. `variables` is the environment for git."""

    top: str
    git_dir: str
    variables: dict[str, str]

    def ask(self, *arguments: str) -> bytes:
        """What git prints about this repository. Raises GitError."""
        return run([f"--git-dir={self.git_dir}", *arguments], self.top, self.variables)

    def tree_of(self, revision: str) -> str | None:
        """The id of the tree that a commit, branch or tag names, or of the tree itself.

        None for HEAD before the first commit: nothing was there. Raises GitError.
        """
        if not revision:
            raise GitError("the revision is empty, as an unset shell variable leaves it")
        if revision.startswith("-"):
            raise GitError(f"{revision!r} is an option, not a revision")
        found = self._name(f"{revision}^{{tree}}")
        if found is not None:
            return found
        if revision in _HEAD_NAMES and self._is_unborn():
            return None
        raise GitError(self._why_unknown(revision))

    @property
    def common_dir(self) -> str:
        """Where worktrees of one repository keep what they share."""
        answer = os.fsdecode(self.ask("rev-parse", "--git-common-dir").removesuffix(b"\n"))
        return os.path.normpath(Path(self.top, answer))

    def _name(self, revision: str) -> str | None:
        """The object id of a revision; None when git does not know it."""
        try:
            return self.ask("rev-parse", "--verify", "--quiet", revision).decode("ascii").strip()
        except GitError:
            return None

    def _is_unborn(self) -> bool:
        try:
            return bool(self.ask("symbolic-ref", "--quiet", "HEAD"))
        except GitError:
            return False

    def _why_unknown(self, revision: str) -> str:
        # A git that does not work at all says so here, since this question has always an answer.
        is_shallow = self.ask("rev-parse", "--is-shallow-repository").strip() == b"true"
        if ".." in revision:
            return (
                f"{revision!r} is a range, and one revision is compared with; for where two"
                f' branches parted, give "$(git merge-base A B)"'
            )
        if is_shallow:
            return (
                f"{revision!r} is not in this repository, whose history is cut off (a shallow"
                " clone); fetch more: git fetch --deepen=100, git fetch --unshallow, or"
                " fetch-depth: 0 for actions/checkout"
            )
        if self._name(f"{revision}^{{object}}") is not None:
            return f"{revision!r} is neither a commit nor a tree"
        return f"{revision!r} is no revision of the repository {self.top}; is it fetched?"


def repository_of(paths: Iterable[str]) -> Repository:
    """The repository that holds all `paths`, as users give them.

    A submodule that is looked at from the folders of its superproject belongs to the superproject,
    as it does for git. Raises GitError: no repository, or several.
    """
    found: dict[str | None, Repository] = {}
    for path in paths:
        folder = _folder_of(path)
        key = _nearest_git(folder)
        if key not in found or not is_inside(folder, found[key].top):
            found[key] = _repository_at(folder)
    tops = sorted({one.top for one in found.values()})
    if len(tops) > 1:
        raise GitError(
            f"the paths lie in several repositories, {' and '.join(tops)}: check them one by one"
        )
    return next(iter(found.values()))


def repository_in(folder: str) -> Repository | None:
    """The repository whose work tree begins in a folder, as that of a submodule does."""
    try:
        found = _discovered(folder, shared=False)
    except GitError:
        return None
    return found if found.top == folder else None


def _folder_of(path: str) -> str:
    """The real folder of a path, or the nearest one upwards that exists."""
    place = Path(os.path.realpath(absolute_path(path)))
    return str(next(one for one in (place, *place.parents) if one.is_dir()))


def _nearest_git(folder: str) -> str | None:
    places = (Path(folder), *Path(folder).parents)
    return next((str(one) for one in places if (one / ".git").exists()), None)


def _repository_at(folder: str) -> Repository:
    here = os.path.realpath(Path.cwd())
    if "GIT_DIR" in os.environ:
        named = _named_by_environment(here)
        if named is not None and is_inside(folder, named.top):
            return _with_its_own_top(named, folder)
    nearest = probe = _discovered(folder)
    while not is_inside(here, probe.top):
        answer = probe.ask("rev-parse", "--show-superproject-working-tree").removesuffix(b"\n")
        if not answer:
            return nearest
        probe = _discovered(os.fsdecode(answer))
    return probe


def _named_by_environment(here: str) -> Repository | None:
    """The repository of GIT_DIR and GIT_WORK_TREE, which hooks and users set."""
    try:
        return _located(here, environment(located=True), environment())
    except GitError:
        return None


def _with_its_own_top(named: Repository, folder: str) -> Repository:
    """GIT_DIR alone means that the work tree begins in the working directory, which is not so when
    a hook has changed to a subfolder. A `.git` on the way knows better."""
    if "GIT_WORK_TREE" in os.environ:
        return named
    try:
        found = _discovered(folder)
    except GitError:
        return named
    return found if found.git_dir == named.git_dir else named


def _discovered(folder: str, *, shared: bool = True) -> Repository:
    variables = environment(shared=shared)
    return _located(folder, variables, variables)


def _located(folder: str, asked: dict[str, str], later: dict[str, str]) -> Repository:
    """`asked` is the environment that finds the repository, `later` the one to use it with."""
    top = run(["rev-parse", "--show-toplevel"], folder, asked).removesuffix(b"\n")
    git_dir = run(["rev-parse", "--absolute-git-dir"], folder, asked).removesuffix(b"\n")
    return Repository(_real(top), _real(git_dir), later)


def _real(answer: bytes) -> str:
    return os.path.realpath(os.fsdecode(answer))
