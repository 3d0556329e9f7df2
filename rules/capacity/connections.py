"""How many connections a worker may have, and how many files it may open."""

from __future__ import annotations

from dataclasses import dataclass

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.syntax.nginx.tree import Directive
from gwlint.syntax.values.whole_numbers import whole_number

DEFAULT_CONNECTIONS = 512
"""`worker_connections` where it is not set."""

FILES_PER_CONNECTION = 2
"""A connection may need a file beside its socket: a cached or buffered response."""


@dataclass(frozen=True, slots=True)
class Connections:
    """`count` is worker_connections in force; `directive` is None where it is not set."""

    events: Directive
    directive: Directive | None
    count: int


def connections(config: NginxConfig) -> Connections | None:
    """The worker_connections of a main file that is known completely; None otherwise."""
    events = next((one for one in config.main.children if one.kind == "events"), None)
    if events is None or events.directive is None or not events.is_certain:
        return None
    directive = events.first("worker_connections")
    if directive is None:
        return Connections(events.directive, None, DEFAULT_CONNECTIONS)
    count = number(directive)
    return None if count is None else Connections(events.directive, directive, count)


def number(directive: Directive) -> int | None:
    """The only argument as a number; None when it is none, which is another fault."""
    values = directive.values
    if len(values) != 1 or not (values[0].isascii() and values[0].isdecimal()):
        return None
    return whole_number(values[0])


def first_block(main: Context) -> Directive | None:
    """The first block of the main context, before which directives for the process stand."""
    return next((one for one in main.directives if one.block is not None), None)
