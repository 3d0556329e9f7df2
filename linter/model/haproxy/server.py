"""`server` lines with what they inherit from `default-server` lines before them."""

from __future__ import annotations

from functools import cached_property

from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.address import Address
from gwlint.syntax.values.addresses import parse_address
from gwlint.syntax.values.parameters import Parameter
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.server_line import ServerLine, parse_server
from gwlint.syntax.values.times import parse_time


class Server:
    """One `server` or `server-template` line. `inherited` are default-server lines, far to near."""

    def __init__(self, line: Line, inherited: tuple[Line, ...]) -> None:
        self.line = line
        self.inherited = inherited

    def __repr__(self) -> str:
        return f"Server({self.line.normalised!r})"

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
        for parsed in (self.parsed, *map(parse_server, reversed(self.inherited))):
            parameter = parsed.last(keyword)
            if parameter is not None:
                return parameter
        return None

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
        return int(word.value) if word is not None and word.value.isdecimal() else default

    @property
    def is_checked(self) -> bool:
        """Whether its health is known: an own check, or that of a tracked server."""
        return self.has("check") or self.has("track")

    @property
    def is_backup(self) -> bool:
        return self.has("backup")

    @property
    def is_disabled(self) -> bool:
        """Whether the last word about it, own before inherited, is `disabled`, not `enabled`."""
        for parsed in (self.parsed, *map(parse_server, reversed(self.inherited))):
            for parameter in reversed(parsed.parameters):
                if parameter.name in ("disabled", "enabled"):
                    return parameter.name == "disabled"
        return False
