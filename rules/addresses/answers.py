"""What a HAProxy section answers by itself, without a server, and to which requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from gwlint.model.haproxy.proxy import Proxy, Route
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.conditions import (
    AclExpression,
    Operand,
    WordProblem,
    parse_acl,
    parse_condition,
    split_condition,
)

_FINAL_ACTIONS = {
    "http-request": frozenset(
        {"auth", "deny", "redirect", "reject", "return", "silent-drop", "tarpit", "use-service"}
    ),
    "tcp-request": frozenset({"reject", "silent-drop", "use-service"}),
}
_ABOUT_TLS = re.compile("ssl|tls|https|secure|proto", re.IGNORECASE)
_TRUE = frozenset({"TRUE", "HTTP"})
_EVERYTHING = frozenset({"0.0.0.0/0", "::/0"})


def final_rules(proxy: Proxy) -> Iterator[Line]:
    """The rules, own and inherited, after which a request needs no server."""
    yield from proxy.lines("redirect")
    for keyword, actions in _FINAL_ACTIONS.items():
        for line in proxy.lines(keyword):
            values = line.values
            # tcp-request connection reject: the action follows the word that says when.
            action = values[1:2] if keyword == "tcp-request" else values[:1]
            if action and (action[0] in actions or action[0].startswith("lua.")):
                yield line


def has_page(proxy: Proxy) -> bool:
    """Whether the section shows something of its own: statistics, a monitor, an error page.

    A page for 503 in a section without servers is meant to be seen.
    """
    if any(
        proxy.own(keyword) for keyword in ("stats", "monitor-uri", "monitor", "errorfiles")
    ) or any(proxy.lines("stats", "enable")):
        return True
    return any(
        line.values[:1] == ["503"] or line.values[:2] == ["status", "503"]
        for keyword in ("errorfile", "errorloc", "errorloc302", "errorloc303", "http-error")
        for line in proxy.own(keyword)
    )


def leaves_nothing(proxy: Proxy, routes: Iterable[Route]) -> bool:
    """Whether the conditions of final rules and routes together meet every request, as far as
    that can be told: one is always true, or two are opposites."""
    acls = _acls(proxy)
    known: set[tuple[str, bool]] = set()
    conditions: list[Sequence[Word]] = [route.condition for route in routes if not route.is_default]
    conditions += [split_condition(line.arguments)[1] for line in final_rules(proxy)]
    for words in conditions:
        if not words:
            return True
        operand, is_negated = _single_operand(words)
        if operand is None:
            continue
        text, is_always = _meaning(operand, acls)
        if is_always and not is_negated:
            return True
        if (text, not is_negated) in known:
            return True
        known.add((text, is_negated))
    return False


def has_negated_rule(proxy: Proxy) -> bool:
    """Whether a final rule is for all requests but some: `deny unless known`, `if !known`.

    One that only sends plain HTTP to HTTPS leaves all others.
    """
    for line in final_rules(proxy):
        words = split_condition(line.arguments)[1]
        is_negated = bool(words) and (
            words[0].value == "unless" or any(word.value.startswith("!") for word in words)
        )
        if is_negated and not any(_ABOUT_TLS.search(word.value) for word in words):
            return True
    return False


def _acls(proxy: Proxy) -> dict[str, list[AclExpression]]:
    found: dict[str, list[AclExpression]] = {}
    for line in proxy.own("acl"):
        try:
            declaration = parse_acl(line.arguments)
        except WordProblem:
            continue
        found.setdefault(declaration.name.value, []).append(declaration.expression)
    return found


def _single_operand(words: Sequence[Word]) -> tuple[Operand | None, bool]:
    """The only operand of a condition, and whether it must not match; None when there are more."""
    try:
        condition = parse_condition(words)
    except WordProblem:
        return None, False
    operands = list(condition.operands())
    if len(operands) != 1:
        return None, False
    return operands[0], operands[0].negated ^ condition.is_negated


def _meaning(operand: Operand, acls: dict[str, list[AclExpression]]) -> tuple[str, bool]:
    """What an operand tests, as text that is equal for equal tests; and whether all match it."""
    if operand.anonymous is not None:
        return _text(operand.anonymous), _is_always(operand.anonymous)
    name = "" if operand.name is None else operand.name.value.lstrip("!")
    expressions = acls.get(name, [])
    return f"acl {name}", name in _TRUE or any(_is_always(one) for one in expressions)


def _text(expression: AclExpression) -> str:
    words = [expression.sample, *expression.more]
    for flag in expression.flags:
        words += [flag.word] if flag.value is None else [flag.word, flag.value]
    words += [] if expression.operator is None else [expression.operator]
    return " ".join(word.value for word in (*words, *expression.patterns))


def _is_always(expression: AclExpression) -> bool:
    sample = expression.sample.value
    patterns = {word.value for word in expression.patterns}
    if sample in ("always_true", "bool(true)", "bool(1)"):
        return True
    flag = expression.flag("-m")
    is_prefix = flag is not None and flag.value is not None and flag.value.value == "beg"
    if sample == "path_beg" or (sample == "path" and is_prefix):
        return "/" in patterns
    return sample == "src" and not _EVERYTHING.isdisjoint(patterns)
