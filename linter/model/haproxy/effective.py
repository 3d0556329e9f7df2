"""The effective value of a keyword in a proxy, with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from gwlint.source import Span
from gwlint.syntax.haproxy.tree import Line, Section, Word


@dataclass(frozen=True, slots=True)
class Effective:
    """What a keyword is worth in one proxy.

    `line` is the one in force, None when nobody set it; `section` is where it stands (the proxy
    itself or a defaults section); `overridden` are lines without effect, from inner to outer.
    `is_certain` is False when `.if` decides whether one of the lines exists.
    """

    keyword: tuple[str, ...]
    line: Line | None
    section: Section | None
    overridden: tuple[Line, ...]
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
