"""Counting: what every format says in the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gwlint.edits import Safety
from gwlint.project.files import Status
from gwlint.rule import Severity

if TYPE_CHECKING:
    from gwlint.engine import Report


@dataclass(frozen=True, slots=True)
class Summary:
    """Numbers of one run. `files` counts all that were met, skipped and unreadable ones too."""

    files: int
    skipped: int
    unreadable: int
    severities: dict[Severity, int]
    fixable: int
    """Findings with a fix, safe or not, among those that are listed."""
    fixable_safely: int
    suppressed: int
    baselined: int

    @classmethod
    def of(cls, report: Report, listed_from: Severity = Severity.INFO) -> Summary:
        """`listed_from` is the lowest severity that the format lists."""
        statuses = [file.status for file in report.project.files]
        severities = dict.fromkeys(sorted(Severity, reverse=True), 0)
        for finding in report.findings:
            severities[finding.severity] += 1
        fixes = [
            finding.fix
            for finding in report.findings
            if finding.fix and finding.severity >= listed_from
        ]
        return cls(
            files=len(statuses),
            skipped=statuses.count(Status.SKIPPED_TEMPLATE),
            unreadable=statuses.count(Status.UNREADABLE),
            severities=severities,
            fixable=len(fixes),
            fixable_safely=sum(fix.safety is Safety.SAFE for fix in fixes),
            suppressed=report.suppressed,
            baselined=report.baselined,
        )
