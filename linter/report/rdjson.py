"""The Reviewdog Diagnostic Format, with safe fixes as suggestions.

Its schema is reviewdog.proto: columns count bytes from 1, the end is exclusive. A suggestion is
applied alone, so it must be a whole fix; and it may only change the file of the finding.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gwlint.edits import Change, Fix, Safety, apply, changes_for
from gwlint.report.places import Checkout, without_newline
from gwlint.report.printable import printable
from gwlint.report.wording import message_and_advice
from gwlint.rule import Finding
from gwlint.source import Source, Span

if TYPE_CHECKING:
    from gwlint.engine import Report

LONGEST_SUGGESTION = 4096
"""Bytes; edits that stand further apart are not joined into one suggestion."""


def render(report: Report) -> str:
    """One JSON object with all findings, info findings included."""
    checkout = Checkout()
    document = {
        "source": {"name": "gwlint"},
        "diagnostics": [_diagnostic(finding, checkout) for finding in report.findings],
    }
    return json.dumps(document, indent=1) + "\n"


def _diagnostic(finding: Finding, checkout: Checkout) -> dict[str, Any]:
    diagnostic: dict[str, Any] = {
        "message": message_and_advice(finding),
        "location": {
            "path": printable(checkout.path_of(finding.path)),
            "range": _range(without_newline(finding.span)),
        },
        "severity": finding.severity.name,
        "code": {"value": finding.code},
    }
    suggestion = _suggestion(finding.fix, finding.span.source) if finding.fix else None
    if suggestion:
        diagnostic["suggestions"] = [suggestion]
    return diagnostic


def _suggestion(fix: Fix, source: Source) -> dict[str, Any] | None:
    """The fix as one replacement; None if it is unsafe or no single short replacement in text."""
    if fix.safety is not Safety.SAFE or any(edit.path != source.path for edit in fix.edits):
        return None
    start = min(edit.span.start for edit in fix.edits)
    end = max(edit.span.end for edit in fix.edits)
    if end - start > LONGEST_SUGGESTION:
        return None
    changes = [
        Change(change.start - start, change.end - start, change.data)
        for change in changes_for(source.path, [fix])
    ]
    try:
        text = apply(source.data[start:end], changes).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return {"range": _range(Span(source, start, end)), "text": text}


def _range(span: Span) -> dict[str, dict[str, int]]:
    return {"start": _point(span.source, span.start), "end": _point(span.source, span.end)}


def _point(source: Source, offset: int) -> dict[str, int]:
    line = source.line_of(offset)
    return {"line": line, "column": offset - source.line_starts[line - 1] + 1}
