"""The report as one JSON object, for programs.

Its shape is fixed by `version`: a field is never renamed or removed within one version. Text
that is not UTF-8 appears as lone surrogates (PEP 383), so all bytes survive.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gwlint import __version__
from gwlint.edits import Fix
from gwlint.report.summary import Summary
from gwlint.rule import Finding, Severity, fingerprints
from gwlint.source import Span

if TYPE_CHECKING:
    from gwlint.engine import Report

VERSION = 1


def render(report: Report) -> str:
    """The whole report, info findings included, with a final newline.

    Files and findings stand on one line each: quick to write, and easy to compare.
    """
    files = (
        {"path": file.path, "dialect": file.dialect, "status": file.status.value}
        for file in report.project.files
    )
    marks = fingerprints(finding.identity for finding in report.findings)
    findings = map(_finding, report.findings, marks)
    members = (
        f'"version": {VERSION}',
        f'"tool": {_one_line({"name": "gwlint", "version": __version__})}',
        f'"summary": {_one_line(_summary(Summary.of(report)))}',
        f'"files": {_one_a_line(files)}',
        f'"findings": {_one_a_line(findings)}',
    )
    return "{\n  " + ",\n  ".join(members) + "\n}\n"


def _one_line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=True)


def _one_a_line(values: Iterable[Mapping[str, Any]]) -> str:
    lines = ",\n    ".join(map(_one_line, values))
    return f"[\n    {lines}\n  ]" if lines else "[]"


def _summary(summary: Summary) -> dict[str, int]:
    return {
        "files": summary.files,
        "skipped": summary.skipped,
        "error": summary.severities[Severity.ERROR],
        "warning": summary.severities[Severity.WARNING],
        "info": summary.severities[Severity.INFO],
        "suppressed": summary.suppressed,
        "baselined": summary.baselined,
        "fixable": summary.fixable,
    }


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
