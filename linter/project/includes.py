"""Following the includes of one nginx root."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gwlint.project.files import NGINX, ConfigFile, Include, Status
from gwlint.project.reading import is_inside
from gwlint.project.store import FileStore
from gwlint.settings import Settings
from gwlint.syntax.nginx.tree import Directive, NginxFile

MAX_EXPANDED_FILES = 50_000
"""How many files one root may expand to, each counted as often as it is included. Files that
include the next one twice double that number at each step."""

_CONVENTIONAL_FOLDER = "/etc/nginx"
_GLOB_CHARACTERS = frozenset("*?[")


def include_directives(file: ConfigFile) -> list[Directive]:
    """The includes of a file in order, those in data blocks such as `map` too."""
    if not isinstance(file.tree, NginxFile):
        return []
    return [
        directive
        for directive in file.tree.walk()
        if directive.name == "include" and directive.block is None and len(directive.words) == 2
    ]


class Found(NamedTuple):
    """Where the pattern of an include leads: absolute paths in nginx's order."""

    paths: tuple[str, ...]
    problem: str | None = None
    assumed: bool = False


class Locator:
    """Turns the patterns of one root into paths.

    nginx takes a relative pattern from the folder of the main file, wherever the include stands.
    A fragment does not say where its main file is: the folders from its own upwards to the
    outermost folder of the project are tried, and what is found is an assumption.
    """

    def __init__(
        self,
        root: ConfigFile,
        is_main: bool,
        project_folders: Sequence[str],
        settings: Settings,
        store: FileStore,
    ) -> None:
        self._settings = settings
        self._store = store
        folder = Path(root.absolute).parent
        self._folders = [str(folder)]
        if not is_main:
            self._folders += [
                str(outer)
                for outer in folder.parents
                if any(is_inside(str(outer), one) for one in project_folders)
            ]
        self._is_main = is_main
        self._inside = [str(folder), *project_folders]
        self._is_conventional = not is_main or Path(root.absolute).name == "nginx.conf"

    def locate(self, pattern: str) -> Found:
        """The files that a pattern means, or the problem that keeps them from being found."""
        if not pattern.startswith("/"):
            return self._in_folders(pattern, assumed=not self._is_main)
        mapped = self._settings.mapped(pattern)
        if mapped is not None:
            return self._at(mapped)
        if any(is_inside(os.path.normpath(pattern), folder) for folder in self._inside):
            return self._at(pattern)
        if self._is_conventional and is_inside(pattern, _CONVENTIONAL_FOLDER):
            found = self._in_folders(pattern[len(_CONVENTIONAL_FOLDER) + 1 :], assumed=True)
            if found.paths:
                return found
        return Found((), "outside")

    def _in_folders(self, pattern: str, *, assumed: bool) -> Found:
        found = Found(())
        for folder in self._folders:
            found = self._at(f"{folder}/{pattern}")
            if found.paths:
                return Found(found.paths, None, assumed)
        return found if self._is_main else Found((), "outside")

    def _at(self, path: str) -> Found:
        """The files at an absolute path, or of a glob, sorted by byte (glob(3) in the C locale).

        A glob that matches nothing is no problem for nginx either. Out of the project nothing is
        looked for, not even whether it is there.
        """
        is_within = self._store.boundary.names
        if _GLOB_CHARACTERS.isdisjoint(path):
            normal = os.path.normpath(path)
            if not is_within(normal):
                return Found((), "outside")
            exists = self._store.exists(normal) or self._store.folders.is_folder(normal)
            return Found((normal,)) if exists else Found((), "not-found")
        plain = path[: min(path.index(one) for one in _GLOB_CHARACTERS if one in path)]
        if not is_within(os.path.normpath(plain.rpartition("/")[0] or "/")):
            return Found((), "outside")
        found = map(os.path.normpath, sorted(self._store.folders.glob(path), key=os.fsencode))
        return Found(tuple(filter(is_within, found)))


@dataclass
class Expansion:
    """What following the includes of a root gave.

    `files` has the root and all included files, each once, in the order of first reading.
    """

    includes: dict[Directive, Include] = field(default_factory=dict)
    files: dict[ConfigFile, None] = field(default_factory=dict)


def follow(root: ConfigFile, locator: Locator, store: FileStore) -> Expansion:
    """Reads everything that a root includes, depth first, as nginx does.

    An include that leads back to a file which is being read is left out and reported, so that
    expanding `Include.files` again and again comes to an end.
    """
    reading = _Reading(locator, store)
    reading.run(root)
    return reading.result


class _Reading:
    """One walk over the includes, on a stack of its own: nesting may be deeper than Python's."""

    def __init__(self, locator: Locator, store: FileStore) -> None:
        self.result = Expansion()
        self._locator = locator
        self._store = store
        self._open: set[ConfigFile] = set()
        self._sizes: dict[ConfigFile, int] = {}

    def run(self, root: ConfigFile) -> None:
        stack = [self._enter(root)]
        while stack:
            file = next(stack[-1], None)
            if file is None:
                stack.pop()
            elif file not in self._sizes:
                stack.append(self._enter(file))

    def _enter(self, file: ConfigFile) -> Iterator[ConfigFile]:
        """Yields the files that `file` includes; each is read to its end before the next step."""
        self.result.files.setdefault(file)
        self._open.add(file)
        size = 1
        for directive in include_directives(file):
            include = self._include(directive)
            self.result.includes[directive] = include
            yield from include.files
            added = sum(self._sizes[one] for one in include.files)
            if size + added > MAX_EXPANDED_FILES:
                cut = Include(directive, include.pattern, (), "too-many", include.assumed)
                self.result.includes[directive] = cut
                added = 0
            size += added
        self._open.discard(file)
        self._sizes[file] = size

    def _include(self, directive: Directive) -> Include:
        pattern = directive.words[1].value
        found = self._locator.locate(pattern)
        files = [self._store.load(path, included_by=NGINX) for path in found.paths]
        kept = tuple(file for file in files if file not in self._open)
        problem = found.problem
        if len(kept) < len(files):
            problem = "cycle"
        elif any(file.status is Status.UNREADABLE for file in kept):
            problem = "unreadable"
        if directive.is_entry:
            _read_as_entries(kept)
        return Include(directive, pattern, kept, problem, found.assumed)


def _read_as_entries(files: Sequence[ConfigFile]) -> None:
    """A file included into `map`, `geo` or `types` holds entries of it, not directives.

    Only the include says so, and the file was parsed without knowing.
    """
    for file in files:
        if isinstance(file.tree, NginxFile):
            for directive in file.tree.directives:
                directive.is_entry = True
