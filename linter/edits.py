"""Edits and fixes: what to change, kept apart from how a file is written.

An edit replaces one span by text. Edits never touch a tree: a fix is computed from one tree,
applied to the bytes, and the result is parsed again.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from gwlint.source import Source, Span, encode


class Safety(Enum):
    """What a fix promises.

    SAFE: no request that worked can fail because of it, and clients see no other change than the
    fault gone. UNSAFE: better for nearly all, but behaviour changes.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"


class Edit(NamedTuple):
    """Replace `span` by `text`. An empty span inserts."""

    span: Span
    text: str

    @classmethod
    def insert(cls, source: Source, offset: int, text: str) -> Edit:
        return cls(Span(source, offset, offset), text)

    @classmethod
    def delete(cls, span: Span) -> Edit:
        return cls(span, "")

    @property
    def path(self) -> str:
        return self.span.path


class Fix(NamedTuple):
    """Edits that together remove one fault; all of them are applied, or none."""

    title: str
    safety: Safety
    edits: tuple[Edit, ...]


def conflicts(edits: Iterable[Edit], others: Iterable[Edit]) -> bool:
    """Whether an edit of one group touches bytes that an edit of the other replaces.

    Two insertions at one place conflict as well, since their order would be a guess.
    """
    return any(_overlap(one, other) for one in edits for other in others)


def _overlap(one: Edit, other: Edit) -> bool:
    if one.path != other.path:
        return False
    a, b = one.span, other.span
    if a.start == b.start:
        return True
    return a.start < b.end and b.start < a.end


def compatible(fixes: Iterable[Fix]) -> list[Fix]:
    """The fixes, in order, that do not conflict with an earlier one; the rest waits for a round.

    An edit that repeats one already taken is no conflict: two rules may ask for the same line.
    """
    taken: set[Edit] = set()
    # What is taken does not overlap, so only the neighbours of a new edit can conflict with it.
    in_order: dict[str, list[Edit]] = {}
    chosen: list[Fix] = []
    for fix in fixes:
        new = [edit for edit in fix.edits if edit not in taken]
        if any(conflicts([edit], _neighbours(edit, in_order.get(edit.path, []))) for edit in new):
            continue
        chosen.append(fix)
        for edit in new:
            taken.add(edit)
            insort(in_order.setdefault(edit.path, []), edit, key=_bounds)
    return chosen


def _neighbours(edit: Edit, others: list[Edit]) -> list[Edit]:
    """Of edits in order of place, the ones before and behind the place of `edit`."""
    index = bisect_left(others, _bounds(edit), key=_bounds)
    return others[max(index - 1, 0) : index + 1]


def _bounds(edit: Edit) -> tuple[int, int]:
    return edit.span.start, edit.span.end


@dataclass(frozen=True, slots=True)
class Change:
    """A replacement in bytes that belong to no `Source` object: offsets and new bytes."""

    start: int
    end: int
    data: bytes


def changes_for(path: str, fixes: Iterable[Fix]) -> list[Change]:
    """The distinct changes that compatible fixes make to one file, in order of place."""
    found = {
        (edit.span.start, edit.span.end, encode(edit.text))
        for fix in fixes
        for edit in fix.edits
        if edit.path == path
    }
    return [Change(*parts) for parts in sorted(found)]


def apply(data: bytes, changes: Sequence[Change]) -> bytes:
    """`data` with all changes made. Changes are sorted and do not overlap (ValueError if not)."""
    pieces: list[bytes] = []
    done = 0
    for change in changes:
        if change.start < done or change.end < change.start or change.end > len(data):
            raise ValueError(f"changes overlap or lie outside the text at byte {change.start}")
        pieces.append(data[done : change.start])
        pieces.append(change.data)
        done = change.end
    pieces.append(data[done:])
    return b"".join(pieces)
