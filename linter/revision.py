"""A file after some rounds of changes, and the patch from what it was.

The rounds are composed, not compared afterwards: which bytes of the original are still there is
known, so the patch names exactly the lines that fixes touched, in linear time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from gwlint.edits import Change, apply
from gwlint.source import encode

CONTEXT_LINES = 3


@dataclass(frozen=True, slots=True)
class _Kept:
    """Bytes `start` to `end` of the original."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def part(self, start: int, end: int) -> _Kept:
        return _Kept(self.start + start, self.start + end)


@dataclass(frozen=True, slots=True)
class _New:
    """Bytes that a change brought."""

    data: bytes

    def __len__(self) -> int:
        return len(self.data)

    def part(self, start: int, end: int) -> _New:
        return _New(self.data[start:end])


_Piece = _Kept | _New


class Revision:
    """The original bytes of a file and the changes made to them so far."""

    def __init__(self, original: bytes) -> None:
        self.original = original
        self.data = original
        self._pieces: list[_Piece] = [_Kept(0, len(original))]

    def changed(self, changes: Sequence[Change]) -> Revision:
        """A new revision with `changes`, whose offsets count in this revision's `data`."""
        revision = Revision(self.original)
        revision.data = apply(self.data, changes)
        starts = [0, *accumulate(len(piece) for piece in self._pieces)]
        pieces: list[_Piece] = []
        done = 0
        for change in changes:
            pieces.extend(_cut(self._pieces, starts, done, change.start))
            pieces.append(_New(change.data))
            done = change.end
        pieces.extend(_cut(self._pieces, starts, done, len(self.data)))
        revision._pieces = pieces
        return revision

    @property
    def changes(self) -> list[Change]:
        """What to replace in the original to obtain `data`, in order of place."""
        found: list[Change] = []
        done = 0
        new: list[bytes] = []
        for piece in (*self._pieces, _Kept(len(self.original), len(self.original))):
            if isinstance(piece, _New):
                new.append(piece.data)
                continue
            if any(new) or piece.start > done:
                found.append(Change(done, piece.start, b"".join(new)))
            new = []
            done = piece.end
        return found

    @property
    def regions(self) -> list[Region]:
        """The lines of the original that differ, in order of place."""
        return _changed_lines(_lines(self.original), _settled(self.original, self.changes))

    def patch(self, path: str) -> bytes:
        """The unified patch that `git apply` and `patch -p1` take; empty when nothing changed."""
        lines = _lines(self.original)
        regions = self.regions
        if not regions:
            return b""
        parts = [b"--- %s\n+++ %s\n" % (_quoted("a/" + path), _quoted("b/" + path))]
        shift = 0
        for group in _grouped(regions):
            parts.append(_hunk(lines, group, shift))
            shift += sum(len(region.new) - (region.end - region.start) for region in group)
        return b"".join(parts)


def _cut(pieces: Sequence[_Piece], starts: Sequence[int], start: int, end: int) -> Iterator[_Piece]:
    """The pieces that spell bytes `start` to `end` of the text that `pieces` spell."""
    index = max(bisect_right(starts, start) - 1, 0)
    while index < len(pieces) and starts[index] < end:
        piece = pieces[index]
        first = max(start - starts[index], 0)
        last = min(end - starts[index], len(piece))
        if first < last:
            yield piece.part(first, last)
        index += 1


@dataclass(frozen=True, slots=True)
class Region:
    """Old lines `start` to `end` (from 0, end exclusive) and the lines that replace them, with
    their endings."""

    start: int
    end: int
    new: list[bytes]


