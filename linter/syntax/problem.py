"""What a parser could not read as it stands; it says so and goes on."""

from __future__ import annotations

from dataclasses import dataclass

from gwlint.source import Span


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """`kind` is a word that rules choose by, such as "open-quote" or "missing-semicolon"."""

    span: Span
    message: str
    kind: str
