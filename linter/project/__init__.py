"""Which files there are, what they are, and which of them belong together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gwlint.project.files import (
    UNKNOWN_CONTEXT,
    ConfigFile,
    HaproxyRoot,
    Include,
    NginxRoot,
    NoInput,
    Project,
    Status,
)
from gwlint.project.reading import Disk, Overlay, Reader, Unreadable, absolute_path, shown_path

if TYPE_CHECKING:
    from gwlint.project.folders import Folders
    from gwlint.settings import Settings

__all__ = [
    "UNKNOWN_CONTEXT",
    "ConfigFile",
    "Disk",
    "HaproxyRoot",
    "Include",
    "NginxRoot",
    "NoInput",
    "Overlay",
    "Project",
    "Reader",
    "Status",
    "Unreadable",
    "absolute_path",
    "load_project",
    "shown_path",
]


def load_project(
    paths: Sequence[str],
    settings: Settings,
    reader: Reader | None = None,
    folders: Folders | None = None,
) -> Project:
    """As `loading.load_project`: the parsers are imported when there is something to parse, which
    a run whose outcome is known has not."""
    from gwlint.project import loading

    return loading.load_project(paths, settings, reader, folders)
