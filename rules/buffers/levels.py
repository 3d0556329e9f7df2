"""Buffer sizes that are raised together, so that nginx starts with them at every level.

A change at one level reaches the levels below that inherit it, and a change in an included file
reaches every place that includes it; a fix is offered only when it suits them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gwlint.edits import Edit
from gwlint.model.nginx.buffers import (
    LEVELS,
    SUFFIXES,
    Buffers,
    Values,
    buffers_at,
)
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.syntax.nginx.amend import added_after, added_inside, arguments_replaced
from gwlint.syntax.nginx.tree import Directive


class FamilyLevels:
    """The levels at which one family's buffers are written."""

    def __init__(self, config: NginxConfig, family: str) -> None:
        self.config = config
        self.family = family
        self.names = {suffix: f"{family}_{suffix}" for suffix in SUFFIXES}
        found: dict[int, Context] = {}
        for context, _ in config.find(*self.names.values()):
            if context.kind in LEVELS:
                found.setdefault(id(context), context)
        self.written = list(found.values())
        self._below: dict[int, list[Context]] = {}
        for level in self.written:
            for outer in level.outward():
                self._below.setdefault(id(outer), []).append(level)

    def own(self, level: Context) -> dict[str, Directive]:
        """Suffix -> directive that stands at this very level."""
        return {
            suffix: found[-1] for suffix, name in self.names.items() if (found := level.own(name))
        }

    def raised(
        self, level: Context, anchor: Directive, header: int | None = None
    ) -> tuple[dict[str, Values], list[Edit]] | None:
        """What to write at `level` so that nginx starts, and the edits that write it.

        `header` is the new `<family>_buffer_size`, None to leave it. New directives go behind
        `anchor` or, where its file has other includers that they do not suit, to the end of the
        block. None when no set of values suits every level that it reaches.
        """
        before = buffers_at(level, self.family)
        start = before if header is None else replace(before, header=header)
        for place in (anchor, None):
            for after in _candidates(start):
                settings = {
                    suffix: values
                    for suffix in SUFFIXES
                    if (values := after.values(suffix)) is not None
                    and values != before.values(suffix)
                }
                touched = self._touched(level, place, settings)
                if settings and touched is not None and self._suits(touched, settings):
                    return settings, self._edits(level, place, settings)
        return None

    def _touched(
        self, level: Context, anchor: Directive | None, settings: Mapping[str, Values]
    ) -> list[Context] | None:
        """The levels that the edits write to; None when one of them has the new line already."""
        own = self.own(level)
        touched = {id(level): level}
        for suffix in settings:
            at = own.get(suffix, anchor)
            if at is None:
                block = level.directive
                if block is None or len(self.config.contexts_of(block)) > 1:
                    return None
                continue
            for context in self.config.contexts_of(at):
                if suffix not in own and suffix in self.own(context):
                    return None
                touched[id(context)] = context
        return list(touched.values())

    def _suits(self, touched: list[Context], settings: Mapping[str, Values]) -> bool:
        changes = {id(context): settings for context in touched}
        for context in touched:
            if buffers_at(context, self.family, changes=changes).broken():
                return False
            for level in self._below.get(id(context), ()):
                if (
                    buffers_at(level, self.family, changes=changes).broken()
                    and not buffers_at(level, self.family).broken()
                ):
                    return False
        return True

    def _edits(
        self, level: Context, anchor: Directive | None, settings: Mapping[str, Values]
    ) -> list[Edit]:
        own = self.own(level)
        edits: list[Edit] = []
        added: list[str] = []
        for suffix, values in settings.items():
            if suffix in own:
                edits.append(arguments_replaced(own[suffix], spelled(values)))
            else:
                added.append(f"{self.names[suffix]} {spelled(values)};")
        if added and anchor is not None:
            edits.append(added_after(anchor, *added))
        elif added and level.directive is not None:
            edits.append(added_inside(level.directive, *added))
        return edits


def _candidates(buffers: Buffers) -> Iterator[Buffers]:
    """Sets that fulfil all inequalities, the customary one first; nothing in them is lowered.

    Larger buffers are customary, but reach the other inequalities of inner levels; more buffers
    of the same size break none anywhere.
    """
    for busy_per_buffer in (2, 1):
        for larger in (True, False):
            yield _raised(buffers, busy_per_buffer, larger)


def _raised(buffers: Buffers, busy_per_buffer: int, larger: bool) -> Buffers:
    largest = buffers.largest
    busy, write, limit = buffers.busy, buffers.write, buffers.limit
    if busy is not None and busy < largest:
        busy = busy_per_buffer * largest
    if write is not None and write < largest:
        write = 2 * largest
    if 0 < limit < largest:
        limit = largest
    wanted = 2 * largest if busy is None else busy
    count, size = max(buffers.count, 2), buffers.size
    if (count - 1) * size < wanted:
        size = max(size, buffers.header) if larger else size
        count = max(count, -(-wanted // size) + 1)
    return Buffers(buffers.header, count, size, busy, write, limit)


def spelled(values: Values) -> str:
    """The arguments as they are written: "8 16k"."""
    if len(values) == 2:
        return f"{values[0]} {in_kilobytes(values[1])}"
    return in_kilobytes(values[0])


def in_kilobytes(size: int) -> str:
    """Bytes as nginx reads them: "16k", or "1000" where it is no whole number of kilobytes."""
    return f"{size // 1024}k" if size and size % 1024 == 0 else str(size)


def statement_text(family: str, suffix: str, values: Values) -> str:
    """A directive as it is written, without the semicolon."""
    return f"{family}_{suffix} {spelled(values)}"
