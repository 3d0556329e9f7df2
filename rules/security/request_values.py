"""What of a request gets into a value: variables are followed through `set`, `map` and captures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.variables import pieces
from gwlint.rules.addresses.locations import Location
from gwlint.rules.security.captures import Group, groups_of, takes_no_newline
from gwlint.syntax.nginx.tree import Directive

MAX_DEPTH = 8
"""Variables in values of variables in values, ..."""

DECODED = frozenset({"uri", "document_uri"})
"""nginx has decoded these: `%0d%0a` is a line end in them."""

_SPECIAL = frozenset({"hostnames", "volatile", "include"})


@dataclass(frozen=True, slots=True)
class Part:
    """One variable in a value, as it reaches the request.

    `name` is that of a variable of the request, without `$`; `group` the capture of a decoded path
    that it is. `through` are the directives by which it came, from the value outwards.
    """

    name: str
    group: Group | None
    through: tuple[Directive, ...]

    @property
    def admits_newlines(self) -> bool:
        if self.group is not None:
            return self.group.admits_newlines
        return self.name in DECODED

    @property
    def shown(self) -> str:
        return f"${self.name}"


class RequestValues:
    """The variables of one configuration that are made of requests."""

    def __init__(self, config: NginxConfig) -> None:
        self._settings: dict[tuple[int, str], Directive] = {}
        for context, directive in config.find("set"):
            if len(directive.values) == 2:
                name = directive.values[0].removeprefix("$")
                self._settings[id(context), name] = directive
        self._maps: dict[str, list[Directive]] = {}
        for context in config.main.descendants():
            if context.kind == "map" and context.directive is not None:
                values = context.directive.values
                if len(values) == 2:
                    self._maps[values[1].removeprefix("$")] = _variable_entries(context)

    def parts(self, text: str, context: Context) -> Iterator[Part]:
        """The variables of a value in a context, with those that it is made of."""
        yield from self._parts(text, context, (), set())

    def _parts(
        self, text: str, context: Context, through: tuple[Directive, ...], seen: set[str]
    ) -> Iterator[Part]:
        for _, name in pieces(text):
            if name is not None and name not in seen:
                # Each one is followed once: maps may name each other a thousand times.
                seen.add(name)
                yield from self._of(name, context, through, seen)

    def _of(
        self, name: str, context: Context, through: tuple[Directive, ...], seen: set[str]
    ) -> Iterator[Part]:
        group = _capture(name, context)
        if group is not None:
            yield Part(name, group, through)
            return
        if name.isdecimal() or len(through) >= MAX_DEPTH:
            return
        setting = self._setting(name, context)
        if setting is not None:
            yield from self._parts(setting.values[1], context, (*through, setting), seen)
        elif name in self._maps:
            for entry in self._maps[name]:
                yield from self._parts(entry.values[-1], context, (*through, entry), seen)
        elif name not in DECODED or _path_may_hold_newlines(context):
            yield Part(name, None, through)

    def _setting(self, name: str, context: Context) -> Directive | None:
        """The last `set` of the variable in the nearest level; None when there is none."""
        for level in context.outward():
            found = self._settings.get((id(level), name))
            if found is not None:
                return found
        return None


def _variable_entries(block: Context) -> list[Directive]:
    """The entries of a map whose values have variables.

    A number in a value is a capture of the entry's own pattern, not one of the location.
    """
    return [
        entry
        for entry in block.directives
        if entry.name not in _SPECIAL
        and entry.values
        and re.search(r"\$[A-Za-z_{]", entry.values[-1])
    ]


def _path_may_hold_newlines(context: Context) -> bool:
    """Whether the location around may have taken a path with a line end in it."""
    for level in context.outward():
        location = Location.of(level)
        if location is None:
            continue
        if location.modifier == "=" or (location.is_regex and takes_no_newline(location.pattern)):
            return False
    return True


def _capture(name: str, context: Context) -> Group | None:
    """The capture of the location around that a name or number means.

    None for a number where an `if` or a `rewrite` of the level may have matched since.
    """
    location = context.within("location")
    found = None if location is None else Location.of(location)
    if location is None or found is None or not found.is_regex:
        return None
    if name.isdecimal():
        matched_since = context is not location or location.own("rewrite")
        if matched_since or any(child.kind == "location if" for child in location.children):
            return None
    for group in groups_of(found.pattern):
        if name in (group.name, str(group.number)):
            return group
    return None
