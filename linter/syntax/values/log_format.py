"""Log-format strings: `%[expression]`, `%alias`, `%{+Q}alias`, `%%` (manual, 8.2.6).

Measured on 2.6 and 2.8, for `log-format` and `http-request set-header` alike; `%(name)` in front
of an alias or expression is understood by both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from pyparsing import ParseException, ParserElement, ParseResults, Regex, Suppress, ZeroOrMore

from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.samples import SAMPLE, SampleExpression

# fmt: off
ALIASES = frozenset({
    "o", "Ta", "Tc", "Td", "TR", "Tt", "Tu", "Tw", "Th", "Ti", "Tr", "Tq", "Ts", "T", "Tl",
    "B", "CC", "CS", "H", "HM", "HP", "HPO", "HQ", "HU", "HV", "ID", "ST", "U", "ac", "b",
    "bc", "bi", "bp", "bq", "ci", "cp", "f", "fc", "fi", "fp", "ft", "hr", "hrl", "hs", "hsl",
    "lc", "ms", "pid", "r", "rc", "rt", "s", "sc", "si", "sp", "sq", "sslc", "sslv", "t",
    "trg", "trl", "tr", "tsc",
})
# fmt: on
"""The aliases of 2.6 and 2.8 (measured); later versions may have more."""


@dataclass(frozen=True, slots=True)
class Alias:
    """`%ci` or `%{+Q}r`: flags as written, without braces."""

    name: str
    flags: str
    position: int

    @property
    def is_known(self) -> bool:
        return self.name in ALIASES


@dataclass(frozen=True, slots=True)
class Expression:
    """`%[src,lower]`; positions inside are those of the whole text."""

    sample: SampleExpression
    flags: str
    position: int


@dataclass(frozen=True, slots=True)
class LogFormat:
    """The references in the order of the text, `literal` when there are none."""

    text: str
    parts: tuple[Alias | Expression, ...]

    @property
    def is_literal(self) -> bool:
        return not self.parts

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return tuple(part for part in self.parts if isinstance(part, Expression))

    @property
    def aliases(self) -> tuple[Alias, ...]:
        return tuple(part for part in self.parts if isinstance(part, Alias))


def _alias(_: str, position: int, found: ParseResults) -> Alias:
    match: re.Match[str] = found[0]
    return Alias(match["alias"], _flags(match), position)


def _sample(_: str, position: int, found: ParseResults) -> Expression:
    return Expression(found[1], _flags(found[0]), position)


def _flags(match: re.Match[str]) -> str:
    return (match["flags"] or "")[1:-1]


def _grammar() -> ParserElement:
    literal = Regex(r"(?:[^%]+|%%)+").suppress()
    opening = r"%(?:\([^)]*\))?(?P<flags>\{[^}]*\})?"
    expression = Regex(opening + r"\[", as_match=True) + SAMPLE + Suppress("]")
    alias = Regex(opening + "(?P<alias>[A-Za-z_][A-Za-z0-9_]*)", as_match=True)
    reference = expression.set_parse_action(_sample) | alias.set_parse_action(_alias)
    return ZeroOrMore(literal | reference).leave_whitespace().parse_with_tabs()


_GRAMMAR = _grammar()


@lru_cache(maxsize=2048)
def parse_log_format(text: str) -> LogFormat:
    """The references of a log-format string.

    Raises ValueProblem where HAProxy refuses: a lone `%`, an open brace or bracket, an expression
    that is none. Unknown aliases are left to `Alias.is_known`.
    """
    if "%" not in text:
        return LogFormat(text, ())
    try:
        found = _GRAMMAR.parse_string(text, parse_all=True)
    except ParseException as problem:
        raise ValueProblem(_message(text, problem.loc), problem.loc) from None
    return LogFormat(text, tuple(found))


def _message(text: str, position: int) -> str:
    rest = text[position : position + 2]
    if rest.startswith("%["):
        return "%[ needs a sample expression and a closing bracket"
    if rest.startswith("%{"):
        return "%{ needs a closing brace and a variable"
    return "a lone % means nothing; %% is the sign itself"
