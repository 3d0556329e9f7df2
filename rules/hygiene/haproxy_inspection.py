"""Samples of what a client sends, and whether a proxy of mode tcp waits for it.

In mode tcp the rules run as soon as the connection is there. Measured on 2.6.12 and 2.8.25: a test
of `req.ssl_sni` or `path_beg` in a use_backend rule then has nothing to look at, unless
`inspect-delay` is set and a `tcp-request content` rule asks for content, by its condition or by
`capture`. A rule that only sets a variable, or tests the address, waits for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gwlint.model.haproxy.proxy import Proxy, Route
from gwlint.syntax.haproxy.keywords import SampleSpec, acl_keyword, sample_fetch
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.conditions import (
    AclExpression,
    WordProblem,
    parse_acl,
    parse_condition,
    split_condition,
)
from gwlint.syntax.values.sample_words import leading_name

_AT_ONCE = frozenset({"TRUE", "FALSE", "LOCALHOST"})
"""Predefined ACLs that need no content."""
_NEEDS_NOTHING = ("accept", "reject", "set-var", "unset-var")
_IN_BACKEND_NAME = re.compile(r"%\[\s*([A-Za-z0-9_.]+)")

Acls = dict[str, list[AclExpression]]


def acls_of(proxy: Proxy) -> Acls:
    """Name -> expressions, of the ACLs that can be read."""
    found: Acls = {}
    for line in proxy.own("acl"):
        try:
            acl = parse_acl(line.arguments)
        except WordProblem:
            continue
        found.setdefault(acl.name.value, []).append(acl.expression)
    return found


def content_samples(route: Route, acls: Acls) -> Iterator[str]:
    """The samples of client data that decide whether a route is taken, or where it leads."""
    for name in _IN_BACKEND_NAME.findall(route.backend.value):
        if _needs_content(name):
            yield name
    for expressions in _tested(route.condition, acls):
        names = [leading_name(one.sample.value) for one in expressions or ()]
        if names and all(_needs_content(name) for name in names):
            yield names[0]


def waits_for_content(proxy: Proxy, acls: Acls) -> bool:
    """Whether rules let a connection wait until its first data is there."""
    rules = list(proxy.lines("tcp-request"))
    delays = [line for line in rules if line.values[:1] == ["inspect-delay"]]
    if not any(line.values[1:2] and line.values[1].strip("0usmhd") for line in delays):
        return False
    return any(_waits(line, acls) for line in rules if line.values[:1] == ["content"])


def _waits(line: Line, acls: Acls) -> bool:
    action, condition = split_condition(line.arguments[1:])
    if not action or not action[0].value.startswith(_NEEDS_NOTHING):
        return True
    return any(
        expressions is None or not all(_is_there_at_once(one) for one in expressions)
        for expressions in _tested(condition, acls)
    )


def _tested(words: Sequence[Word], acls: Acls) -> Iterator[list[AclExpression] | None]:
    """What each operand of a condition tests; None for one that cannot be told."""
    if not words:
        return
    try:
        condition = parse_condition(words)
    except WordProblem:
        yield None
        return
    for operand in condition.operands():
        if operand.anonymous is not None:
            yield [operand.anonymous]
        elif operand.name is not None:
            name = operand.name.value.lstrip("!")
            if name not in _AT_ONCE or name in acls:
                yield acls.get(name)


def _is_there_at_once(expression: AclExpression) -> bool:
    name = leading_name(expression.sample.value)
    spec = _spec(name)
    return name != "wait_end" and spec is not None and spec.works_in("frontend tcp-request session")


def _needs_content(name: str) -> bool:
    """Whether the sample is taken from what the client sends, after the handshake if any."""
    spec = _spec(name)
    return (
        spec is not None
        and spec.works_in("frontend use-backend")
        and not spec.works_in("frontend tcp-request session")
    )


def _spec(name: str) -> SampleSpec | None:
    definition = acl_keyword(name)
    return sample_fetch(name if definition is None else leading_name(definition))
