"""Error pages of a route, and the location that an internal redirect to one leads to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Pass
from gwlint.syntax.nginx.tree import Directive
from gwlint.syntax.values.whole_numbers import whole_number

MAX_MATCHES = 100_000
"""How many expressions are tried for one server; beyond that the location counts as not known."""

_LONGEST_URI = 100
"""Characters; names of error pages are short."""

_MOST_REPEATS = 3
_REPEAT = re.compile(r"[*+]|{[0-9]*,")
_REPEATED_GROUP = re.compile(r"\)[*+{]")

_MODIFIERS = ("^~", "~*", "=", "~")


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """One `error_page` directive: for these statuses, `target` is a URI, a URL or `@name`."""

    directive: Directive
    statuses: frozenset[int]
    target: str

    @property
    def is_internal(self) -> bool:
        """Whether nginx looks for a location, known before a request comes."""
        return self.target.startswith(("/", "@")) and "$" not in self.target


def error_pages(route: Pass) -> Iterator[ErrorPage]:
    """The error pages in force on a route; none where that is not certain."""
    effective = route.context.effective("error_page")
    if not effective.is_certain:
        return
    for directive in effective.directives:
        values = directive.values
        if len(values) > 1:
            statuses = frozenset(whole_number(one) for one in values[:-1] if one.isdecimal())
            yield ErrorPage(directive, statuses, values[-1])


class Locations:
    """The locations of one server, found by URI as nginx finds them.

    Says None rather than guess: where locations are nested, or a regular expression is one that
    cannot be read here.
    """

    def __init__(self, server: Context) -> None:
        self._is_known = server.is_complete
        self._named: dict[str, Context] = {}
        self._exact: dict[str, Context] = {}
        self._prefixes: dict[str, tuple[Context, bool]] = {}
        self._patterns: list[tuple[re.Pattern[str] | None, Context]] = []
        self._matches_left = MAX_MATCHES
        self._found: dict[str, Context | None] = {}
        for context in server.children:
            if context.kind == "location" and context.directive is not None:
                self._add(context, context.directive)

    def _add(self, context: Context, directive: Directive) -> None:
        modifier, path = _taken_apart(directive.values)
        if path.startswith("@") and not modifier:
            self._named.setdefault(path, context)
        elif modifier == "=":
            self._exact.setdefault(path, context)
        elif modifier in ("~", "~*"):
            self._patterns.append((_compiled(path, modifier == "~*"), context))
        else:
            self._prefixes.setdefault(path, (context, modifier == "^~"))

    def find(self, target: str) -> Context | None:
        if target not in self._found:
            uri = target.partition("?")[0]
            is_short = len(uri) <= _LONGEST_URI
            found = self._search(uri) if self._is_known and is_short else None
            is_plain = found is not None and all(one.kind != "location" for one in found.children)
            self._found[target] = found if is_plain else None
        return self._found[target]

    def _search(self, uri: str) -> Context | None:
        if uri.startswith("@"):
            return self._named.get(uri)
        if uri in self._exact:
            return self._exact[uri]
        lengths = range(len(uri), -1, -1)
        prefix = next((uri[:end] for end in lengths if uri[:end] in self._prefixes), None)
        context, is_final = self._prefixes.get(prefix or "", (None, False))
        return context if is_final else self._matched(uri, context)

    def _matched(self, uri: str, otherwise: Context | None) -> Context | None:
        """The first location whose expression matches; None where that cannot be told."""
        self._matches_left -= len(self._patterns)
        if self._matches_left < 0:
            return None
        for pattern, context in self._patterns:
            if pattern is None:
                return None
            if pattern.search(uri):
                return context
        return otherwise


def _compiled(pattern: str, ignores_case: bool) -> re.Pattern[str] | None:
    """None for what Python reads otherwise or not at all, and for what could take long to try:
    a group that repeats takes exponential time, many repeats a high power of the length."""
    if _REPEATED_GROUP.search(pattern) or len(_REPEAT.findall(pattern)) > _MOST_REPEATS:
        return None
    try:
        return re.compile(pattern, re.IGNORECASE if ignores_case else 0)
    except (re.error, RecursionError, OverflowError):
        return None


def _taken_apart(values: list[str]) -> tuple[str, str]:
    """Modifier and path; nginx also takes them written as one word."""
    if len(values) >= 2:
        return values[0], values[1]
    text = values[0] if values else ""
    modifier = next((one for one in _MODIFIERS if text.startswith(one)), "")
    return modifier, text[len(modifier) :]
