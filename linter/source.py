"""Bytes and places: one file as it is on disk, and spans inside it.

Both servers read bytes, so gwlint does too. A file is never decoded as a whole for parsing:
offsets are byte offsets, and text appears only where a person reads it. Bytes that are not
UTF-8 become lone surrogates (PEP 383), which turn back into the same bytes on the way out.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple, Protocol

UTF8_BOM = b"\xef\xbb\xbf"

_LONG_LINE = 1024


def decode(data: bytes) -> str:
    """Text of `data`, without loss: `encode(decode(data)) == data` for any bytes."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that `decode` made `text` from."""
    return text.encode("utf-8", "surrogateescape")


class Position(NamedTuple):
    """A place as editors count it: line and column from 1, the column in characters."""

    line: int
    column: int


class Source:
    """One file: the path under which users know it, and its bytes.

    `path` is relative to the working directory, with forward slashes, or absolute when the file
    lies outside of it.
    """

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self._landmarks_by_line: dict[int, tuple[list[int], list[int]]] = {}

    def __repr__(self) -> str:
        return f"Source({self.path!r}, {len(self.data)} bytes)"

    @cached_property
    def line_starts(self) -> list[int]:
        """Byte offset of the first byte of each line. Only LF ends a line, as in both servers."""
        starts = [0]
        find = self.data.find
        offset = find(b"\n")
        while offset != -1:
            starts.append(offset + 1)
            offset = find(b"\n", offset + 1)
        return starts

    @cached_property
    def newline(self) -> bytes:
        """The line ending that an inserted line should have: that of the first line, else LF."""
        first = self.data.find(b"\n")
        return b"\r\n" if first > 0 and self.data[first - 1 : first] == b"\r" else b"\n"

    def line_of(self, offset: int) -> int:
        """Line of a byte offset, counted from 1."""
        return bisect_right(self.line_starts, offset)

    def line_span(self, line: int) -> Span:
        """The span of a line (from 1) without its line ending."""
        start = self.line_starts[line - 1]
        end = self.line_starts[line] - 1 if line < len(self.line_starts) else len(self.data)
        if end > start and self.data[end - 1 : end] == b"\r":
            end -= 1
        return Span(self, start, end)

    def position(self, offset: int) -> Position:
        """Line and column of a byte offset. A byte order mark takes no column."""
        line = self.line_of(offset)
        start = self.line_starts[line - 1]
        column = 1
        if offset - start > _LONG_LINE:
            starts, characters = self._landmarks(line)
            nearest = bisect_right(starts, offset) - 1
            start, column = starts[nearest], characters[nearest] + 1
        before = self.data[start:offset]
        if start == 0 and before.startswith(UTF8_BOM):
            before = before[len(UTF8_BOM) :]
        return Position(line, len(decode(before)) + column)

    def _landmarks(self, line: int) -> tuple[list[int], list[int]]:
        """Byte offsets within a long line, and how many characters stand before each.

        Without them, finding a thousand places in a line of a megabyte would read it a thousand
        times.
        """
        if line not in self._landmarks_by_line:
            span = self.line_span(line)
            has_mark = span.start == 0 and span.raw.startswith(UTF8_BOM)
            text = span.text
            offsets, characters = [span.start], [0]
            for index in range(0, len(text), _LONG_LINE):
                chunk = text[index : index + _LONG_LINE]
                offsets.append(offsets[-1] + len(encode(chunk)))
                characters.append(index + len(chunk) - has_mark)
            self._landmarks_by_line[line] = (offsets, characters)
        return self._landmarks_by_line[line]

    def indentation(self, offset: int) -> str:
        """The blanks at the beginning of the line that holds `offset`."""
        start = self.line_starts[self.line_of(offset) - 1]
        line = self.data[start:offset]
        return decode(line[: len(line) - len(line.lstrip(b" \t"))])


class Span(NamedTuple):
    """Bytes `start` up to, but not including, `end` of one source."""

    source: Source
    start: int
    end: int

    @property
    def raw(self) -> bytes:
        return self.source.data[self.start : self.end]

    @property
    def text(self) -> str:
        return decode(self.raw)

    @property
    def path(self) -> str:
        return self.source.path

    @property
    def begin_position(self) -> Position:
        return self.source.position(self.start)

    @property
    def end_position(self) -> Position:
        return self.source.position(self.end)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Span):
            return NotImplemented
        return (self.path, self.start, self.end) == (other.path, other.start, other.end)

    def __hash__(self) -> int:
        return hash((self.path, self.start, self.end))


class Statement(Protocol):
    """What a finding is about: an nginx directive or a HAProxy line, whichever the dialect."""

    @property
    def span(self) -> Span:
        """The statement itself, short: without its block, terminator and comments."""

    @property
    def normalised(self) -> str:
        """Its words joined by single blanks: what identifies it when lines move."""

    @property
    def enclosing(self) -> tuple[str, ...]:
        """The normalised headers of the blocks or section around it, outermost first."""


class Place:
    """A `Statement` for what is no statement: a syntax error, a whole file."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def span(self) -> Span:
        return self._span

    @property
    def normalised(self) -> str:
        return " ".join(self._span.text.split())

    @property
    def enclosing(self) -> tuple[str, ...]:
        return ()
