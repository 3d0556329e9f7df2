"""What identifies this gwlint: after any change of it, nothing that was kept counts."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder

import gwlint
import gwlint.rules

_ENDINGS = (".py", ".json")
_NOT_OURS = "pyparsing"
"""The one library that takes part in finding; YAML is read again by each run."""


def program_state() -> str:
    """The version, the Python and the state of each file of gwlint: size, times, inode.

    Installing and editing change them, as Python itself looks at size and time to tell whether a
    compiled module is current. Raises OSError when there are no files to look at, as in an archive.
    """
    digest = hashlib.sha256()
    digest.update(f"{gwlint.__version__}\n{sys.version}\n{sys.flags}\n".encode())
    for path, status in sorted(_files()):
        facts = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        digest.update(f"{os.fsencode(path)!r} {facts}\n".encode())
    return digest.hexdigest()


def _files() -> Iterator[tuple[str, os.stat_result]]:
    for folder in dict.fromkeys((*gwlint.__path__, *gwlint.rules.__path__)):
        yield from _below(folder)
    library = PathFinder.find_spec(_NOT_OURS)
    if library is not None and library.origin is not None:
        yield library.origin, os.stat(library.origin)  # noqa: PTH116 - no Path needed


def _below(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(_ENDINGS):
                yield entry.path, entry.stat()
            elif entry.is_dir() and entry.name != "__pycache__":
                yield from _below(entry.path)
