"""The buffers of a route, and the inequalities between them without which nginx does not start.

nginx checks them wherever it merges an outer level into an inner one: at each server and each
location, whether or not it passes requests on, and whether or not buffering is on (measured on
1.22.1 and 1.31.3). Values of the http level meet for the first time in a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gwlint.model.nginx.context import Context
from gwlint.model.nginx.units import size_of
from gwlint.syntax.nginx.tree import Directive
from gwlint.syntax.values.whole_numbers import whole_number

BUFFER_FAMILIES = ("proxy", "fastcgi", "uwsgi", "scgi")
"""The modules with all five directives; grpc and memcached have `<family>_buffer_size` alone."""

PAGE = 4096
"""Bytes; the default of `<family>_buffer_size` on x86 and most other machines."""

HEADER = "buffer_size"
BUFFERS = "buffers"
BUSY = "busy_buffers_size"
WRITE = "temp_file_write_size"
LIMIT = "max_temp_file_size"
SUFFIXES = (HEADER, BUFFERS, BUSY, WRITE, LIMIT)
"""`<family>_<suffix>` are the directives."""

LEVELS = frozenset({"http", "http server", "location"})
"""Where they may stand."""

Values = tuple[int, ...]
"""The arguments of one of the directives: bytes, or number and bytes for `buffers`."""

_DEFAULTS: Mapping[str, Values] = {HEADER: (PAGE,), BUFFERS: (8, PAGE), LIMIT: (1 << 30,)}
_KINDEST: Mapping[str, Values] = {HEADER: (0,), BUFFERS: (1 << 40, 1), LIMIT: (0,)}


class Inequality(Enum):
    """What nginx demands, in the order in which it looks. The values are the suffixes concerned.

    The first suffix is the one whose value is too small, or to blame where it is not written.
    """

    TWO_BUFFERS = (BUFFERS,)
    BUSY_HOLDS_ONE = (BUSY, HEADER, BUFFERS)
    BUSY_LEAVES_ONE = (BUFFERS, BUSY, HEADER)
    WRITE_HOLDS_ONE = (WRITE, HEADER, BUFFERS)
    LIMIT_HOLDS_ONE = (LIMIT, HEADER, BUFFERS)


@dataclass(frozen=True, slots=True)
class Buffers:
    """Sizes in bytes. `busy` and `write` are None where they are not set: twice `largest`."""

    header: int
    count: int
    size: int
    busy: int | None
    write: int | None
    limit: int

    @property
    def largest(self) -> int:
        """The larger one of the header buffer and one of the buffers for the body."""
        return max(self.header, self.size)

    @property
    def busy_in_force(self) -> int:
        return 2 * self.largest if self.busy is None else self.busy

    @property
    def room(self) -> int:
        """What is left of the buffers while one of them is being filled."""
        return (self.count - 1) * self.size

    def values(self, suffix: str) -> Values | None:
        """The arguments that `<family>_<suffix>` has here; None for an unset busy or write."""
        if suffix == BUFFERS:
            return self.count, self.size
        one = {HEADER: self.header, BUSY: self.busy, WRITE: self.write, LIMIT: self.limit}[suffix]
        return None if one is None else (one,)

    def broken(self) -> list[Inequality]:
        """The inequalities that do not hold; nginx names the first one."""
        found: list[Inequality] = []
        if self.count < 2:
            found.append(Inequality.TWO_BUFFERS)
        if self.busy_in_force < self.largest:
            found.append(Inequality.BUSY_HOLDS_ONE)
        if self.busy_in_force > self.room:
            found.append(Inequality.BUSY_LEAVES_ONE)
        if self.write is not None and self.write < self.largest:
            found.append(Inequality.WRITE_HOLDS_ONE)
        if 0 < self.limit < self.largest:
            found.append(Inequality.LIMIT_HOLDS_ONE)
        return found


Changes = Mapping[int, Mapping[str, Values]]
"""What an edit would set: id of a context -> suffix -> arguments."""


def buffers_at(
    context: Context, family: str, *, kindest: bool = False, changes: Changes | None = None
) -> Buffers:
    """The buffers in force at a level.

    What cannot be known, since an include or the surroundings of a fragment could set it, counts
    as its default, or, when `kindest`, as a value with which nginx would start if any does.
    `changes` are settings that are taken to be there as well.
    """
    found: dict[str, Values] = {}
    unknown: set[str] = set()
    for suffix in SUFFIXES:
        values, is_certain = _effective(context, family, suffix, changes or {})
        if not is_certain:
            unknown.add(suffix)
        if values is not None and (is_certain or not kindest):
            found[suffix] = values
    standing = {**_DEFAULTS, **found}
    if kindest:
        standing |= {suffix: _KINDEST[suffix] for suffix in _KINDEST if suffix in unknown}
    (header,), (count, size), (limit,) = standing[HEADER], standing[BUFFERS], standing[LIMIT]
    busy = max(header, size) if kindest and BUSY in unknown else _single(found.get(BUSY))
    return Buffers(header, count, size, busy, _single(found.get(WRITE)), limit)


def written_values(directive: Directive, suffix: str) -> Values | None:
    """The arguments as numbers; None when nginx refuses them, which is another fault."""
    sizes = directive.values
    if suffix == BUFFERS:
        if len(sizes) != 2 or not (sizes[0].isascii() and sizes[0].isdecimal()):
            return None
        count, size = whole_number(sizes[0]), size_of(sizes[1])
        return None if count < 1 or not size else (count, size)
    size = size_of(sizes[0]) if len(sizes) == 1 else None
    return None if size is None else (size,)


def _effective(
    context: Context, family: str, suffix: str, changes: Changes
) -> tuple[Values | None, bool]:
    """The arguments in force, None for the default, and whether that is certain."""
    is_certain = True
    for level in context.outward():
        changed = changes.get(id(level), {}).get(suffix)
        if changed is not None:
            return changed, is_certain
        written = level.own(f"{family}_{suffix}")
        if written:
            values = written_values(written[-1], suffix)
            return values, is_certain and values is not None
        is_certain = is_certain and level.is_complete
    return None, is_certain


def _single(values: Values | None) -> int | None:
    return None if values is None else values[0]
