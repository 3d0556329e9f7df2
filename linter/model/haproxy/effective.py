"""The effective value of a keyword in a proxy, with where it comes from."""

from __future__ import annotations

from typing import NamedTuple

from gwlint.source import Span
from gwlint.syntax.haproxy.tree import Line, Section, Word


class Effective(NamedTuple):
    """What a keyword is worth in one proxy.

    `line` is the one in force, None when nobody set it; `section` is where it stands (the proxy
    itself or a defaults section). `is_certain` is False when `.if` decides whether one of the
    lines exists.
    """

    keyword: tuple[str, ...]
    line: Line | None
    section: Section | None
    is_certain: bool

    @property
    def is_set(self) -> bool:
        return self.line is not None

    @property
    def span(self) -> Span | None:
        return None if self.line is None else self.line.span

    @property
    def words(self) -> list[Word]:
        """What follows the keyword."""
        if self.line is None:
            return []
        return self.line.arguments[len(self.keyword) - 1 :]

    @property
    def word(self) -> Word | None:
        words = self.words
        return words[0] if words else None

    @property
    def value(self) -> str | None:
        word = self.word
        return None if word is None else word.value
