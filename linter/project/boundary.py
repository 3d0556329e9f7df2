"""What a run may read: the project, and what the user named. A stranger's commit names nothing.

An include or a symbolic link may lead anywhere on the machine, and reports show lines of what was
read. So what a project leads to counts only where it lies in the project itself, at the end of all
links.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gwlint.project.folders import Folders
from gwlint.project.reading import is_inside
from gwlint.settings import Settings

MACHINE_FOLDERS = ("/etc", "/usr", "/opt/homebrew/etc")
"""Only administrators and packages write there. `modules-enabled` of Debian links from /etc/nginx
to /usr/share, so a link is what its server takes it for."""

_NO_PROJECT = frozenset({os.sep, os.path.expanduser("~")})  # noqa: PTH111 - compared as text
"""Working folders that hold everything, and so do not say what is meant."""


class Boundary:
    """Tells whether a path lies in the project.

    The project of a folder or file that was named is the folder (of a file: the one it lies in), or
    more: the git work tree around it, and the working folder, if it lies there.
    """

    def __init__(self, folders: Iterable[str], asked: Iterable[str], layout: Folders) -> None:
        """`folders` are those of what was named, `asked` others that the user allows; absolute."""
        self._layout = layout
        around = list(dict.fromkeys(folders))
        self._names = tuple(dict.fromkeys([*_projects(around), *asked]))
        self._real = tuple(dict.fromkeys(map(layout.real_path, self._names)))
        self._is_machine = any(
            is_inside(layout.real_path(folder), machine)
            for folder in around
            for machine in MACHINE_FOLDERS
        )

    def __repr__(self) -> str:
        """All that the answers depend on, apart from links."""
        return f"Boundary({self._names}, {self._real}, {self._is_machine})"

    def names(self, absolute: str) -> bool:
        """Whether a path without `..` lies in the project by its name, links aside."""
        return any(is_inside(absolute, one) for one in (*self._names, *self._real))

    def holds(self, real: str) -> bool:
        """Whether a real path lies in the project."""
        return self._is_machine or any(is_inside(real, one) for one in self._real)

    def leads_out(self, absolute: str) -> str | None:
        """Where a path leads, if that is out of the project."""
        real = self._layout.real_path(absolute)
        return None if self.holds(real) else real


def project_folders(folder: str) -> list[str]:
    """The folders that make up the project of an absolute folder: itself and those around it."""
    found = [folder]
    working = str(Path.cwd())
    if working not in _NO_PROJECT and is_inside(folder, working):
        found.append(working)
    tree = work_tree(folder)
    if tree is not None:
        found.append(tree)
    return found


def work_tree(folder: str) -> str | None:
    """The git work tree around a folder, as a real path."""
    real = Path(os.path.realpath(folder))
    return next((str(one) for one in (real, *real.parents) if (one / ".git").exists()), None)


def folders_of_path_map(settings: Settings) -> list[str]:
    """Where path_map leads, if that is the user's word.

    A gwlint.yaml that was found in a git work tree, not named, came with what it judges, perhaps
    from a stranger: it lets nothing in.
    """
    is_asked = settings.file is None or settings.is_named or work_tree(settings.folder) is None
    return list(settings.path_map.values()) if is_asked else []


def _projects(folders: Iterable[str]) -> list[str]:
    return [one for folder in folders for one in project_folders(folder)]
