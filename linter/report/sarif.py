"""SARIF 2.1.0, as GitHub code scanning wants it (OASIS standard; GitHub documentation, "SARIF
support for code scanning").

GitHub refuses files over its limits, ignores what lies outside of the repository, and shows
only the first place of a result; related places need a link in the message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gwlint import __version__
from gwlint.edits import Edit, Fix
from gwlint.project.files import ConfigFile, Status
from gwlint.report.explanation import explanation
from gwlint.report.line_hashes import line_hashes
from gwlint.report.places import Checkout, without_newline
from gwlint.report.wording import clipped, message_and_advice
from gwlint.rule import Finding, Label, Rule, Severity, fingerprints
from gwlint.source import Span, encode

if TYPE_CHECKING:
    from gwlint.engine import Report

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST_RESULTS = 25_000
"""Of one run; GitHub refuses a file with more."""
MOST_RELATED = 100
"""Places of one result that GitHub shows."""
LONGEST_DESCRIPTION = 1024
"""Characters of a rule's descriptions."""

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_KINDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
_SECURITY_SEVERITIES = {Severity.ERROR: "8.0", Severity.WARNING: "5.0", Severity.INFO: "2.0"}
"""GitHub ranks rules of security by a number from 0.1 to 10: high, medium and low."""


def render(report: Report) -> str:
    """One run with all findings, info findings included; if too many, the most severe."""
    findings = _most_severe(report.findings)
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_Run(findings).as_json(report)]}
    return json.dumps(log, indent=1) + "\n"


class _Run:
    """Makes the results; what several of them need is found once."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._findings = findings
        self._checkout = Checkout()
        self._rules = sorted({finding.rule for finding in findings}, key=lambda rule: rule.code)
        self._indexes = {rule: index for index, rule in enumerate(self._rules)}
        self._hashes: dict[str, list[str]] = {}

    def as_json(self, report: Report) -> dict[str, Any]:
        driver = {
            "name": "gwlint",
            "version": __version__,
            "semanticVersion": __version__,
            "rules": [_rule(rule) for rule in self._rules],
        }
        marks = fingerprints(finding.identity for finding in self._findings)
        return {
            "tool": {"driver": driver},
            "columnKind": "unicodeCodePoints",
            "invocations": [self._invocation(report)],
            "results": list(map(self._result, self._findings, marks)),
        }

    def _invocation(self, report: Report) -> dict[str, Any]:
        unread = [file for file in report.project.files if file.status is Status.UNREADABLE]
        notes = [self._unreadable(file) for file in unread]
        left_out = len(report.findings) - len(self._findings)
        if left_out:
            text = f"{left_out} less severe findings are left out: there are too many for one run."
            notes.append({"level": "warning", "message": {"text": text}})
        return {"executionSuccessful": not unread, "toolExecutionNotifications": notes}

    def _unreadable(self, file: ConfigFile) -> dict[str, Any]:
        return {
            "level": "error",
            "message": {"text": f"The file cannot be read: {_unlinked(clipped(file.reason))}."},
            "locations": [{"physicalLocation": {"artifactLocation": self._artifact(file.path)}}],
        }

    def _result(self, finding: Finding, mark: str) -> dict[str, Any]:
        related = finding.related[:MOST_RELATED]
        result: dict[str, Any] = {
            "ruleId": finding.code,
            "ruleIndex": self._indexes[finding.rule],
            "level": _LEVELS[finding.severity],
            "message": {"text": _message(finding, related)},
            "locations": [{"physicalLocation": self._location(finding.span)}],
            "partialFingerprints": {
                "primaryLocationLineHash": self._line_hash(finding.span),
                "gwlint/v1": mark,
            },
        }
        if related:
            result["relatedLocations"] = [
                self._related(number, label) for number, label in enumerate(related, start=1)
            ]
        if finding.fix and all(_is_text(edit.text) for edit in finding.fix.edits):
            result["fixes"] = [self._fix(finding.fix)]
        return result

    def _related(self, number: int, label: Label) -> dict[str, Any]:
        return {
            "id": number,
            "message": {"text": _unlinked(clipped(label.message))},
            "physicalLocation": self._location(label.span),
        }

    def _location(self, span: Span) -> dict[str, Any]:
        return {
            "artifactLocation": self._artifact(span.path),
            "region": _region(without_newline(span)),
        }

    def _artifact(self, path: str) -> dict[str, str]:
        place = self._checkout.path_of(path)
        uri = quote(encode(place))
        if place.startswith("/"):
            return {"uri": f"file://{uri}"}
        return {"uri": uri, "uriBaseId": "%SRCROOT%"}

    def _line_hash(self, span: Span) -> str:
        if span.path not in self._hashes:
            self._hashes[span.path] = line_hashes(span.source.data)
        return self._hashes[span.path][span.begin_position.line - 1]

    def _fix(self, fix: Fix) -> dict[str, Any]:
        by_path: dict[str, list[Edit]] = {}
        for edit in fix.edits:
            by_path.setdefault(edit.path, []).append(edit)
        return {
            "description": {"text": f"{clipped(fix.title)} ({fix.safety.value})"},
            "artifactChanges": [
                {
                    "artifactLocation": self._artifact(path),
                    "replacements": [_replacement(edit) for edit in edits],
                }
                for path, edits in by_path.items()
            ],
        }


def _rule(rule: type[Rule]) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "tags": [rule.topic(), rule.dialect()],
        "precision": "high",
        "problem.severity": _KINDS[rule.severity],
    }
    if rule.topic() == "security":
        properties["security-severity"] = _SECURITY_SEVERITIES[rule.severity]
    shown = explanation(rule)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary()[:LONGEST_DESCRIPTION]},
        "fullDescription": {"text": _problem(rule)[:LONGEST_DESCRIPTION]},
        "help": {"text": shown, "markdown": shown},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": properties,
    }


def _problem(rule: type[Rule]) -> str:
    """The section "Problem" of a rule's documentation as one paragraph, else its summary."""
    section = re.search(r"^## Problem\n(.*?)(?=^## |\Z)", rule.documentation(), re.M | re.S)
    return " ".join(section[1].split()) if section else rule.summary()


