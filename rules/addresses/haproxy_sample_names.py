"""Names of backends, servers, tables and userlists in the brackets of sample expressions.

Which argument of a fetch or converter names what is told by the list that HAProxy prints
(`-dKsmp`, `-dKcnv`): `nbsrv(backend)`, `srv_is_up(server)`, `in_table(table)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gwlint.model.haproxy.proxy import Proxy
from gwlint.syntax.haproxy.keywords import acl_keyword, converter, sample_fetch
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.conditions import (
    AclExpression,
    WordProblem,
    parse_acl,
    parse_condition,
    split_condition,
)
from gwlint.syntax.values.log_format import parse_log_format
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.sample_words import leading_name
from gwlint.syntax.values.samples import SampleExpression, parse_sample

_KINDS = frozenset({"backend", "frontend", "server", "table", "user list"})
_WITH_CONDITION = frozenset(
    {
        "http-after-response", "http-request", "http-response", "monitor", "redirect", "stats",
        "tcp-request", "tcp-response", "use-server", "use_backend",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SampleName:
    """A name in a word of a line. `kind` is what HAProxy calls the argument."""

    kind: str
    line: Line
    word: Word
    name: str


def sample_names_of(proxy: Proxy) -> Iterator[SampleName]:
    """The names in ACLs, conditions and `%[...]` of the section itself, those written out."""
    for line in proxy.section.lines:
        if not any("(" in word.value for word in line.arguments):
            continue
        for word, sample in _samples(line):
            for kind, name in _named(sample):
                yield SampleName(kind, line, word, name)


def _samples(line: Line) -> Iterator[tuple[Word, SampleExpression]]:
    words: Sequence[Word] = line.arguments
    if line.keyword == "acl":
        try:
            yield from _tested(parse_acl(words).expression)
        except WordProblem:
            return
        return
    if line.keyword in _WITH_CONDITION:
        words, condition = split_condition(words)
        try:
            operands = list(parse_condition(condition).operands()) if condition else []
        except WordProblem:
            operands = []
        for operand in operands:
            if operand.anonymous is not None:
                yield from _tested(operand.anonymous)
    for word in words:
        if "%[" in word.value and not word.references:
            try:
                found = parse_log_format(word.value).expressions
            except ValueProblem:
                continue
            for expression in found:
                yield word, expression.sample


def _tested(expression: AclExpression) -> Iterator[tuple[Word, SampleExpression]]:
    word = expression.sample
    try:
        yield word, parse_sample(word.value)
    except ValueProblem:
        return


def _named(sample: SampleExpression) -> Iterator[tuple[str, str]]:
    definition = acl_keyword(sample.fetch.name)
    fetch = sample.fetch.name if definition is None else leading_name(definition)
    specs = [sample_fetch(fetch), *(converter(one.name) for one in sample.converters)]
    for call, spec in zip((sample.fetch, *sample.converters), specs, strict=True):
        if spec is None:
            continue
        kinds = spec.arguments.replace("[", "").replace("]", "").split(",")
        for kind, name in zip(kinds, call.arguments or (), strict=False):
            if kind in _KINDS and name:
                yield kind, name
