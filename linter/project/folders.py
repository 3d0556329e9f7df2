"""How files lie in folders: on disk, or as another `Folders` remembers them."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_LITERAL_END = re.compile(r"(?<=[*?])[^*?\[\]]+\Z")
"""What a name must end in to match a pattern."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a folder. What it is counts at the end of symbolic links; one that leads nowhere
    is neither a file nor a folder."""

    path: str
    is_folder: bool
    is_file: bool
    is_link: bool

    @property
    def name(self) -> str:
        return os.path.basename(self.path)  # noqa: PTH119 - a string for every file of a folder


class Folders(Protocol):
    """Where files lie. Paths are absolute."""

    def is_folder(self, absolute: str) -> bool:
        """Whether there is a folder, at the end of symbolic links."""

    def entries(self, absolute: str) -> list[Entry]:
        """What a folder holds, sorted by byte; nothing if it cannot be listed."""

    def real_path(self, absolute: str) -> str:
        """The path without symbolic links, whether or not it exists."""

    def glob(self, pattern: str) -> list[str]:
        """The paths that match, hidden ones only where the pattern says so, in any order."""

    def not_ignored(self, paths: Sequence[str]) -> list[str]:
        """The paths that no .gitignore leaves out, in their order."""


class DiskFolders:
    """The folders as they are; what a glob found is found once."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def is_folder(self, absolute: str) -> bool:
        return Path(absolute).is_dir()

    def entries(self, absolute: str) -> list[Entry]:
        try:
            found = sorted(os.scandir(absolute), key=lambda entry: os.fsencode(entry.name))
        except OSError:
            return []
        entries = []
        for one in found:
            try:
                entries.append(Entry(one.path, one.is_dir(), one.is_file(), one.is_symlink()))
            except OSError:
                continue  # it cannot be looked at, as a link to itself
        return entries

    def real_path(self, absolute: str) -> str:
        return os.path.realpath(absolute)

    def glob(self, pattern: str) -> list[str]:
        folder, name = os.path.split(pattern)
        if folder and not glob.has_magic(folder) and "/" not in name:
            return [os.path.join(folder, one) for one in self._matching(folder, name)]  # noqa: PTH118
        try:
            # Path.glob matches hidden files, and glob(3), which nginx uses, does not.
            return glob.glob(pattern)  # noqa: PTH207
        except (OSError, ValueError):
            return []

    def _matching(self, folder: str, pattern: str) -> list[str]:
        """The names in a folder that match, as glob(3) does; there may be thousands of patterns and
        of names, so the folder is listed once, and what ends differently is not matched at all."""
        if folder not in self._names:
            try:
                self._names[folder] = os.listdir(folder)  # noqa: PTH208 - names, not paths
            except (OSError, ValueError):
                self._names[folder] = []
        end = _LITERAL_END.search(pattern)
        ending = "" if end is None else end[0]
        names = [name for name in self._names[folder] if name.endswith(ending)]
        if not pattern.startswith("."):
            names = [name for name in names if not name.startswith(".")]
        return fnmatch.filter(names, pattern)

    def not_ignored(self, paths: Sequence[str]) -> list[str]:
        # Asking git is for runs over folders; a run over named files does not pay for it.
        from gwlint.project.ignoring import not_ignored

        return not_ignored(paths)