def _message(finding: Finding, related: Iterable[Label]) -> str:
    links = ", ".join(
        f"[{_link_text(clipped(label.message))}]({number})"
        for number, label in enumerate(related, start=1)
    )
    text = f"{_unlinked(message_and_advice(finding)).rstrip('.')}."
    return f"{text} See {links}." if links else text


def _unlinked(text: str) -> str:
    """`text` without links: it quotes configurations, and theirs would lead anywhere."""
    return text.replace("](", r"\](")


def _link_text(text: str) -> str:
    return re.sub(r"([\[\]\\])", r"\\\1", text)


def _replacement(edit: Edit) -> dict[str, Any]:
    deleted = _region(edit.span)
    if not edit.text:
        return {"deletedRegion": deleted}
    return {"deletedRegion": deleted, "insertedContent": {"text": edit.text}}


def _region(span: Span) -> dict[str, int]:
    """Columns count characters from 1, the end is exclusive, a byte order mark takes no column."""
    begin, end = span.begin_position, span.end_position
    return {
        "startLine": begin.line,
        "startColumn": begin.column,
        "endLine": end.line,
        "endColumn": end.column,
    }


def _is_text(text: str) -> bool:
    """Whether JSON can carry it: lone surrogates stand for bytes that are not UTF-8."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _most_severe(findings: Sequence[Finding]) -> list[Finding]:
    """At most as many findings as GitHub takes, in their order."""
    order = sorted(range(len(findings)), key=lambda index: -findings[index].severity)
    return [findings[index] for index in sorted(order[:MOST_RESULTS])]
