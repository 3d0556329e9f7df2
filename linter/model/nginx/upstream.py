"""`upstream` blocks: their servers, balancing method and keep-alive pool."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from gwlint.model.nginx.context import Context
from gwlint.model.nginx.units import seconds_of
from gwlint.syntax.nginx.tree import Directive, Word
from gwlint.syntax.values.address import Address
from gwlint.syntax.values.nginx_address import parse_upstream_server
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.whole_numbers import whole_number

BALANCING_METHODS = frozenset({"ip_hash", "hash", "least_conn", "least_time", "random"})
"""Directives that choose the balancing method; without one it is weighted round robin."""

METHODS_WITHOUT_BACKUP = frozenset({"ip_hash", "hash", "random"})

DEFAULT_FAIL_TIMEOUT = 10.0
"""Seconds."""


@dataclass(frozen=True)
class UpstreamServer:
    """One `server` line of an upstream block."""

    directive: Directive

    @property
    def address_word(self) -> Word | None:
        arguments = self.directive.arguments
        return arguments[0] if arguments else None

    @cached_property
    def address(self) -> Address | None:
        """None when it cannot be read as an address."""
        word = self.address_word
        if word is None:
            return None
        try:
            return parse_upstream_server(word.value)
        except ValueProblem:
            return None

    def flag(self, name: str) -> Word | None:
        """The word of a parameter without a value: `down`, `backup`, `resolve`."""
        return next((word for word in self.directive.arguments[1:] if word.value == name), None)

    def parameter(self, name: str) -> Word | None:
        """The word `name=...`."""
        prefix = name + "="
        return next(
            (word for word in self.directive.arguments[1:] if word.value.startswith(prefix)), None
        )

    def number(self, name: str, default: int) -> int:
        word = self.parameter(name)
        text = "" if word is None else word.value.partition("=")[2]
        return whole_number(text) if text.isdecimal() else default

    @cached_property
    def is_down(self) -> bool:
        return self.flag("down") is not None

    @cached_property
    def is_backup(self) -> bool:
        return self.flag("backup") is not None

    @property
    def max_fails(self) -> int:
        """Failures within fail_timeout that take it out; 0 never does. Default 1."""
        return self.number("max_fails", 1)

    @property
    def fail_timeout(self) -> float:
        """Seconds. Default 10."""
        word = self.parameter("fail_timeout")
        parsed = None if word is None else seconds_of(word.value.partition("=")[2])
        return DEFAULT_FAIL_TIMEOUT if parsed is None else parsed


class Upstream:
    """One `upstream` block, of http or of stream."""

    def __init__(self, context: Context) -> None:
        assert context.directive is not None
        self.context = context
        self.directive = context.directive

    def __repr__(self) -> str:
        return f"Upstream({self.name!r})"

    @cached_property
    def name(self) -> str:
        values = self.directive.values
        return values[0] if values else ""

    @property
    def is_http(self) -> bool:
        return self.context.kind == "http upstream"

    @cached_property
    def servers(self) -> list[UpstreamServer]:
        return [UpstreamServer(directive) for directive in self.context.own("server")]

    @cached_property
    def method(self) -> Directive | None:
        """The directive that chooses the balancing method."""
        return next((one for one in self.context.directives if one.name in BALANCING_METHODS), None)

    @property
    def keepalive(self) -> Directive | None:
        return self.context.first("keepalive")

    @property
    def zone(self) -> Directive | None:
        return self.context.first("zone")

    @property
    def has_dynamic_servers(self) -> bool:
        """Whether servers come from elsewhere too: a state file, or an include not followed."""
        return not self.context.is_complete or self.context.first("state") is not None

    @cached_property
    def has_failover(self) -> bool:
        """Whether a request that failed at one server can go to another one."""
        return len([server for server in self.servers if not server.is_down]) > 1
