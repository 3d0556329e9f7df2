"""From paths to a project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gwlint.project.files import HAPROXY, NGINX, ConfigFile, HaproxyRoot, NoInput, Project
from gwlint.project.nginx_roots import nginx_roots
from gwlint.project.reading import Disk, Reader, absolute_path, is_inside
from gwlint.project.store import FileStore
from gwlint.settings import Settings


def load_project(paths: Sequence[str], settings: Settings, reader: Reader | None = None) -> Project:
    """Reads everything under `paths` and tells what belongs together.

    A named file is always read, whatever it is; a folder is searched. `reader` says where contents
    come from: the disk if None, or an `Overlay` of it, whose files count as existing.

    Raises NoInput when a path does not exist, or when nothing was found at all.
    """
    reader = Disk() if reader is None else reader
    store = FileStore(reader, settings.dialect)
    named: list[ConfigFile] = []
    found: list[str] = []
    folders: list[str] = []
    for path in paths:
        absolute = absolute_path(path)
        if reader.is_file(absolute):
            named.append(store.load(absolute, named=True))
        elif Path(absolute).is_dir():
            folders.append(absolute)
        else:
            raise NoInput(f"{path}: no such file or folder")
    if folders:
        # Searching needs git and patterns, which a run over named files does not pay for.
        from gwlint.project.discovery import find_files

        for folder in folders:
            found += find_files(folder, reader)
    files = [*named, *(store.load(path) for path in found)]
    if not files:
        raise NoInput(f"no nginx or HAProxy configuration in {', '.join(paths)}")
    files = sorted(dict.fromkeys(files), key=lambda file: file.path)
    working_folder = str(Path.cwd())
    outermost = [
        *folders,
        *(
            working_folder
            if is_inside(file.absolute, working_folder)
            else str(Path(file.absolute).parent)
            for file in named
        ),
    ]
    nginx = nginx_roots(
        [file for file in files if file.dialect == NGINX], outermost, settings, store
    )
    return Project(store.files(), nginx, _haproxy_roots(files, named))


def _haproxy_roots(files: Sequence[ConfigFile], named: Sequence[ConfigFile]) -> list[HaproxyRoot]:
    found = [file for file in files if file.dialect == HAPROXY]
    if not found:
        return []
    # What only HAProxy needs is not loaded for nginx: a small file is checked in 0.15 s.
    from gwlint.project.haproxy_roots import haproxy_roots

    return haproxy_roots(found, list(dict.fromkeys(named)))
