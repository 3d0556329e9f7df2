"""Which files of a project differ from a revision."""

from __future__ import annotations

from gwlint.git.renames import moved_files
from gwlint.git.revision import Revision
from gwlint.project.files import ConfigFile, Project
from gwlint.project.folders import DiskFolders
from gwlint.project.reading import Reader, Unreadable


def changed_paths(project: Project, revision: Revision, reader: Reader) -> set[str]:
    """The paths of files that are new, untracked ones too, moved, or of other content.

    Line endings do not count, since git may keep others than the work tree has. A file outside of
    the repository has not changed. `reader` is where the project was read.
    """
    return {file.path for file in project.files if _differs(file, revision, reader)}


def moved_since(project: Project, revision: Revision) -> dict[str, str]:
    """From the real path that a file of the project had at a revision to its real path now."""
    folders = DiskFolders()
    new = {}
    for file in project.files:
        real = folders.real_path(file.absolute)
        if file.source is not None and revision.is_inside(real) and not revision.holds(real):
            new[real] = file.source.data
    return moved_files(new, revision)


def _differs(file: ConfigFile, revision: Revision, reader: Reader) -> bool:
    try:
        before = revision.read(file.absolute)
    except Unreadable:
        return True
    try:
        now = reader.read(file.absolute) if file.source is None else file.source.data
    except Unreadable:
        return False  # it is there, as it was; nobody can say more
    return now.replace(b"\r\n", b"\n") != before.replace(b"\r\n", b"\n")
