"""Finding and running the servers' binaries."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gwlint.source import decode
from gwlint.syntax.version import Version

RUN_SECONDS = 10
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
"""Where servers live although an ordinary user's PATH may not name it."""


_VERSION = re.compile(r"(?:nginx/|HAProxy version )([0-9]+(?:\.[0-9]+)+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; `code` is None when it took longer than allowed or could not start."""

    code: int | None
    text: str


def find_binary(name: str, variable: str) -> str | None:
    """The path of a server: what the environment variable names, else the one on PATH.

    An empty variable says that the server shall not be used.
    """
    named = os.environ.get(variable)
    if named is not None:
        return shutil.which(named) if named else None
    return shutil.which(name) or shutil.which(name, path=SYSTEM_FOLDERS)


def version_of(binary: str, folder: Path) -> Version | None:
    """The version that a server says it has; None when it does not tell."""
    said = _VERSION.search(run([binary, "-v"], folder).text)
    return None if said is None else Version.parse(said[1])


def too_old(binary: str, target: Version | None, folder: Path) -> str | None:
    """Why a server cannot judge what is meant for `target`: it is older and would refuse what the
    target knows. None when it can, or when it does not tell its version."""
    if target is None:
        return None
    version = version_of(binary, folder)
    if version is None or version >= target:
        return None
    return f"{Path(binary).name} {version} is older than the target {target}"


def run(command: Sequence[str], folder: Path) -> Outcome:
    """Run a command in a folder for at most RUN_SECONDS; both of its outputs are one text.

    The environment is a small one of its own, so that two machines agree.
    """
    environment = {"PATH": SYSTEM_FOLDERS, "LC_ALL": "C", "HOME": str(folder)}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=RUN_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(None, f"{command[0]} took longer than {RUN_SECONDS} s")
    except OSError as problem:
        return Outcome(None, f"{command[0]} cannot be started: {problem.strerror}")
    return Outcome(done.returncode, decode(done.stdout))
