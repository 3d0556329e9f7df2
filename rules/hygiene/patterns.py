"""Regular expressions of locations, as far as it is certain which paths they take."""

from __future__ import annotations

import re
from dataclasses import dataclass

_EVERYTHING = frozenset({"", ".*", "(.*)", "^", "^.*", "^(.*)", "^.*$", "^(.*)$", "/", "^/",
                         "^/.*", "^/(.*)", "^/.*$", "^/(.*)$", "/.*", "/(.*)"})  # fmt: skip
"""Each path begins with a slash."""

_LITERAL = r"(?:[A-Za-z0-9_/%~@,:;=&! -]|\\[./+*?()\[\]{}^$|-])"
_START = re.compile(rf"\^(/{_LITERAL}*)(\.\*|\(\.\*\))?(\$?)")
_ENDING = re.compile(rf"({_LITERAL}+)\$")
_ENDINGS = re.compile(rf"({_LITERAL}*)\((?:\?:)?({_LITERAL}+(?:\|{_LITERAL}+)*)\)\$")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a regular expression takes.

    `kind`: "start": paths that begin with a text; "whole": the texts themselves; "end": paths that
    end in one of the texts; "all"; "other": only known by its spelling, which `texts` has.
    """

    kind: str
    texts: frozenset[str]
    ignores_case: bool

    def covers(self, other: Pattern) -> bool:
        """Whether each path that the other takes is certainly taken by this one."""
        if self.kind == "all":
            return True
        if other.ignores_case and not self.ignores_case:
            return False
        mine, others = self.texts, other.texts
        if self.ignores_case:
            mine = frozenset(text.lower() for text in mine)
            others = frozenset(text.lower() for text in others)
        if self.kind == "other":
            # In another case, the spelling of a class such as \\D has another meaning.
            return other.kind == "other" and self.texts == other.texts
        if self.kind == "start" and other.kind in ("start", "whole"):
            return all(text.startswith(tuple(mine)) for text in others)
        if self.kind == "end" and other.kind in ("end", "whole"):
            return all(text.endswith(tuple(mine)) for text in others)
        return self.kind == other.kind == "whole" and others <= mine


def pattern_of(text: str, ignores_case: bool) -> Pattern | None:
    """What is known of the regular expression of a location; None when it cannot be read."""
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError):
        return None
    if text in _EVERYTHING:
        return Pattern("all", frozenset(), ignores_case)
    start = _START.fullmatch(text)
    if start:
        is_whole = bool(start[3]) and not start[2]
        return Pattern("whole" if is_whole else "start", _literals(start[1]), ignores_case)
    several = _ENDINGS.fullmatch(text)
    if several:
        endings = (several[1] + one for one in several[2].split("|"))
        return Pattern("end", _literals(*endings), ignores_case)
    ending = _ENDING.fullmatch(text)
    if ending:
        return Pattern("end", _literals(ending[1]), ignores_case)
    return Pattern("other", frozenset({text}), ignores_case)


def _literals(*parts: str) -> frozenset[str]:
    return frozenset(re.sub(r"\\(.)", r"\1", part) for part in parts)
