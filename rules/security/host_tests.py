"""Tests of the Host header in conditions and ACLs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.model.haproxy.proxy import Proxy
from gwlint.syntax.haproxy.tree import Line, Section
from gwlint.syntax.values.conditions import (
    AclExpression,
    WordProblem,
    parse_acl,
    parse_condition,
    split_condition,
)
from gwlint.syntax.values.sample_words import leading_name

_FETCHES = ("hdr", "req.hdr", "req.fhdr")
_SUFFIXES = ("_beg", "_dir", "_dom", "_end", "_reg", "_str", "_sub")


@dataclass(frozen=True, slots=True)
class HostTest:
    """An ACL, named or in braces, that looks at the name the client asked for."""

    line: Line
    expression: AclExpression

    @property
    def sample(self) -> str:
        """The expression with all its converters, in lower case."""
        words = (self.expression.sample, *self.expression.more)
        return ",".join(word.value for word in words).lower()


def is_about_host(text: str) -> bool:
    """Whether a sample expression reads the Host header."""
    name = leading_name(text)
    base = next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), name)
    return base in _FETCHES and text[len(name) :].lower().startswith(("(host)", "(host,"))


def host_tests(sections: list[Section]) -> Iterator[HostTest]:
    """All of them, in order."""
    for section in sections:
        for line in section.lines:
            for expression in _expressions(line):
                if is_about_host(expression.sample.value):
                    yield HostTest(line, expression)


def _expressions(line: Line) -> list[AclExpression]:
    try:
        if line.keyword == "acl":
            return [parse_acl(line.arguments).expression]
        condition = split_condition(line.arguments)[1]
        if not condition:
            return []
        operands = parse_condition(condition).operands()
    except WordProblem:
        return []
    return [operand.anonymous for operand in operands if operand.anonymous is not None]


def names_about_host(proxy: Proxy) -> set[str]:
    """The ACLs of a proxy, by name, that test the host."""
    found: set[str] = set()
    for line in proxy.lines("acl"):
        try:
            declaration = parse_acl(line.arguments)
        except WordProblem:
            continue
        if is_about_host(declaration.expression.sample.value):
            found.add(declaration.name.value)
    return found


def asks_for_host(line: Line, names: set[str]) -> bool:
    """Whether the condition of a line tests the host, itself or by one of the ACLs `names`."""
    condition = split_condition(line.arguments)[1]
    if not condition:
        return False
    try:
        operands = list(parse_condition(condition).operands())
    except WordProblem:
        return False
    return any(
        is_about_host(operand.anonymous.sample.value)
        if operand.anonymous is not None
        else operand.name is not None and operand.name.value.lstrip("!") in names
        for operand in operands
    )
