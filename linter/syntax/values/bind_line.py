"""`bind` and `default-bind` lines, and `stats socket` (configuration manual, 5.1 and 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.parameters import ParameterList, read_parameters


@dataclass(frozen=True, slots=True)
class BindLine(ParameterList):
    """A bind line in its parts.

    address: one or more addresses joined by commas, to be read by
        `values.addresses.parse_bind_addresses`; None for `default-bind`, or where it is missing.
    """

    line: Line
    address: Word | None = None


def parse_bind(line: Line) -> BindLine:
    """The parts of `bind <address> [parameters]`, `default-bind` and `stats socket <path> ...`."""
    words = line.arguments
    if line.keyword == "default-bind":
        return BindLine(read_parameters("bind", words), line)
    if line.keyword == "stats":
        words = words[1:]
    return BindLine(read_parameters("bind", words[1:]), line, words[0] if words else None)
