"""Findings as plain data, for the way from one process to another that has read the same files.

Trees are not sent: a place is the number of its file and two offsets, a statement its place and the
words that make its identity.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gwlint.edits import Edit, Fix, Safety
from gwlint.rule import Finding, Label, Rule, Severity
from gwlint.source import Source, Span

Place = tuple[int, int, int]
"""Number of the file, start and end."""


@dataclass(frozen=True, slots=True)
class Told:
    """A `Statement` of which another process has told what reports need."""

    span: Span
    normalised: str
    enclosing: tuple[str, ...]


class Parcels:
    """Packs and unpacks; both sides have the same rules and sources in the same order."""

    def __init__(self, rules: Sequence[type[Rule]], sources: Iterable[Source]) -> None:
        self._rules = rules
        self._numbers = {rule: number for number, rule in enumerate(rules)}
        self._sources = list(dict.fromkeys(sources))
        self._files = {source: number for number, source in enumerate(self._sources)}

    def pack(self, groups: Iterable[tuple[tuple[int, int], Iterable[Finding]]]) -> bytes:
        """Keys with findings. Raises KeyError for a finding in a file that is not known, and
        ValueError for one that holds anything but texts and places."""
        return marshal.dumps([(key, list(map(self._packed, found))) for key, found in groups])

    def unpack(self, data: bytes) -> dict[tuple[int, int], list[Finding]]:
        """What `pack` was given. The data must come from a process that this one has started."""
        return {key: list(map(self._unpacked, found)) for key, found in marshal.loads(data)}

    def _packed(self, finding: Finding) -> tuple[Any, ...]:
        statement, fix = finding.statement, finding.fix
        return (
            self._numbers[finding.rule],
            int(finding.severity),
            finding.message,
            finding.advice,
            (self._place(statement.span), statement.normalised, tuple(statement.enclosing)),
            self._place(finding.span),
            [(self._place(label.span), label.message) for label in finding.related],
            None
            if fix is None
            else (
                fix.title,
                str(fix.safety.value),
                [(self._place(edit.span), edit.text) for edit in fix.edits],
            ),
        )

    def _unpacked(self, packed: tuple[Any, ...]) -> Finding:
        rule, severity, message, advice, statement, place, related, fix = packed
        where, normalised, enclosing = statement
        return Finding(
            rule=self._rules[rule],
            severity=Severity(severity),
            message=message,
            advice=advice,
            statement=Told(self._span(where), normalised, enclosing),
            span=self._span(place),
            related=tuple(Label(self._span(one), text) for one, text in related),
            fix=None if fix is None else self._fix(*fix),
        )

    def _fix(self, title: str, safety: str, edits: Iterable[tuple[Place, str]]) -> Fix:
        made = tuple(Edit(self._span(place), text) for place, text in edits)
        return Fix(title, Safety(safety), made)

    def _place(self, span: Span) -> Place:
        return self._files[span.source], span.start, span.end

    def _span(self, place: Place) -> Span:
        number, start, end = place
        return Span(self._sources[number], start, end)
