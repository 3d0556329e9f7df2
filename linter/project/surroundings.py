"""What belongs to a named file without being named: an editor and a commit hook name files alone.

A fragment of nginx means little without the main file that includes it, and one of several HAProxy
files little without the others. They are looked for where people keep them, and read; what is found
in them is not reported, since nobody asked for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gwlint.project.files import HAPROXY, NGINX, ConfigFile
from gwlint.project.folders import Entry
from gwlint.project.reading import Unreadable, is_inside
from gwlint.project.store import FileStore

MAIN_NAMES = 100
"""So many files of one folder are looked into at most, `nginx.conf` first."""

_MAIN_BLOCK = re.compile(rb"^[ \t]*(?:events|http|stream|mail)[ \t\r\n]*\{", re.MULTILINE)


def main_files(
    fragments: Sequence[ConfigFile], outermost: Sequence[str], store: FileStore
) -> list[ConfigFile]:
    """The nginx main files that may include some fragments: in their folders and the folders
    around them, up to one of `outermost`."""
    folders = dict.fromkeys(
        folder
        for file in fragments
        if file.dialect == NGINX and file.tree is not None
        for folder in _folders_of(file, outermost)
    )
    return [
        file
        for folder in folders
        for entry in _by_likelihood(store.folders.entries(folder))
        if _has_main_block(entry.path, store)
        and (file := store.load(entry.path)).dialect == NGINX
        and file.tree is not None
    ]


def neighbours(named: Sequence[ConfigFile], store: FileStore) -> list[ConfigFile]:
    """The HAProxy files in the folders of the named ones, and around a folder such as `conf.d`."""
    folders = dict.fromkeys(Path(file.absolute).parent for file in named)
    places = [*folders, *(folder.parent for folder in folders if folder.name.endswith(".d"))]
    found: list[ConfigFile] = []
    for place in dict.fromkeys(places):
        for entry in store.folders.entries(str(place)):
            if entry.is_file and entry.name.endswith(".cfg") and store.exists(entry.path):
                file = store.load(entry.path)
                if file.dialect == HAPROXY and file not in named:
                    found.append(file)
    return found


def _folders_of(file: ConfigFile, outermost: Iterable[str]) -> Iterator[str]:
    folder = Path(file.absolute).parent
    yield str(folder)
    for outer in folder.parents:
        if not any(is_inside(str(outer), one) for one in outermost):
            return
        yield str(outer)


def _by_likelihood(entries: Sequence[Entry]) -> list[Entry]:
    found = [one for one in entries if one.is_file and one.name.endswith(".conf")]
    return sorted(found, key=lambda one: one.name != "nginx.conf")[:MAIN_NAMES]


def _has_main_block(absolute: str, store: FileStore) -> bool:
    try:
        return _MAIN_BLOCK.search(store.read(absolute)) is not None
    except Unreadable:
        return False
