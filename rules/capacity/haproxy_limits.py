"""Numbers of connections and files in the global section of HAProxy."""

from __future__ import annotations

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.whole_numbers import whole_number


def plain_number(word: Word | None) -> int | None:
    """The number that a word spells; None for anything else, variables included."""
    if word is None or word.references or not word.value.isdecimal():
        return None
    return whole_number(word.value)


def global_number(config: HaproxyConfig, keyword: str) -> tuple[Line, int] | None:
    """The last line of a keyword in the global sections, with its number.

    None when it is not there, is no plain number, is 0 (as if absent), or hangs on `.if`.
    """
    line = config.global_line(keyword)
    if line is None or line.conditions or not line.arguments:
        return None
    number = plain_number(line.arguments[0])
    return (line, number) if number else None
