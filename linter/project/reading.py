"""Reading bytes: from disk, or from memory laid over it. Nothing here can block or run forever."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class Unreadable(Exception):  # noqa: N818 - a status of the file, with its reason
    """The file cannot be read; the text says why."""


class Reader(Protocol):
    """Where contents come from. Paths are absolute."""

    def read(self, absolute: str) -> bytes:
        """The bytes of a file. Raises Unreadable."""

    def is_file(self, absolute: str) -> bool:
        """Whether there is something to read, or to say that it is unreadable."""


class Disk:
    """The files as they are. FIFOs, sockets and devices are never read."""

    def read(self, absolute: str) -> bytes:
        try:
            # The kind is looked at before opening, since opening a device may have effects, and
            # O_NONBLOCK keeps open() from waiting should the file be replaced by a FIFO meanwhile.
            self._require_regular(os.stat(absolute))  # noqa: PTH116 - surrogates, no Path needed
            descriptor = os.open(absolute, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(descriptor, "rb") as file:
                self._require_regular(os.fstat(descriptor))
                return file.read()
        except OSError as error:
            raise Unreadable(error.strerror or str(error)) from error
        except ValueError as error:  # a NUL in the path
            raise Unreadable(str(error)) from error

    def is_file(self, absolute: str) -> bool:
        try:
            return not stat.S_ISDIR(Path(absolute).stat().st_mode)
        except (OSError, ValueError):
            return False

    def _require_regular(self, status: os.stat_result) -> None:
        if stat.S_ISREG(status.st_mode):
            return
        kind = next((name for test, name in _KINDS if test(status.st_mode)), "a special file")
        raise Unreadable(f"{kind}, not a regular file")


class Overlay:
    """Contents in memory over another reader: changed files, or standard input."""

    def __init__(self, contents: Mapping[str, bytes], base: Reader | None = None) -> None:
        self.contents = contents
        self.base = Disk() if base is None else base

    def read(self, absolute: str) -> bytes:
        data = self.contents.get(absolute)
        return self.base.read(absolute) if data is None else data

    def is_file(self, absolute: str) -> bool:
        return absolute in self.contents or self.base.is_file(absolute)


def absolute_path(path: str) -> str:
    """A path from the working directory, without `.` and `..`; symbolic links are kept."""
    return os.path.normpath(Path(path).absolute())


def shown_path(absolute: str) -> str:
    """A path as users see it: relative to the working directory when inside, forward slashes."""
    folder = str(Path.cwd())
    if is_inside(absolute, folder):
        absolute = absolute[len(folder) :].lstrip(os.sep) or "."
    return absolute.replace(os.sep, "/")


def is_inside(absolute: str, folder: str) -> bool:
    """Whether a path is the folder or lies under it, by names alone."""
    return absolute == folder or absolute.startswith(folder.rstrip(os.sep) + os.sep)
