"""The source lines of a span with the span underlined, clipped to what a screen can show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gwlint.report.masking import shown_data
from gwlint.report.printable import columns, with_blanks
from gwlint.source import Source, Span, decode

LINES = 3
"""Of a longer span only the first lines are shown."""
BEFORE = 60
"""Bytes shown before the span when its line is too long to be shown whole."""
WIDTH = 160
"""Bytes of one line that are shown at most."""
CUT = "..."


class MarkedLine(NamedTuple):
    """One line: its number, its printable text, and how many columns to skip and to mark."""

    number: int
    text: str
    skip: int
    mark: int


def marked_lines(span: Span) -> list[MarkedLine]:
    """The lines of a span, at most `LINES`."""
    return list(_marked_lines(span))


def _marked_lines(span: Span) -> Iterator[MarkedLine]:
    source = span.source
    first, last = source.line_of(span.start), source.line_of(max(span.start, span.end - 1))
    for number in range(first, min(last, first + LINES - 1) + 1):
        line = source.line_span(number)
        start = min(max(span.start, line.start), line.end)
        end = max(start, min(span.end, line.end))
        if number > first:
            start = min(end, start + _leading_blanks(line))
        yield _marked_line(number, line, start, end)


def _leading_blanks(line: Span) -> int:
    beginning = line.source.data[line.start : min(line.end, line.start + WIDTH)]
    return len(beginning) - len(beginning.lstrip(b" \t"))


def _marked_line(number: int, line: Span, start: int, end: int) -> MarkedLine:
    window_start, window_end = line.start, line.end
    if line.end - line.start > WIDTH:
        window_start = _character_start(line.source, max(line.start, start - BEFORE))
        window_end = _character_start(line.source, min(line.end, window_start + WIDTH))
        end = max(start, min(end, window_end))
    show = shown_data(line.source)
    before = (CUT if window_start > line.start else "") + _text(show[window_start:start])
    marked = _text(show[start:end])
    after = _text(show[end:window_end]) + (CUT if window_end < line.end else "")
    return MarkedLine(number, before + marked + after, columns(before), max(1, columns(marked)))


def _text(data: bytes) -> str:
    return with_blanks(decode(data))


def _character_start(source: Source, offset: int) -> int:
    """The beginning of the UTF-8 character that holds a byte: at most three bytes back."""
    start = offset
    while start > max(0, offset - 3) and b"\x80" <= source.data[start : start + 1] <= b"\xbf":
        start -= 1
    return start
