"""Headers that say who the client is and how it came: what a section does with them.

Measured on HAProxy 2.6.12 and 2.8.25: `option forwardfor` and `add-header` leave the header that
the client sent in front of their own; with `if-none` the client's is the only one; `set-header`
replaces it, and so does `del-header`, in the frontend or in the backend, before `option
forwardfor`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from gwlint.model.haproxy.proxy import Proxy
from gwlint.rules.hygiene.haproxy_conditions import EVERY_REQUEST, Conditions, Terms
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.conditions import split_condition

FORWARDED_FOR = "x-forwarded-for"
HEADERS = frozenset(
    {
        "forwarded",
        FORWARDED_FOR,
        "x-client-ip",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-forwarded-ssl",
        "x-real-ip",
    }
)

_REMOVING = frozenset({"del-header", "replace-header", "replace-value"})


class HeaderRules:
    """The `http-request` rules of one section that concern such headers."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy

    @cached_property
    def _by_header(self) -> dict[str, list[Line]]:
        found: dict[str, list[Line]] = {}
        for line in self.proxy.lines("http-request"):
            if len(line.values) > 1:
                found.setdefault(line.values[1].lower(), []).append(line)
        return found

    @cached_property
    def _is_hard_to_tell(self) -> bool:
        """Whether rules are there that may treat any header: patterns, Lua, filters."""
        rules = [line.values for line in self.proxy.lines("http-request") if line.values]
        return (
            any(values[0] == "del-header" and "-m" in values for values in rules)
            or any(values[0].startswith("lua.") for values in rules)
            or any(self.proxy.lines("filter", "spoe"))
        )

    def removes(self, header: str) -> bool:
        """Whether what the client sent is taken away, at least for some requests, or may be."""
        return self._is_hard_to_tell or any(
            line.values[0] in _REMOVING or line.values[0] == "set-header"
            for line in self._by_header.get(header, ())
        )

    def deletes(self, header: str) -> bool:
        return self._is_hard_to_tell or any(
            line.values[0] in _REMOVING for line in self._by_header.get(header, ())
        )

    def of(self, header: str, action: str) -> list[Line]:
        return [line for line in self._by_header.get(header, ()) if line.values[0] == action]

    @cached_property
    def text(self) -> str:
        """All words of conditions, in lower case: to see whether a header is read."""
        return " ".join(
            word.value.lower()
            for line in (*self.proxy.section.lines, *_inherited(self.proxy))
            for word in _reading(line)
        )

    def reads(self, header: str) -> bool:
        """Whether a condition or a value asks what a client, or a proxy before, sent."""
        return f"({header}" in self.text

    def covers_all(self, lines: Sequence[Line]) -> bool:
        """Whether one of the lines holds for each request; True when that cannot be told."""
        conditions = Conditions(self.proxy)
        terms = [conditions.terms(split_condition(line.arguments)[1]) for line in lines]
        known = [one for one in terms if one is not None]
        if len(known) < len(terms) or any(one == EVERY_REQUEST for one in known):
            return True
        return any(_are_opposite(one, other) for one in known for other in known)


def _inherited(proxy: Proxy) -> list[Line]:
    return [line for section in proxy.defaults for line in section.lines]


def _reading(line: Line) -> list[Word]:
    """The words of a line that read a request: all of a rule or an ACL but the header it sets."""
    return line.arguments[2:] if line.keyword == "http-request" else line.arguments


def _are_opposite(one: Terms, other: Terms) -> bool:
    """Whether one condition is a single test, and the other the same test negated."""
    if len(one) != 1 or len(other) != 1 or len(one[0]) != 1 or len(other[0]) != 1:
        return False
    mine, theirs = one[0][0], other[0][0]
    return mine.negated != theirs.negated and (
        (mine.matches == theirs.matches and bool(mine.matches)) or mine.name == theirs.name != ""
    )
