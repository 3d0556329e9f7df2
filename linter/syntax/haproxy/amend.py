"""Edits on HAProxy lines in the author's own style: indentation, alignment, comments, line endings.

Nothing here decides what to change; rules do. A statement is a line, so edits add words to a line,
or whole lines to a section.
"""

from __future__ import annotations

from gwlint.edits import Edit
from gwlint.source import Source, Span, decode, encode
from gwlint.syntax.haproxy.columns import gap_before_addition, spaced_like
from gwlint.syntax.haproxy.tree import Line, Section, Word

DEFAULT_INDENTATION = "    "

_LINE_ENDS = (b"", b"\r", b"\n")


def replaced(word: Word, text: str) -> Edit:
    """One word gets another text, written as it is, quotes included.

    Where several blanks follow, what stands behind them keeps its column.
    """
    wider = len(encode(text)) - (word.end - word.start)
    blanks = _blanks_at(word.source, word.end)
    if blanks < 2 or word.source.data[word.end + blanks : word.end + blanks + 1] in _LINE_ENDS:
        return Edit(word.span, text)
    kept = max(1, blanks - wider)
    return Edit(Span(word.source, word.start, word.end + blanks), text + " " * kept)


def words_added(line: Line, *words: str) -> Edit:
    """Words at the end of the statement, in the columns of the lines around it.

    A comment behind it keeps its column where there is room.
    """
    source, end = line.source, line.span.end
    text = gap_before_addition(line) + " ".join(words)
    size = len(encode(text))
    if line.comment is not None and _blanks_at(source, end) > size:
        return Edit(Span(source, end, end + size), text)
    return Edit.insert(source, end, text)


def words_removed(first: Word, last: Word) -> Edit:
    """Consecutive words of one line go, with the blanks before them."""
    source, start = first.source, first.start
    while start and source.data[start - 1 : start] in (b" ", b"\t"):
        start -= 1
    return Edit.delete(Span(source, start, last.end))


def line_after(line: Line, *statements: str, indentation: str | None = None) -> Edit:
    """New lines behind a line, indented like it, or as given, and spaced like those around it."""
    statements = tuple(spaced_like(line, statement) for statement in statements)
    source = line.source
    if indentation is None:
        indentation = source.indentation(line.span.start)
    newline = decode(source.newline)
    end = line.full_span.end
    if source.data[end - 1 : end] != b"\n":
        text = "".join(newline + indentation + statement for statement in statements)
        return Edit.insert(source, end, text)
    text = "".join(indentation + statement + newline for statement in statements)
    return Edit.insert(source, end, text)


def line_before(line: Line, *statements: str) -> Edit:
    """New lines in front of a line, indented and spaced like it.

    In front of a section they are a section or a directive of their own, and stay as they are.
    """
    if line.section is None or line is not line.section.header:
        statements = tuple(spaced_like(line, statement) for statement in statements)
    source = line.source
    indentation = source.indentation(line.span.start)
    newline = decode(source.newline)
    text = "".join(indentation + statement + newline for statement in statements)
    return Edit.insert(source, line.full_span.start, text)


def line_removed(line: Line) -> Edit:
    """The whole physical line goes, with its comment."""
    return Edit.delete(line.full_span)


def added_to_section(section: Section, *statements: str, beside: Line | None = None) -> Edit:
    """New lines in a section: behind `beside`, else behind its last unconditional statement.

    The indentation is that of the lines of the section.
    """
    if beside is not None:
        return line_after(beside, *statements)
    unconditional = [line for line in section.lines if line.branch is section.header.branch]
    own = [line for line in unconditional if line is not section.header]
    if own:
        return line_after(own[-1], *statements)
    return line_after(
        section.header, *statements, indentation=indentation_of(section.header.source)
    )


def _blanks_at(source: Source, offset: int) -> int:
    """How many blanks, tabs not among them, stand there."""
    end = offset
    while source.data[end : end + 1] == b" ":
        end += 1
    return end - offset


def indentation_of(source: Source) -> str:
    """How lines inside of sections are indented in this file, by its first indented line."""
    for line in source.data.split(b"\n", 200)[:200]:
        text = line.strip(b" \t\r")
        if text and line[:1] in (b" ", b"\t"):
            return decode(line[: len(line) - len(line.lstrip(b" \t"))])
    return DEFAULT_INDENTATION
