"""The folder in which answers are kept: one compressed JSON file a key.

It may be deleted at any time, and nothing in it can do more than be wrong about a report: no code
is loaded from it, and it is used only where nobody else can write. Whatever goes wrong with it,
the run goes on without.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import zlib
from pathlib import Path
from typing import Any

MOST_BYTES = 50 * 1024 * 1024
MOST_FILES = 100
"""Above one of these the files that were not used for longest are deleted."""

_ENDING = ".gwlint-cache"
_FAST = 1
"""zlib's level: a report of 5 MB shrinks to a twentieth, in a few hundredths of a second."""


class Shelf:
    """Files by key. A key is a digest in hexadecimal."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> Any:
        """What was kept under a key, as JSON gives it; None if there is nothing of use."""
        try:
            if not _is_ours(self._folder):
                return None
            path = self._path(key)
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            with os.fdopen(descriptor, "rb") as file:
                found = json.loads(zlib.decompress(file.read()))
            os.utime(path)  # the order of deletion goes by it
        except (OSError, ValueError, RecursionError, zlib.error):
            return None
        return found

    def put(self, key: str, document: Any) -> None:
        """Keep a document, in one step for those who read at the same time; or do nothing."""
        data = zlib.compress(json.dumps(document, separators=(",", ":")).encode("ascii"), _FAST)
        if len(data) > MOST_BYTES:
            return
        scratch = self._folder / f"{key}.{os.getpid()}{_ENDING}"
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_ours(self._folder):
                return
            try:
                descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                scratch.replace(self._path(key))
            finally:
                scratch.unlink(missing_ok=True)
            self._make_room()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_ENDING}"

    def _make_room(self) -> None:
        """Delete what is too much, the oldest first; what a crash left behind is among it."""
        with os.scandir(self._folder) as entries:
            found = [(one.stat(), one.path) for one in entries if one.name.endswith(_ENDING)]
        found.sort(key=lambda pair: pair[0].st_mtime_ns, reverse=True)
        total = 0
        for number, (status, path) in enumerate(found, 1):
            total += status.st_size
            if total > MOST_BYTES or number > MOST_FILES:
                with contextlib.suppress(OSError):
                    Path(path).unlink()


def default_shelf() -> Shelf | None:
    """That of $GWLINT_CACHE_DIR, else of $XDG_CACHE_HOME or ~/.cache (XDG Base Directory
    Specification: relative paths there do not count); None where there is no home."""
    own = os.environ.get("GWLINT_CACHE_DIR")
    if own:
        return Shelf(Path(own).absolute())
    caches = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(caches):  # noqa: PTH117 - a variable, perhaps empty
        caches = os.path.expanduser("~/.cache")  # noqa: PTH111 - it never raises
    return Shelf(Path(caches, "gwlint")) if os.path.isabs(caches) else None  # noqa: PTH117


def _is_ours(folder: Path) -> bool:
    """Whether a folder belongs to the user who runs this, and nobody else can write to it."""
    status = folder.stat()
    if not stat.S_ISDIR(status.st_mode):
        return False
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
