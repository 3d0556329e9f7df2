"""What a variable can be worth at a place, as far as the configuration says so.

Values come from `set`, `map`, `geo` and `split_clients`; nearly all other variables are made of
the request and are not known. The `set` of a server runs before those of its locations, and those
of an outer location do not run for an inner one (measured on nginx 1.22.1 and 1.31.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.syntax.nginx.tree import Directive

MAX_VALUES = 64
"""More combinations than these are not followed; what is left out counts as unknown."""

MAX_DEPTH = 8
"""Variables in values of variables in values, ..."""

# A capture has one digit: `$1_app` is `$1` and a text (measured on nginx 1.22.1 and 1.31.3).
_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|([1-9]|\w+))", re.ASCII)
_CAPTURE = re.compile(r"\(\?P?<([A-Za-z_]\w*)>", re.ASCII)
_FOREIGN = re.compile(r"^js_|^perl|_by_lua")
_SPECIAL_ENTRIES = {
    "map": frozenset({"hostnames", "volatile", "include"}),
    "geo": frozenset({"ranges", "proxy", "proxy_recursive", "delete", "include"}),
    "split_clients": frozenset({"include"}),
}
_IF_KINDS = frozenset({"location if", "http server if", "limit_except"})


@dataclass(frozen=True, slots=True)
class Values:
    """`known` are values that it takes for some request; others too unless `is_complete`."""

    known: frozenset[str]
    is_complete: bool

    def __or__(self, other: Values) -> Values:
        return _bounded(self.known | other.known, self.is_complete and other.is_complete)

    def __add__(self, other: Values) -> Values:
        """Texts of which the first half is one of these and the second one of the others."""
        pairs = {one + two for one in self.known for two in other.known}
        return _bounded(pairs, self.is_complete and other.is_complete)


UNKNOWN = Values(frozenset(), False)
_BUILT_IN = {
    "scheme": Values(frozenset({"http", "https"}), True),
    "is_args": Values(frozenset({"", "?"}), True),
}


def _bounded(values: set[str] | frozenset[str], is_complete: bool) -> Values:
    if len(values) <= MAX_VALUES:
        return Values(frozenset(values), is_complete)
    return Values(frozenset(sorted(values)[:MAX_VALUES]), False)


def exactly(text: str) -> Values:
    return Values(frozenset({text}), True)


def pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """The literal parts and the variables of a value: (text, None) or (as written, name)."""
    done = 0
    for found in _REFERENCE.finditer(text):
        if found.start() > done:
            yield text[done : found.start()], None
        yield found[0], found[1] or found[2]
        done = found.end()
    if done < len(text):
        yield text[done:], None


class Variables:
    """The variables of one configuration."""

    def __init__(self, config: NginxConfig) -> None:
        self._set_levels: dict[str, set[int]] = {}
        self._set_locations: dict[tuple[str, int], set[int]] = {}
        for context, directive in config.find("set"):
            if len(directive.words) == 3:
                self._remember_set(directive.values[0].removeprefix("$"), context)
        self._blocks: dict[tuple[str, str], list[Context]] = {}
        self._captured: set[str] = set()
        self._written_elsewhere: set[str] = set()
        self._has_foreign_code = False
        for _, directive in config.everything():
            self._notice(directive)
        for context in config.main.descendants():
            if context.kind in _SPECIAL_ENTRIES and context.directive is not None:
                values = context.directive.values
                if values and context.parent is not None:
                    key = (context.parent.kind, values[-1].removeprefix("$"))
                    self._blocks.setdefault(key, []).append(context)
                for entry in context.directives:
                    self._captured.update(_CAPTURE.findall(entry.name))
        self._memory: dict[tuple[int, str], Values] = {}

    def _remember_set(self, name: str, context: Context) -> None:
        level, server = _level(context), _server(context)
        self._set_levels.setdefault(name, set()).add(id(level))
        if level is not server:
            self._set_locations.setdefault((name, id(server)), set()).add(id(level))

    def _notice(self, directive: Directive) -> None:
        """Whatever else may write a variable: captures, other modules, other languages."""
        name = directive.name
        if _FOREIGN.search(name):
            self._has_foreign_code = True
        if name.startswith("set_") or name.endswith("_set"):
            self._written_elsewhere.update(
                value.removeprefix("$") for value in directive.values if value.startswith("$")
            )
        for value in directive.values:
            if "(?" in value:
                self._captured.update(_CAPTURE.findall(value))

    def of(self, name: str, context: Context, depth: int = 0) -> Values:
        """The values of variable `name` (without `$`) for requests that `context` answers."""
        if name in _BUILT_IN:
            return _BUILT_IN[name]
        if depth > MAX_DEPTH or name in self._captured or name in self._written_elsewhere:
            return UNKNOWN
        key = (id(context), name)
        if key not in self._memory:
            # A variable that is made of itself finds this.
            self._memory[key] = UNKNOWN
            self._memory[key] = self._find(name, context, depth)
        return self._memory[key]

    def expand(self, text: str, context: Context, depth: int = 0) -> Values:
        """The texts that a value with variables can become."""
        parts = (
            exactly(part) if name is None else self.of(name, context, depth + 1)
            for part, name in pieces(text)
        )
        return reduce(Values.__add__, parts, exactly(""))

    def _find(self, name: str, context: Context, depth: int) -> Values:
        module = "stream" if context.kind.startswith("stream") else "http"
        blocks = self._blocks.get((module, name), [])
        is_set = name in self._set_levels
        if len(blocks) == 1 and not is_set:
            return self._in_block(blocks[0], context, depth)
        if blocks or not is_set or self._has_foreign_code:
            return UNKNOWN
        return self._set_at(name, context, depth)

    def _in_block(self, block: Context, context: Context, depth: int) -> Values:
        special = _SPECIAL_ENTRIES[block.kind]
        entries = [one for one in block.directives if one.name not in special and one.values]
        found = Values(frozenset(), block.is_complete)
        # Without a default the value is empty. split_clients has "*" instead.
        if not any(one.name in ("default", "*") for one in entries):
            found |= exactly("")
        for entry in entries:
            # Captures of the matching pattern ($1) are no variables of the place.
            found |= self.expand(entry.values[-1], context, depth)
        return found

    def _set_at(self, name: str, context: Context, depth: int) -> Values:
        """Follows the `set` directives in the order in which nginx runs them."""
        inner, server = _level(context), _server(context)
        running = [inner]
        if not _sets_always(inner, name) and server is not inner:
            # A request may come from another location by an internal redirect, with its value.
            elsewhere = self._set_locations.get((name, id(server)), set()) - {id(inner)}
            if elsewhere or server is None:
                return UNKNOWN
            running = [server, inner]
        found: Values | None = None
        for level in running:
            if not level.is_complete or level.own("break"):
                return UNKNOWN
            if id(level) in self._set_levels[name]:
                found = self._after(level, name, found, depth)
        return UNKNOWN if found is None else found

    def _after(self, level: Context, name: str, before: Values | None, depth: int) -> Values | None:
        """The values after the `set` directives of a level and of its `if` blocks."""
        conditional = {
            id(child.directive): child for child in level.children if child.kind in _IF_KINDS
        }
        found = before
        for directive in level.directives:
            if _is_set(directive, name):
                found = self.expand(directive.values[1], level, depth)
            branch = conditional.get(id(directive))
            if branch is None:
                continue
            for inner in branch.directives:
                if _is_set(inner, name):
                    value = self.expand(inner.values[1], branch, depth)
                    found = value if found is None else found | value
        return found


def _level(context: Context) -> Context:
    """The location or server in which an `if` or `limit_except` stands; else the context itself."""
    while context.kind in _IF_KINDS and context.parent is not None:
        context = context.parent
    return context


def _server(context: Context) -> Context | None:
    return context.within("http server") or context.within("stream server")


def _is_set(directive: Directive, name: str) -> bool:
    return (
        directive.name == "set"
        and len(directive.words) == 3
        and directive.values[0].removeprefix("$") == name
    )


def _sets_always(level: Context, name: str) -> bool:
    return any(_is_set(directive, name) for directive in level.own("set"))
