"""What a parser could not read as it stands; it says so and goes on."""

from __future__ import annotations

from typing import NamedTuple

from gwlint.source import Span


class SyntaxProblem(NamedTuple):
    """`kind` is a word that rules choose by, such as "open-quote" or "missing-semicolon"."""

    span: Span
    message: str
    kind: str
