"""Every file once: read, its dialect told, templates recognised, parsed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gwlint.project.boundary import Boundary
from gwlint.project.dialect import dialect_of
from gwlint.project.files import HAPROXY, NGINX, ConfigFile, Status
from gwlint.project.folders import Folders
from gwlint.project.reading import Reader, Unreadable, shown_path
from gwlint.project.templates import first_mark
from gwlint.source import Source, Span

if TYPE_CHECKING:
    from gwlint.syntax.haproxy.tree import HaproxyFile
    from gwlint.syntax.nginx.tree import NginxFile

_SAMPLE_BYTES = 8192
_CONTROL_CHARACTERS = bytes([*range(9), *range(14, 32), 127])
_CONTROL_SHARE = 100
"""More than one among so many bytes is binary data: compiled programs, images, UTF-16."""


class FileStore:
    """Loads files on demand. A file that is reached by several names is one file."""

    def __init__(
        self, reader: Reader, folders: Folders, boundary: Boundary, dialect: str | None
    ) -> None:
        self.folders = folders
        self.boundary = boundary
        self._reader = reader
        self._dialect = dialect
        self._files: dict[str, ConfigFile] = {}

    def files(self) -> list[ConfigFile]:
        """All that was loaded, by path."""
        return sorted(self._files.values(), key=lambda file: os.fsencode(file.path))

    def exists(self, absolute: str) -> bool:
        return self._reader.is_file(absolute)

    def read(self, absolute: str) -> bytes:
        """The bytes of a file that is only looked into. Raises Unreadable."""
        if self.boundary.leads_out(absolute) is not None:
            raise Unreadable("it lies outside of the project")
        return self._reader.read(absolute)

    def load(
        self, absolute: str, *, named: bool = False, included_by: str | None = None
    ) -> ConfigFile:
        """The file of a path. `included_by` is the dialect of the file that includes it."""
        key = self.folders.real_path(absolute)
        found = self._files.get(key)
        if found is None:
            found = self._read(absolute, key, named, included_by)
            self._files[key] = found
        return found

    def _read(self, absolute: str, real: str, named: bool, included_by: str | None) -> ConfigFile:
        path = shown_path(absolute)
        name = Path(absolute).name
        forced = included_by or self._dialect

        def unreadable(dialect: str, reason: str) -> ConfigFile:
            return ConfigFile(path, absolute, dialect, Status.UNREADABLE, reason, None, None, named)

        if not named and not self.boundary.holds(real):
            reason = f"it leads out of the project, to {real}"
            return unreadable(forced or dialect_of(b"", name), reason)
        try:
            data = self._reader.read(absolute)
        except Unreadable as error:
            return unreadable(forced or dialect_of(b"", name), str(error))
        dialect = forced or dialect_of(data, name)
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return unreadable(dialect, "UTF-16 text, which neither server reads")
        if _is_binary(data):
            nul = data.find(b"\0")
            return unreadable(dialect, f"binary data: NUL bytes, the first at offset {nul}")
        source = Source(path, data)
        status, reason, tree, marker = _judge(source, dialect)
        return ConfigFile(path, absolute, dialect, status, reason, source, tree, named, marker)


def _is_binary(data: bytes) -> bool:
    """Whether there are NUL bytes, and so many control characters that this is no text.

    A few are a fault in a text, which the rules name.
    """
    beginning = data[:_SAMPLE_BYTES]
    controls = len(beginning) - len(beginning.translate(None, _CONTROL_CHARACTERS))
    return b"\0" in beginning and controls * _CONTROL_SHARE > len(beginning)


def _judge(
    source: Source, dialect: str
) -> tuple[Status, str, NginxFile | HaproxyFile | None, Span | None]:
    """Status, reason, tree and template mark of a file that could be read."""
    mark = first_mark(source.data, dialect)
    if mark is not None:
        start, end, engine = mark
        line = source.line_of(start)
        reason = f"a template ({engine} mark in line {line})"
        return Status.SKIPPED_TEMPLATE, reason, None, Span(source, start, end)
    tree = _parse(source, dialect)
    if not tree.errors:
        return Status.OK, "", tree, None
    first = tree.errors[0]
    reason = f"line {source.line_of(first.span.start)}: {first.message}"
    return Status.SYNTAX_ERROR, reason, tree, None


def _parse(source: Source, dialect: str) -> NginxFile | HaproxyFile:
    # Each parser is imported when the first file needs it: most projects have one dialect.
    if dialect == HAPROXY:
        from gwlint.syntax.haproxy.parser import parse as parse_haproxy

        return parse_haproxy(source)
    assert dialect == NGINX
    from gwlint.syntax.nginx.parser import parse as parse_nginx

    return parse_nginx(source)
