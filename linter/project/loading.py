"""From paths to a project."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gwlint.project.boundary import Boundary, folders_of_path_map
from gwlint.project.files import (
    HAPROXY,
    NGINX,
    ConfigFile,
    HaproxyRoot,
    NginxRoot,
    NoInput,
    Project,
)
from gwlint.project.folders import DiskFolders, Folders
from gwlint.project.nginx_roots import is_main_file, nginx_roots
from gwlint.project.reading import Disk, Reader, absolute_path, is_inside, shown_path
from gwlint.project.store import FileStore
from gwlint.settings import Settings


def load_project(
    paths: Sequence[str],
    settings: Settings,
    reader: Reader | None = None,
    folders: Folders | None = None,
) -> Project:
    """Reads everything under `paths` and tells what belongs together.

    A named file is always read, whatever it is; a folder is searched. What a named fragment belongs
    to is read as well (see `surroundings`). `reader` says where contents
    come from: the disk if None, or an `Overlay` of it, whose files count as existing. `folders`
    says where files lie, on the disk if None.

    Raises NoInput when a path does not exist, or when nothing was found at all.
    """
    reader = Disk() if reader is None else reader
    layout = DiskFolders() if folders is None else folders
    given: list[str] = []
    searched: list[str] = []
    for path in paths:
        absolute = absolute_path(path)
        if reader.is_file(absolute):
            given.append(absolute)
        elif layout.is_folder(absolute):
            searched.append(absolute)
        else:
            raise NoInput(f"{path}: no such file or folder")
    boundary = Boundary([*searched, *map(_folder_of, given)], folders_of_path_map(settings), layout)
    store = FileStore(reader, layout, boundary, settings.dialect)
    named = [store.load(absolute, named=True) for absolute in given]
    found: list[str] = []
    left_out: dict[str, str] = {}
    if searched:
        # Searching needs git and patterns, which a run over named files does not pay for.
        from gwlint.project.discovery import find_files

        for folder in searched:
            search = find_files(folder, reader, layout, boundary)
            found += search.files
            left_out |= {shown_path(path): real for path, real in search.left_out}
    files = [*named, *(store.load(path) for path in found)]
    if not files:
        raise NoInput(f"no nginx or HAProxy configuration in {', '.join(paths)}")
    files = sorted(dict.fromkeys(files), key=lambda file: file.path)
    working_folder = str(Path.cwd())
    outermost = [
        *searched,
        *(
            working_folder
            if is_inside(file.absolute, working_folder)
            else str(Path(file.absolute).parent)
            for file in named
        ),
    ]
    nginx = _nginx_roots(files, named, outermost, settings, store)
    haproxy = _haproxy_roots(files, named, store)
    asked = _asked(files, nginx)
    in_roots = [
        *(file for root in nginx for file in root.files),
        *(file for root in haproxy for file in root.files),
    ]
    around = frozenset(file.path for file in in_roots if file not in asked)
    listed = [file for file in store.files() if file in asked]
    return Project(listed, nginx, haproxy, around, tuple(left_out.items()))


def _folder_of(absolute: str) -> str:
    """The folder of a file; that of a `conf.d` with it, whose files are loaded together."""
    folder = Path(absolute).parent
    return str(folder.parent if folder.name.endswith(".d") else folder)


def _nginx_roots(
    files: Sequence[ConfigFile],
    named: Sequence[ConfigFile],
    outermost: Sequence[str],
    settings: Settings,
    store: FileStore,
) -> list[NginxRoot]:
    """The roots of the files; a main file that was not named is one if it leads to a named one."""
    found = [file for file in files if file.dialect == NGINX]
    fragments = [file for file in named if file.dialect == NGINX and not is_main_file(file)]
    if not fragments:
        return nginx_roots(found, outermost, settings, store)
    # Looking around is for those who name a fragment.
    from gwlint.project.surroundings import main_files

    mains = [file for file in main_files(fragments, outermost, store) if file not in found]
    asked = set(files)
    roots = nginx_roots([*found, *mains], outermost, settings, store)
    return [root for root in roots if not asked.isdisjoint(root.files)]


def _haproxy_roots(
    files: Sequence[ConfigFile], named: Sequence[ConfigFile], store: FileStore
) -> list[HaproxyRoot]:
    """The roots of the files; a set of files that was named in part is read whole."""
    found = [file for file in files if file.dialect == HAPROXY]
    if not found:
        return []
    # What only HAProxy needs is not loaded for nginx: a small file is checked in 0.15 s.
    from gwlint.project.haproxy_roots import haproxy_roots, is_part

    given = [file for file in dict.fromkeys(named) if file.dialect == HAPROXY]
    if not any(map(is_part, given)):
        return haproxy_roots(found, given)
    from gwlint.project.surroundings import neighbours

    others = [file for file in neighbours(given, store) if file not in found]
    asked = set(files)
    sets = [
        root
        for root in haproxy_roots([*found, *others], [])
        if not asked.isdisjoint(root.files)
        and not asked.issuperset(root.files)
        and _keeps_order(root.files, given)
    ]
    inside = {file for root in sets for file in root.files}
    rest = haproxy_roots(
        [file for file in found if file not in inside],
        [file for file in given if file not in inside],
    )
    return sorted([*sets, *rest], key=lambda root: root.files[0].path)


def _keeps_order(files: Sequence[ConfigFile], given: Sequence[ConfigFile]) -> bool:
    """Whether the given ones among some files stand in the order in which they were given."""
    inside = [file for file in given if file in files]
    return inside == [file for file in files if file in given]


def _asked(files: Sequence[ConfigFile], roots: Sequence[NginxRoot]) -> set[ConfigFile]:
    """The files, and all that they include."""
    included: dict[str, list[ConfigFile]] = {}
    for root in roots:
        for directive, include in root.includes.items():
            included.setdefault(directive.span.path, []).extend(include.files)
    asked = set(files)
    waiting = list(files)
    while waiting:
        for file in included.get(waiting.pop().path, ()):
            if file not in asked:
                asked.add(file)
                waiting.append(file)
    return asked
