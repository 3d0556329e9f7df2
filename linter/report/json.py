"""The report as one JSON object, for programs.

Its shape is fixed by `version`: a field is never renamed or removed within one version. Text
that is not UTF-8 appears as lone surrogates (PEP 383), so all bytes survive.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from gwlint import __version__
from gwlint.edits import Fix
from gwlint.report.summary import Summary
from gwlint.rule import Finding, Severity, fingerprint
from gwlint.source import Span

if TYPE_CHECKING:
    from gwlint.engine import Report

VERSION = 1


def render(report: Report) -> str:
    """The whole report, info findings included, with a final newline."""
    document = {
        "version": VERSION,
        "tool": {"name": "gwlint", "version": __version__},
        "summary": _summary(Summary.of(report)),
        "files": [
            {"path": file.path, "dialect": file.dialect, "status": file.status.value}
            for file in report.project.files
        ],
        "findings": [_finding(finding, mark) for finding, mark in _fingerprinted(report.findings)],
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _summary(summary: Summary) -> dict[str, int]:
    return {
        "files": summary.files,
        "skipped": summary.skipped,
        "error": summary.severities[Severity.ERROR],
        "warning": summary.severities[Severity.WARNING],
        "info": summary.severities[Severity.INFO],
        "suppressed": 0,
        "baselined": 0,
        "fixable": summary.fixable,
    }


def _fingerprinted(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str]]:
    """Each finding with its fingerprint; equal identities are told apart by their order."""
    seen: Counter[tuple[str, ...]] = Counter()
    for finding in findings:
        identity = finding.identity
        yield finding, fingerprint(identity, seen[identity])
        seen[identity] += 1


def _finding(finding: Finding, mark: str) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.rule.name,
        "topic": finding.rule.topic(),
        "severity": finding.severity.label,
        "message": finding.message,
        "advice": finding.advice,
        **_place(finding.span),
        "related": [{**_place(label.span), "message": label.message} for label in finding.related],
        "fingerprint": mark,
        "fix": _fix(finding.fix) if finding.fix else None,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "title": fix.title,
        "safety": fix.safety.value,
        "edits": [
            {
                "path": edit.path,
                "start": edit.span.start,
                "end": edit.span.end,
                "replacement": edit.text,
            }
            for edit in fix.edits
        ],
    }


def _place(span: Span) -> dict[str, Any]:
    return {
        "path": span.path,
        "start": _point(span, span.start),
        "end": _point(span, span.end),
    }


def _point(span: Span, offset: int) -> dict[str, int]:
    position = span.source.position(offset)
    return {"line": position.line, "column": position.column, "offset": offset}
