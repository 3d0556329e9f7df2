"""Who gets in: the addresses that a frontend listens on, and the rules that turn strangers away."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import cached_property
from ipaddress import ip_address

from gwlint.model.haproxy.proxy import Proxy, bind_addresses
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.address import Address
from gwlint.syntax.values.bind_line import BindLine
from gwlint.syntax.values.conditions import (
    AclExpression,
    Operand,
    WordProblem,
    parse_acl,
    parse_condition,
    split_condition,
)
from gwlint.syntax.values.sample_words import leading_name


class Reach(IntEnum):
    """From where a port can be reached, as far as its address tells; firewalls are not seen."""

    MACHINE = 1
    PRIVATE = 2
    ANYWHERE = 3


_TURNING_AWAY = frozenset({"auth", "deny", "redirect", "reject", "return", "silent-drop", "tarpit"})

_WHAT = ("base", "method", "path", "query", "url")
"""Fetches that tell what is asked for, by how they begin; all others may tell who asks."""
_WHAT_EXACTLY = frozenset({"always_true", "always_false", "req.ver", "req_ver", "ssl_fc"})
_HEADER = ("hdr", "req.hdr", "req.fhdr")
_WHAT_PREDEFINED = ("TRUE", "FALSE", "METH_", "HTTP_")


def reach_of_address(address: Address) -> Reach | None:
    """None where a variable or a name hides the address."""
    if not address.family.is_network or address.is_loopback:
        return Reach.MACHINE
    if address.variables:
        return None
    if address.is_any:
        return Reach.ANYWHERE
    try:
        is_private = ip_address(address.canonical_host or "").is_private
    except ValueError:
        return None
    return Reach.PRIVATE if is_private else Reach.ANYWHERE


def open_binds(proxy: Proxy) -> list[tuple[Line, BindLine, Reach]]:
    """The `bind` lines that let in whoever reaches them, and from where that is.

    Left out: lines that hang on `.if`, on variables or names, and ports that want a certificate of
    the client.
    """
    found: list[tuple[Line, BindLine, Reach]] = []
    for line, bind in proxy.binds:
        if line.conditions or bind.value("verify") == "required":
            continue
        reaches = [reach_of_address(address) for address in bind_addresses(bind)]
        known = [reach for reach in reaches if reach is not None]
        if known:
            found.append((line, bind, max(known)))
    return found


class Gate:
    """The conditions of one proxy, read for whether they ask who somebody is."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    @cached_property
    def turns_strangers_away(self) -> bool:
        """Whether a rule of the section, or of its defaults, judges who may go on.

        A rule that judges only what is asked for (path, method, host) does not count. One that is
        not understood does: nobody can be sure then.
        """
        # The statement `redirect` is not here: HAProxy serves the statistics page before it.
        for keyword in ("http-request", "tcp-request"):
            for line in self._proxy.lines(keyword):
                own, condition = split_condition(line.arguments)
                words = {word.value for word in own[:2]}
                is_foreign = any(word.startswith("lua.") for word in words)
                if is_foreign or (words & _TURNING_AWAY and self.asks_who(condition)):
                    return True
        return False

    def asks_who(self, condition: Sequence[Word]) -> bool:
        """Whether a condition may depend on who asks; one that is absent holds for everybody."""
        if not condition:
            return True
        try:
            operands = list(parse_condition(condition).operands())
        except WordProblem:
            return True
        return not all(map(self._is_about_the_request, operands))

    def _is_about_the_request(self, operand: Operand) -> bool:
        if operand.anonymous is not None:
            return _tells_what(operand.anonymous)
        if operand.name is None or operand.name.references:
            return False
        name = operand.name.value.lstrip("!")
        if name.startswith(_WHAT_PREDEFINED):
            return True
        expressions = self._acls.get(name, [])
        return bool(expressions) and all(map(_tells_what, expressions))

    @cached_property
    def _acls(self) -> dict[str, list[AclExpression]]:
        found: dict[str, list[AclExpression]] = {}
        for line in self._proxy.lines("acl"):
            try:
                declaration = parse_acl(line.arguments)
            except WordProblem:
                continue
            found.setdefault(declaration.name.value, []).append(declaration.expression)
        return found


def _tells_what(expression: AclExpression) -> bool:
    text = expression.sample.value
    name = leading_name(text)
    if name.startswith(_HEADER):
        return text[len(name) :].lower().startswith("(host")
    return name in _WHAT_EXACTLY or name.startswith(_WHAT)
