"""A Code Quality report for merge requests of GitLab (GitLab documentation, "Code Quality")."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gwlint.report.places import Checkout
from gwlint.report.printable import printable
from gwlint.report.wording import heading, message_and_advice
from gwlint.rule import Finding, Severity, fingerprints

if TYPE_CHECKING:
    from gwlint.engine import Report

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(report: Report) -> str:
    """One JSON array with all findings, info findings included."""
    checkout = Checkout()
    marks = fingerprints(finding.identity for finding in report.findings)
    issues = [
        _issue(finding, mark, checkout)
        for finding, mark in zip(report.findings, marks, strict=True)
    ]
    return json.dumps(issues, indent=1) + "\n"


def _issue(finding: Finding, mark: str, checkout: Checkout) -> dict[str, Any]:
    return {
        # GitLab does not show check_name, so the description begins with it.
        "description": f"{heading(finding)}: {message_and_advice(finding)}",
        "check_name": finding.code,
        "fingerprint": mark,
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": printable(checkout.path_of(finding.path)),
            "lines": {"begin": finding.span.begin_position.line},
        },
    }
