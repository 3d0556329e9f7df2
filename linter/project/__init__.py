"""Which files there are, what they are, and which of them belong together."""

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
from gwlint.project.loading import load_project
from gwlint.project.reading import Disk, Overlay, Reader, Unreadable, absolute_path, shown_path

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
