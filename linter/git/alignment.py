"""Which lines of a file are those of an earlier version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_LONGEST_MIDDLE = 500
"""Lines between the first and the last change that are compared one by one; the time grows with
the square of their number."""


def aligned_lines(before: bytes, now: bytes) -> dict[int, int]:
    """From lines now to the same lines before, both counted from 1.

    Between the first and the last change of a long file nothing may be known.
    """
    return dict(_pairs(_lines(before), _lines(now)))


def _lines(data: bytes) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in data.split(b"\n")]


def _pairs(before: Sequence[bytes], now: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    shorter = min(len(before), len(now))
    head = 0
    while head < shorter and before[head] == now[head]:
        head += 1
        yield head, head
    tail = 0
    while tail < shorter - head and before[-1 - tail] == now[-1 - tail]:
        yield len(now) - tail, len(before) - tail
        tail += 1
    old, new = before[head : len(before) - tail], now[head : len(now) - tail]
    if max(len(old), len(new)) <= _LONGEST_MIDDLE:
        for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
            for step in range(1, block.size + 1):
                yield head + block.b + step, head + block.a + step
