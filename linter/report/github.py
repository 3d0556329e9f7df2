"""Annotations of GitHub Actions, and the step summary with all that annotations cannot hold.

An annotation is a workflow command, a line such as `::error file=a.conf,line=3::message`, in the
log of a step (GitHub documentation, "Workflow commands for GitHub Actions"). GitHub shows ten
errors, ten warnings and ten notices of a step; the summary lists more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gwlint.project.files import ConfigFile, Status
from gwlint.report.places import Checkout, without_newline
from gwlint.report.printable import printable
from gwlint.report.summary import Summary
from gwlint.report.text import summary_line
from gwlint.report.wording import clipped, heading
from gwlint.rule import Finding, Severity

if TYPE_CHECKING:
    from gwlint.engine import Report
    from gwlint.report.text import View

SUMMARY_ROWS = 500
"""Findings in the step summary. GitHub refuses one of more than 1 MiB; a row is below 2 KiB."""

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~&$@:])")


def render(report: Report, view: View) -> str:
    """One workflow command a finding that text would list, and one a file that is unreadable."""
    checkout = Checkout()
    commands = [
        _annotation(finding, checkout)
        for finding in report.findings
        if finding.severity >= view.listed_from
    ]
    commands += [_unreadable(file, checkout) for file in _unread(report)]
    return "".join(f"{command}\n" for command in commands)


def step_summary(report: Report, view: View) -> str:
    """Markdown: the counts, and a table of what text would list, the most severe first."""
    checkout = Checkout()
    counts = summary_line(Summary.of(report, view.listed_from), view)
    lines = ["### gwlint", "", _plain(counts), ""]
    rows = [_row(finding, checkout) for finding in _most_severe_first(report, view)]
    rows += [
        f"| error | {_plain(printable(checkout.path_of(file.path)))} | |"
        f" cannot be read: {_plain(clipped(file.reason))} |"
        for file in _unread(report)
    ]
    if rows:
        lines += ["| severity | place | rule | message |", "|---|---|---|---|"]
        lines += rows[:SUMMARY_ROWS]
    if len(rows) > SUMMARY_ROWS:
        lines += ["", f"{len(rows) - SUMMARY_ROWS} more are left out here."]
    return "\n".join(lines) + "\n"


def _annotation(finding: Finding, checkout: Checkout) -> str:
    span = without_newline(finding.span)
    begin, end = span.begin_position, span.end_position
    properties = {
        "file": printable(checkout.path_of(finding.path)),
        "line": str(begin.line),
        "endLine": str(end.line),
    }
    if begin.line == end.line:  # GitHub takes columns only within one line
        properties |= {"col": str(begin.column), "endColumn": str(end.column)}
    properties["title"] = heading(finding)
    message = f"{clipped(finding.message)}\nAdvice: {clipped(finding.advice)}"
    return _command(_COMMANDS[finding.severity], properties, message)


def _unreadable(file: ConfigFile, checkout: Checkout) -> str:
    properties = {"file": printable(checkout.path_of(file.path)), "title": "gwlint"}
    return _command("error", properties, f"cannot be read: {clipped(file.reason)}")


def _command(name: str, properties: dict[str, str], message: str) -> str:
    joined = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {joined}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _most_severe_first(report: Report, view: View) -> list[Finding]:
    listed = [one for one in report.findings if one.severity >= view.listed_from]
    return sorted(listed, key=lambda one: -one.severity)


def _row(finding: Finding, checkout: Checkout) -> str:
    begin = finding.span.begin_position
    place = f"{printable(checkout.path_of(finding.path))}:{begin.line}:{begin.column}"
    cells = (finding.severity.label, place, heading(finding), clipped(finding.message))
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: no link, tag, mention, formula or end of a cell."""
    return _MARKDOWN.sub(r"\\\1", text)


def _unread(report: Report) -> list[ConfigFile]:
    return [file for file in report.project.files if file.status is Status.UNREADABLE]