def _lines(data: bytes) -> list[bytes]:
    """The lines with their endings; only LF ends a line."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _settled(original: bytes, changes: Sequence[Change]) -> list[Change]:
    """The same changes, each as small and, if it adds lines, as far at the beginning of a line as
    can be: so that a line behind which something is added counts as untouched."""
    settled: list[Change] = []
    limit = len(original)
    for change in reversed(changes):
        settled.append(_at_line_start(original, _smallest(original, change), limit))
        limit = change.start
    return settled[::-1]


def _smallest(original: bytes, change: Change) -> Change:
    """The change without what it replaces by itself, at its beginning and at its end."""
    old, new = original[change.start : change.end], change.data
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return Change(change.start + head, change.end - tail, new[head : len(new) - tail])


def _at_line_start(original: bytes, change: Change, limit: int) -> Change:
    """A line break and text in front of a line break is that text and a line break behind it."""
    start = change.start
    if start == change.end:
        for newline in (b"\r\n", b"\n"):
            end = start + len(newline)
            if end <= limit and original[start:end] == newline and change.data.startswith(newline):
                return Change(end, end, change.data[len(newline) :] + newline)
    return change


def _changed_lines(lines: Sequence[bytes], changes: Sequence[Change]) -> list[Region]:
    """The regions of whole lines that differ, each as small as can be."""
    starts = [0, *accumulate(len(line) for line in lines)]
    groups: list[tuple[int, int, list[Change]]] = []
    for change in changes:
        first = _line_index(starts, change.start)
        # The line in which the change ends belongs to it, since what follows may be glued on.
        last = min(_line_index(starts, change.end) + 1, len(lines))
        if groups and first < groups[-1][1]:
            begin, _, members = groups.pop()
            groups.append((begin, last, [*members, change]))
        else:
            groups.append((first, last, [change]))
    regions: list[Region] = []
    for first, last, members in groups:
        base = starts[first]
        local = [Change(one.start - base, one.end - base, one.data) for one in members]
        old = lines[first:last]
        region = _trimmed(first, old, _lines(apply(b"".join(old), local)))
        if region.new or region.start < region.end:
            regions.append(region)
    return regions


def _line_index(starts: Sequence[int], offset: int) -> int:
    """Index of the line that holds `offset`; the end of an unfinished last line belongs to it."""
    index = bisect_right(starts, offset) - 1
    return min(index, max(len(starts) - 2, 0))


def _trimmed(first: int, old: Sequence[bytes], new: list[bytes]) -> Region:
    """The region without the lines that begin or end both sides alike."""
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    tail = 0
    while tail < min(len(old), len(new)) - same and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return Region(first + same, first + len(old) - tail, new[same : len(new) - tail])


def _grouped(regions: Sequence[Region]) -> Iterator[list[Region]]:
    """Regions whose context lines would meet share one hunk."""
    group: list[Region] = []
    for region in regions:
        if group and region.start - group[-1].end > 2 * CONTEXT_LINES:
            yield group
            group = []
        group.append(region)
    if group:
        yield group


def _hunk(lines: Sequence[bytes], regions: Sequence[Region], shift: int) -> bytes:
    """One hunk; `shift` is how many lines the hunks before it added."""
    begin = max(regions[0].start - CONTEXT_LINES, 0)
    end = min(regions[-1].end + CONTEXT_LINES, len(lines))
    body: list[bytes] = []
    removed = added = 0
    at = begin
    for region in regions:
        body.extend(_marked(b" ", line) for line in lines[at : region.start])
        body.extend(_marked(b"-", line) for line in lines[region.start : region.end])
        body.extend(_marked(b"+", line) for line in region.new)
        removed += region.end - region.start
        added += len(region.new)
        at = region.end
    body.extend(_marked(b" ", line) for line in lines[at:end])
    old_count = end - begin
    new_count = old_count - removed + added
    # An empty side is numbered by the line before it, as diff does.
    old_start = begin + 1 if old_count else begin
    new_start = begin + shift + 1 if new_count else begin + shift
    return b"@@ -%d,%d +%d,%d @@\n%s" % (
        old_start,
        old_count,
        new_start,
        new_count,
        b"".join(body),
    )


def _marked(sign: bytes, line: bytes) -> bytes:
    if line.endswith(b"\n"):
        return sign + line
    return sign + line + b"\n\\ No newline at end of file\n"


def _quoted(path: str) -> bytes:
    """A path as git writes it in a patch: in C quotes when it holds anything unusual."""
    data = encode(path)
    plain = all(32 < byte < 127 and byte not in b'"\\' for byte in data)
    if plain:
        return data
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in data
    )
    return b'"' + escaped.encode("ascii") + b'"'
