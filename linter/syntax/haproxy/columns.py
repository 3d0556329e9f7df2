"""How an author lines words up in columns: with one blank, several, or tabs.

New words and lines are written the way the lines around them are. Columns count bytes from the
first word of a statement, so indentation does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from gwlint.source import decode
from gwlint.syntax.haproxy.tree import Line, Section

_KEPT_SECTIONS = 64


def spaced_like(line: Line, statement: str) -> str:
    """The statement, with single blanks between its words, spaced like others of the section.

    Lines of the same keyword come first, as in `option          httplog`; else those of all
    keywords. `timeout` has its values in a column as well. What opens a section, is empty,
    indented or for the preprocessor stays as it is.
    """
    keyword, blank, rest = statement.partition(" ")
    section = line.section
    if not blank or not keyword or keyword.startswith(".") or section is None:
        return statement
    if line is section.header and len(section.lines) <= 1:
        return statement
    gap = _gap_after(section, keyword)
    if keyword == "timeout" and rest.count(" ") == 1:
        name, value = rest.split(" ")
        rest = name + _gap_of_value(section, gap, name) + value
    return keyword + gap + rest


def gap_before_addition(line: Line) -> str:
    """What belongs between the last word of a line and one that is added.

    A blank, or as many as bring the new word into the column in which lines of the same keyword
    have theirs, or would have it. A tab where the words of the line stand between tabs.
    """
    last_gaps = _gaps(line)[1:]
    if last_gaps and all(gap.startswith("\t") for gap in last_gaps):
        return "\t"
    section = line.section
    if section is None:
        return " "
    column = _column_of_addition(section, line.keyword, len(line.words))
    return " " * max(1, column - _width(line))


@lru_cache(_KEPT_SECTIONS)
def _gap_after(section: Section, keyword: str) -> str:
    """The blanks behind a keyword: as behind most of its kind, else as behind most keywords."""
    lines = [line for line in _plain_lines(section) if len(line.words) > 1]
    same = Counter(_gaps(line)[0] for line in lines if line.keyword == keyword)
    if same:
        return same.most_common(1)[0][0]
    most = len(lines) / 2
    if sum(_gaps(line)[0].startswith("\t") for line in lines) > most:
        return "\t"
    column, times = (
        Counter(_columns(line)[1] for line in lines).most_common(1)[0] if lines else (0, 0)
    )
    several = len({line.keyword for line in lines}) > 1
    is_column = times > most and several and _is_shown(lines, 1)
    return " " * max(1, column - len(keyword)) if is_column else " "


def _gap_of_value(section: Section, gap: str, name: str) -> str:
    """The blanks between the name of a timeout and its value."""
    lines = [line for line in _plain_lines(section) if len(line.words) > 2]
    timeouts = [line for line in lines if line.keyword == "timeout"]
    if not timeouts:
        return "\t" if gap.startswith("\t") else " "
    if all(_gaps(line)[1].startswith("\t") for line in timeouts):
        return "\t"
    column, times = Counter(_columns(line)[2] for line in timeouts).most_common(1)[0]
    if 2 * times <= len(timeouts) or not _is_shown(timeouts, 2):
        return " "
    return " " * max(1, column - len("timeout") - len(gap) - len(name))


@lru_cache(_KEPT_SECTIONS)
def _column_of_addition(section: Section, keyword: str, count: int) -> int:
    """Where word number `count` (from 0) of the lines of a keyword stands or would; 0 anywhere."""
    lines = [line for line in section.lines if line.keyword == keyword and not _has_tabs(line)]
    if len(lines) < 2 or any(line.modifier is not None for line in lines):
        return 0
    known = min(count, *(len(line.words) for line in lines))
    if any(len({_columns(line)[n] for line in lines}) > 1 for n in range(known)):
        return 0
    longer = [line for line in lines if len(line.words) > count]
    columns = {_columns(line)[count] for line in longer}
    if len(columns) > 1 or not (
        any(_is_shown(lines, n) for n in range(1, known)) or _is_shown(longer, count)
    ):
        return 0
    return columns.pop() if columns else max(_width(line) for line in lines) + 1


def _is_shown(lines: Sequence[Line], number: int) -> bool:
    """Whether it is on purpose that a word begins in one column: some line is padded for it."""
    return len(lines) > 1 and any(len(_gaps(line)[number - 1]) > 1 for line in lines)


def _plain_lines(section: Section) -> list[Line]:
    return [line for line in section.lines if line is not section.header and line.modifier is None]


def _gaps(line: Line) -> list[str]:
    """The blanks between the words of a line."""
    data = line.source.data
    return [
        decode(data[one.end : other.start])
        for one, other in zip(line.words, line.words[1:], strict=False)
    ]


def _columns(line: Line) -> list[int]:
    return [word.start - line.words[0].start for word in line.words]


def _width(line: Line) -> int:
    return line.words[-1].end - line.words[0].start


def _has_tabs(line: Line) -> bool:
    return b"\t" in line.source.data[line.words[0].start : line.words[-1].end]
