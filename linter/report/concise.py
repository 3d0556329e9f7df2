"""One line a finding, in the shape that compilers print and editors understand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gwlint.report.printable import printable
from gwlint.report.wording import clipped
from gwlint.rule import Finding

if TYPE_CHECKING:
    from gwlint.engine import Report
    from gwlint.report.text import View


def render(report: Report, view: View) -> str:
    """`path:line:column: severity: message [CODE]`, for what text would list as well."""
    return "".join(
        f"{_line(finding)}\n" for finding in report.findings if finding.severity >= view.listed_from
    )


def _line(finding: Finding) -> str:
    position = finding.span.begin_position
    place = f"{printable(finding.path)}:{position.line}:{position.column}"
    return f"{place}: {finding.severity.label}: {clipped(finding.message)} [{finding.code}]"
