"""Which files of a folder .gitignore leaves out: git says so, or the patterns are read here."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from gwlint.patterns import path_matches
from gwlint.project.reading import is_inside

GIT_TIMEOUT = 30
"""Seconds. git answers in milliseconds; the limit is for a file system that hangs."""


def not_ignored(paths: Sequence[str]) -> list[str]:
    """The absolute paths that no .gitignore leaves out, in their order.

    Inside of a work tree git is asked, which also knows info/exclude and that tracked files are
    never ignored. Without git the .gitignore files of the folders above each path are read.
    """
    # git refuses paths that lead through a symbolic link, so folders go by their real names. What
    # holds for a folder is found once: thousands of files may lie in it.
    split = {path: os.path.split(path) for path in paths}
    folders = {folder: os.path.realpath(folder) for folder in {one for one, _ in split.values()}}
    real = {
        path: os.path.join(folders[folder], name)  # noqa: PTH118 - strings, as in os.path.split
        for path, (folder, name) in split.items()
    }
    trees: dict[str | None, list[str]] = {}
    for path, (folder, _) in split.items():
        trees.setdefault(_work_tree(folders[folder]), []).append(real[path])
    ignored: set[str] = set()
    for tree, members in trees.items():
        found = None if tree is None else _ask_git(tree, members)
        if found is None:
            found = {path for path in members if _is_ignored(path, tree)}
        ignored |= found
        # A work tree inside of another one may itself be ignored there, as vendored clones are.
        outer = None if tree is None else _work_tree(str(Path(tree).parent))
        if tree is not None and outer is not None and _ask_git(outer, [tree]):
            ignored.update(members)
    return [path for path in paths if real[path] not in ignored]


@cache
def _work_tree(folder: str) -> str | None:
    """The work tree that a folder lies in: the nearest folder upwards with a `.git`."""
    return next((one for one in _upwards(folder) if _has_repository(one)), None)


@cache
def _has_repository(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, ".git"))  # noqa: PTH110, PTH118 - asked very often


def _upwards(folder: str) -> Iterator[str]:
    """A folder and those around it, the nearest first."""
    yield folder
    while (outer := os.path.split(folder)[0]) != folder:
        yield outer
        folder = outer


def _ask_git(tree: str, paths: Iterable[str]) -> set[str] | None:
    """Those of `paths` that git ignores; None when git is missing or cannot tell."""
    # For each path git looks through its whole index, whether it is tracked. So it is first asked
    # what the patterns say, which takes a twentieth of the time for 5,000 files, and about the few
    # that they mean once more.
    found = _check_ignore(tree, paths, "--no-index")
    return _check_ignore(tree, sorted(found)) if found else found


def _check_ignore(tree: str, paths: Iterable[str], *options: str) -> set[str] | None:
    # A hook's GIT_DIR and GIT_INDEX_FILE mean another repository, perhaps; and a repository that
    # is only looked at must not start the program that its configuration names.
    environment = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    try:
        answer = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "check-ignore", *options, "--stdin", "-z"],
            cwd=tree,
            env=environment,
            input=b"".join(os.fsencode(path) + b"\0" for path in paths),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=GIT_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode not in (0, 1):  # 1: none is ignored
        return None
    return {os.fsdecode(path) for path in answer.stdout.split(b"\0") if path}


def _is_ignored(path: str, tree: str | None) -> bool:
    """What the .gitignore files say, from the outermost folder to the nearest; the last one wins.

    A file below an ignored folder stays ignored, as in git.
    """
    ignored = False
    for folder, patterns in _patterns_above(os.path.split(path)[0], tree):
        relative = os.path.relpath(path, folder).replace(os.sep, "/")
        for pattern in patterns:
            if path_matches(pattern.removeprefix("!"), relative):
                ignored = not pattern.startswith("!")
    return ignored


@cache
def _patterns_above(folder: str, tree: str | None) -> list[tuple[str, list[str]]]:
    """The folders from the outermost one of a work tree, or of all, to this one that have a
    .gitignore, each with its patterns."""
    inside = [one for one in _upwards(folder) if tree is None or is_inside(one, tree)]
    return [(one, patterns) for one in reversed(inside) if (patterns := _patterns(one))]


@cache
def _patterns(folder: str) -> list[str]:
    file = Path(folder) / ".gitignore"
    try:
        if file.is_symlink() or not file.is_file():  # git does not follow it either
            return []
        text = file.read_text("utf-8", "surrogateescape")
    except (OSError, ValueError):
        return []
    lines = (line.rstrip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
