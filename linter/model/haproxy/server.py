"""`server` lines with what they inherit from `default-server` lines before them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from itertools import takewhile
from operator import itemgetter

from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.address import Address
from gwlint.syntax.values.addresses import parse_address
from gwlint.syntax.values.parameters import Parameter
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.server_line import ServerLine, parse_server
from gwlint.syntax.values.times import parse_time
from gwlint.syntax.values.whole_numbers import whole_number

_SWITCH = "disabled, enabled"
"""Under this key stand both parameters, of which the last one counts."""


def is_certain(parsed: ServerLine) -> bool:
    """Whether neither a condition nor a variable decides about the parameters of a line."""
    return not parsed.line.conditions and not any(one.uncertain for one in parsed.parameters)


class DefaultServers:
    """The default-server lines of one proxy, shared by its servers.

    A server inherits only those before it: `count` is always how many of them that are. It also
    inherits all those of `outer`, which stand in defaults sections.
    """

    def __init__(self, lines: Sequence[Line], outer: DefaultServers | None = None) -> None:
        self._lines = lines
        self._outer = outer

    def lines(self, count: int) -> list[Line]:
        """The first `count` lines after all outer ones, from far to near."""
        outer = [] if self._outer is None else self._outer._lines
        return [*outer, *self._lines[:count]]

    def last(self, name: str, count: int) -> Parameter | None:
        """The last word of the first `count` lines about a parameter, negated or not."""
        said = self._by_name.get(name, ())
        index = bisect_left(said, count, key=itemgetter(0)) if said else 0
        if index:
            return said[index - 1][1]
        return None if self._outer is None else self._outer.last(name, len(self._outer._lines))

    def switch(self, count: int) -> Parameter | None:
        """The last `disabled` or `enabled` of the first `count` lines."""
        return self.last(_SWITCH, count)

    def are_certain(self, count: int) -> bool:
        """Whether neither a condition nor a variable decides about the first `count` lines."""
        is_outer_certain = self._outer is None or self._outer._certain == len(self._outer._lines)
        return is_outer_certain and count <= self._certain

    def are_unconditional(self, count: int) -> bool:
        """Whether the first `count` lines are there whatever `.if` decides."""
        outer = self._outer
        is_outer_there = outer is None or outer._unconditional == len(outer._lines)
        return is_outer_there and count <= self._unconditional

    @cached_property
    def _certain(self) -> int:
        """How many lines there are up to the first that hangs on a condition or a variable."""
        certain = takewhile(lambda line: is_certain(parse_server(line)), self._lines)
        return sum(1 for _ in certain)

    @cached_property
    def _unconditional(self) -> int:
        """How many lines there are up to the first that hangs on a condition."""
        return sum(1 for _ in takewhile(lambda line: line.branch is None, self._lines))

    @cached_property
    def _by_name(self) -> dict[str, list[tuple[int, Parameter]]]:
        """What the lines say, by parameter: each with the number of its line, from 0."""
        found: dict[str, list[tuple[int, Parameter]]] = {}
        for number, line in enumerate(self._lines):
            for parameter in parse_server(line).parameters:
                found.setdefault(parameter.name, []).append((number, parameter))
                if parameter.name in ("disabled", "enabled"):
                    found.setdefault(_SWITCH, []).append((number, parameter))
        return found


class Server:
    """One `server` or `server-template` line, with the default-server lines before it."""

    def __init__(self, line: Line, defaults: DefaultServers, count: int) -> None:
        self.line = line
        self._defaults = defaults
        self._count = count

    def __repr__(self) -> str:
        return f"Server({self.line.normalised!r})"

    @property
    def inherited(self) -> Sequence[Line]:
        """The default-server lines before it, from far to near."""
        return self._defaults.lines(self._count)

    @property
    def is_certain(self) -> bool:
        """Whether neither a condition nor a variable decides about its parameters."""
        return is_certain(self.parsed) and self._defaults.are_certain(self._count)

    @property
    def inherits_conditions(self) -> bool:
        """Whether a default-server line before it stands in an `.if` block."""
        return not self._defaults.are_unconditional(self._count)

    @cached_property
    def parsed(self) -> ServerLine:
        return parse_server(self.line)

    @property
    def name(self) -> str:
        return "" if self.parsed.name is None else self.parsed.name.value

    @property
    def address_word(self) -> Word | None:
        return self.parsed.address

    @cached_property
    def address(self) -> Address | None:
        """None when it is missing or cannot be read as an address."""
        word = self.address_word
        if word is None:
            return None
        try:
            return parse_address(word.value)
        except ValueProblem:
            return None

    def parameter(self, keyword: str) -> Parameter | None:
        """The parameter in force: from the line itself, else from the nearest default-server.

        None when nobody set it or when the last word about it is `no-<keyword>`.
        """
        parameter = self.last(keyword)
        return None if parameter is None or parameter.negated else parameter

    def last(self, keyword: str) -> Parameter | None:
        """The last word about a parameter, negated or not, the line itself before the defaults."""
        return self._own.get(keyword) or self._defaults.last(keyword, self._count)

    @cached_property
    def _own(self) -> dict[str, Parameter]:
        """The parameters of its own line by name, the last of each."""
        return {one.name: one for one in self.parsed.parameters}

    def has(self, keyword: str) -> bool:
        return self.parameter(keyword) is not None

    def value(self, keyword: str) -> Word | None:
        """The first value of a parameter."""
        parameter = self.parameter(keyword)
        return None if parameter is None else parameter.value

    def seconds(self, keyword: str, default: float) -> float:
        """A time parameter such as `inter`, in seconds."""
        word = self.value(keyword)
        if word is None or word.references:
            return default
        try:
            return parse_time(word.value).seconds
        except ValueProblem:
            return default

    def number(self, keyword: str, default: int) -> int:
        word = self.value(keyword)
        return whole_number(word.value) if word is not None and word.value.isdecimal() else default

    @property
    def is_checked(self) -> bool:
        """Whether its health is known: an own check, or that of a tracked server."""
        return self.has("check") or self.has("track")

    @property
    def is_backup(self) -> bool:
        return self.has("backup")

    @cached_property
    def is_disabled(self) -> bool:
        """Whether the last word about it, own before inherited, is `disabled`, not `enabled`."""
        for parameter in reversed(self.parsed.parameters):
            if parameter.name in ("disabled", "enabled"):
                return parameter.name == "disabled"
        inherited = self._defaults.switch(self._count)
        return inherited is not None and inherited.name == "disabled"
