"""`server`, `default-server` and `server-template` lines (configuration manual, 5.2).

Measured on 2.6 and 2.8: `server <name> <address> [parameters]`; in `peers` sections the address
may be absent, and `peer` takes the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.parameters import ParameterList, read_parameters
from gwlint.syntax.values.whole_numbers import whole_number

SERVER_KEYWORDS = frozenset({"server", "default-server", "server-template", "peer"})


@dataclass(frozen=True, slots=True)
class ServerLine(ParameterList):
    """A server line in its parts.

    name: None for `default-server`; the prefix of the names for `server-template`.
    count: `<num>` or `<low-high>` of `server-template`.
    address: to be read by `values.addresses.parse_server_address`; None for `default-server` or
        where the line ends too early.
    """

    line: Line
    name: Word | None = None
    count: Word | None = None
    address: Word | None = None


def parse_server(line: Line) -> ServerLine:
    """The parts of a `server`, `default-server`, `server-template` or `peer` line."""
    words = line.arguments
    if line.keyword == "default-server":
        return ServerLine(read_parameters("server", words), line)
    name = words[0] if words else None
    if line.keyword == "server-template":
        count = words[1] if len(words) > 1 else None
        address = words[2] if len(words) > 2 else None
        return ServerLine(read_parameters("server", words[3:]), line, name, count, address)
    address = words[1] if len(words) > 1 else None
    return ServerLine(read_parameters("server", words[2:]), line, name, None, address)


_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True)
class TemplateRange:
    """The numbers of a `server-template`: `3` makes 1, 2, 3; `5-7` makes 5, 6, 7."""

    low: int
    high: int

    @property
    def size(self) -> int:
        return max(0, self.high - self.low + 1)


def parse_template_range(text: str) -> TemplateRange | None:
    """The range that `<num | low-high>` spells; None when it spells none."""
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    low = whole_number(match[1])
    return TemplateRange(1, low) if match[2] is None else TemplateRange(low, whole_number(match[2]))
