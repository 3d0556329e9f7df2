"""Running git: its environment, its limits, and what its complaints mean."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence

from gwlint.source import decode

GIT_TIMEOUT = 120
"""Seconds for one answer. git answers in milliseconds; the limit is for a file system that hangs,
and for a partial clone, whose objects git fetches when they are asked for."""

_LOCATION = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_IMPLICIT_WORK_TREE")
_OBJECTS = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR")

_DUBIOUS = re.compile(r"dubious ownership in repository at '(.*)'")


class GitError(Exception):
    """git is missing, refuses, or lacks what was asked for; the message says what to do."""


def environment(*, located: bool = False, shared: bool = True) -> dict[str, str]:
    """The environment for git: English, without questions to the user.

    Hooks are started with variables that say where their repository is, some relative to the
    folder the hook began in. They are kept only if `located`; variables about the repository's
    objects are kept only if `shared`, since they are wrong for a submodule.
    """
    dropped = (() if located else _LOCATION) + (() if shared else _OBJECTS)
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


def command(arguments: Sequence[str]) -> list[str]:
    """A repository that is only looked at must not start the program its configuration names."""
    return ["git", "-c", "core.fsmonitor=false", *arguments]


def run(arguments: Sequence[str], folder: str, variables: Mapping[str, str]) -> bytes:
    """What git prints. Raises GitError, also when it exits with another code than 0."""
    try:
        done = subprocess.run(
            command(arguments),
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise not_started(error) from error
    if done.returncode != 0:
        raise refusal(decode(done.stderr), folder)
    return done.stdout


def not_started(error: OSError | subprocess.TimeoutExpired) -> GitError:
    """The message for git that does not run, or does not end."""
    if isinstance(error, subprocess.TimeoutExpired):
        return GitError(f"git took longer than {GIT_TIMEOUT} s")
    if isinstance(error, FileNotFoundError) and error.filename == "git":
        return GitError("git is not installed, or not on PATH")
    return GitError(f"git cannot be started: {error.strerror or error}")


def refusal(complaint: str, folder: str) -> GitError:
    """The message for what git wrote to stderr when it ended with an error."""
    dubious = _DUBIOUS.search(complaint)
    if dubious:
        return GitError(
            f"git does not trust the repository {dubious[1]}, which belongs to another user; to"
            f" allow it: git config --global --add safe.directory {dubious[1]}"
        )
    if "not a git repository" in complaint:
        return GitError(f"{folder} lies in no git repository")
    if "must be run in a work tree" in complaint:
        return GitError(f"{folder} belongs to a bare repository, which has no files to check")
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    return GitError(f"git: {lines[0].removeprefix('fatal: ') if lines else 'failed silently'}")
