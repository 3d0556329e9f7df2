"""The report for people: each finding with its source line, related places, advice and fix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from gwlint.edits import Safety
from gwlint.project.files import Status
from gwlint.report.printable import printable
from gwlint.report.snippet import MarkedLine, marked_lines
from gwlint.report.style import Style
from gwlint.report.summary import Summary
from gwlint.report.wording import clipped
from gwlint.rule import Finding, Severity
from gwlint.source import Span

if TYPE_CHECKING:
    from gwlint.engine import Report


class View(NamedTuple):
    """How much to show: `brief` leaves one line a finding, `with_info` lists info findings too."""

    style: Style
    brief: bool = False
    with_info: bool = False

    @property
    def listed_from(self) -> Severity:
        """The lowest severity that is listed; what is below is only counted."""
        return Severity.INFO if self.with_info else Severity.WARNING


def render(report: Report, view: View) -> str:
    """The whole report with a final newline; empty when brief and nothing was found."""
    return "".join(f"{line}\n" for line in _lines(report, view))


def _lines(report: Report, view: View) -> Iterator[str]:
    for finding in report.findings:
        if finding.severity >= view.listed_from:
            yield _headline(finding, view.style)
            if not view.brief:
                yield from _details(finding, view.style)
                yield ""
    if not view.brief:
        for file in report.project.files:
            if file.status in (Status.SKIPPED_TEMPLATE, Status.UNREADABLE):
                yield f"{printable(file.path)}: {file.status}: {clipped(file.reason)}"
        yield summary_line(Summary.of(report, view.listed_from), view)


def _headline(finding: Finding, style: Style) -> str:
    label = finding.severity.label
    place = style.paint("place", _place(finding.span))
    code = style.paint("code", f"{finding.code} {finding.rule.name}")
    return f"{place}: {style.paint(label, label)} {code}: {clipped(finding.message)}"


def _details(finding: Finding, style: Style) -> Iterator[str]:
    lines = marked_lines(finding.span)
    related = [(label, marked_lines(label.span)) for label in finding.related]
    numbers = [line.number for group in (lines, *(more for _, more in related)) for line in group]
    width = len(str(max(numbers)))
    yield from _source(lines, width, "^", finding.severity.label, style)
    for label, more in related:
        yield f"  {_place(label.span)}: {clipped(label.message)}"
        yield from _source(more, width, "-", "related", style)
    yield f"  {style.paint('advice', 'advice:')} {clipped(finding.advice)}"
    yield f"  {style.paint('advice', 'fix:')} {_fix_line(finding)}"


def _source(
    lines: list[MarkedLine], width: int, mark: str, part: str, style: Style
) -> Iterator[str]:
    for line in lines:
        number = style.paint("gutter", f"{line.number:{width}} |")
        blank = style.paint("gutter", f"{'':{width}} |")
        yield f"  {number} {line.text}".rstrip()
        yield f"  {blank} {' ' * line.skip}{style.paint(part, mark * line.mark)}"


def _fix_line(finding: Finding) -> str:
    if finding.fix is None:
        return "none, this is for you to decide"
    command = "gwlint fix" if finding.fix.safety is Safety.SAFE else "gwlint fix --unsafe"
    return f"{clipped(finding.fix.title)} ({finding.fix.safety.value}: {command})"


def summary_line(summary: Summary, view: View) -> str:
    """How many files and findings there were, and what can be fixed."""
    counts = summary.severities
    parts = [_plural(count, level.label) for level, count in counts.items() if count]
    if counts[Severity.INFO]:
        parts[-1] = f"{counts[Severity.INFO]} info"
        if not view.with_info:
            parts[-1] += " (listed with --profile strict)"
    files = _plural(summary.files, "file")
    notes = [
        f"{count} {word}"
        for count, word in ((summary.skipped, "skipped"), (summary.unreadable, "unreadable"))
        if count
    ]
    if notes:
        files += f" ({', '.join(notes)})"
    line = f"{files}: {', '.join(parts) or 'no findings'}"
    return line + _unlisted(summary) + _fixable(summary)


def _unlisted(summary: Summary) -> str:
    counts = ((summary.suppressed, "suppressed"), (summary.baselined, "known before"))
    return "".join(f"; {count} {word}" for count, word in counts if count)


def _fixable(summary: Summary) -> str:
    safe, unsafe = summary.fixable_safely, summary.fixable - summary.fixable_safely
    if not safe:
        return f"; {unsafe} can be fixed with gwlint fix --unsafe" if unsafe else ""
    more = f", {unsafe} more with --unsafe" if unsafe else ""
    return f"; {safe} can be fixed with gwlint fix{more}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _place(span: Span) -> str:
    position = span.begin_position
    return f"{printable(span.path)}:{position.line}:{position.column}"
