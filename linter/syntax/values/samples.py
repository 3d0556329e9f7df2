"""Sample expressions: `fetch(arguments),converter(arguments),...` (manual, 7.3 and 2.2).

The text is a word after HAProxy's own quoting. Brackets open a second level of quotes: '...' is
literal, "..." lets a backslash protect a backslash, a quote or a blank, and so it does outside of
quotes; brackets do not nest (measured).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pyparsing import Opt, ParseException, ParserElement, ParseResults, Regex, ZeroOrMore

from gwlint.syntax.haproxy.keywords import (
    SampleSpec,
    acl_keyword,
    converter,
    converter_names,
    sample_fetch,
    sample_names,
)
from gwlint.syntax.nearest import nearest
from gwlint.syntax.values.problem import ValueProblem

# One stretch of an argument: quoted, escaped, or as it is.
_STRETCH = r"""'[^']*'|"(?:\\[\\'" ]|\\(?![\\'" ])|[^"\\])*"|\\[\\'" ]|\\(?![\\'" ])"""
_ARGUMENTS = rf"""\((?:{_STRETCH}|[^'"\\)])*\)"""
_PIECE = re.compile(rf"""{_STRETCH}|,|[^'"\\,]+""", re.DOTALL)
_ESCAPED = re.compile(r"""\\([\\'" ])""")


@dataclass(frozen=True, slots=True)
class Call:
    """A fetch or a converter with its arguments, quotes resolved.

    arguments: None without brackets, () for empty ones.
    position: of its name in the text.
    """

    name: str
    arguments: tuple[str, ...] | None
    position: int

    @property
    def count(self) -> int:
        return len(self.arguments or ())


@dataclass(frozen=True, slots=True)
class SampleExpression:
    """A fetch and the converters its value goes through."""

    fetch: Call
    converters: tuple[Call, ...]

    @property
    def calls(self) -> tuple[Call, ...]:
        return (self.fetch, *self.converters)


def _call(_: str, position: int, found: ParseResults) -> Call:
    match: re.Match[str] = found[0]
    brackets = match["arguments"]
    return Call(match["name"], None if brackets is None else _split(brackets[1:-1]), position)


def _split(text: str) -> tuple[str, ...]:
    """The arguments that `text`, which stood in brackets, spells."""
    if not text:
        return ()
    arguments: list[str] = []
    current: list[str] = []
    for match in _PIECE.finditer(text):
        piece = match[0]
        if piece == ",":
            arguments.append("".join(current))
            current = []
        elif piece[0] == "'":
            current.append(piece[1:-1])
        elif piece[0] == '"':
            current.append(_ESCAPED.sub(r"\1", piece[1:-1]))
        else:
            current.append(_ESCAPED.sub(r"\1", piece))
    arguments.append("".join(current))
    return tuple(arguments)


def _expression(found: Any) -> SampleExpression:
    calls = [part for part in found if isinstance(part, Call)]
    return SampleExpression(calls[0], tuple(calls[1:]))


def _grammar() -> ParserElement:
    pattern = rf"(?P<name>[A-Za-z0-9_.:+-]+)(?P<arguments>{_ARGUMENTS})?"
    call = Regex(pattern, flags=re.DOTALL, as_match=True).set_parse_action(_call)
    # HAProxy skips repeated and final commas (measured).
    comma = Regex(",+")
    expression = call + ZeroOrMore(comma + call) + Opt(comma)
    return expression.leave_whitespace().set_parse_action(_expression)


SAMPLE: ParserElement = _grammar()
"""The grammar, for others to build on; its one result is a `SampleExpression`."""


@lru_cache(maxsize=4096)
def parse_sample(text: str) -> SampleExpression:
    """The expression that `text` spells, whether or not its names exist.

    Raises ValueProblem for a missing name, an open bracket or quote, or a missing comma.
    """
    try:
        found: SampleExpression = SAMPLE.parse_string(text, parse_all=True)[0]
    except ParseException as problem:
        position = problem.loc
        if text[position : position + 1] == "(":
            message = "this bracket is not closed"
        elif position == 0:
            message = "the name of a sample fetch was expected"
        else:
            message = "a comma was expected here"
        raise ValueProblem(message, position) from None
    return found


def sample_problems(
    expression: SampleExpression, *, in_acl: bool = False
) -> Iterator[tuple[ValueProblem, list[str]]]:
    """What HAProxy refuses in an expression, each with near names.

    Unknown names and too many arguments. Names of Lua programs (`lua.`) are not judged, nor are
    those of optional device databases. `in_acl`: ACL keywords such as `hdr_beg` exist there.
    """
    fetch = expression.fetch
    spec = _fetch_spec(fetch.name, in_acl)
    if spec is None and not _is_foreign(fetch.name):
        names = sample_names()
        yield (
            ValueProblem(f"unknown sample fetch {fetch.name!r}", fetch.position),
            list(nearest(fetch.name, names)),
        )
    for call, known in [(fetch, spec), *((c, converter(c.name)) for c in expression.converters)]:
        if known is None:
            if call is not fetch and not _is_foreign(call.name):
                yield (
                    ValueProblem(f"unknown converter {call.name!r}", call.position),
                    list(nearest(call.name, converter_names())),
                )
        elif call.count > known.most_arguments:
            yield (
                ValueProblem(
                    f"{call.name} takes at most {known.most_arguments} arguments", call.position
                ),
                [],
            )


def _fetch_spec(name: str, in_acl: bool) -> SampleSpec | None:
    spec = sample_fetch(name)
    if spec is None and in_acl:
        definition = acl_keyword(name)
        spec = sample_fetch(definition.partition(" ")[0]) if definition else None
    return spec


_OPTIONAL = ("lua.", "51d.", "da-csv", "wurfl-")


def _is_foreign(name: str) -> bool:
    return name.startswith(_OPTIONAL)
