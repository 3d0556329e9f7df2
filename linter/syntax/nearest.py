"""Near names: what a misspelt word was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def edit_distance(left: str, right: str, limit: int) -> int:
    """How many letters must be inserted, removed, replaced or swapped with their neighbour.

    The optimal string alignment form of Damerau-Levenshtein distance: no letter is changed twice.
    Distances above `limit` are all given as `limit + 1`, which saves most of the work.
    """
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before_last: list[int] = []
    last = list(range(len(right) + 1))
    for row, letter in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            cost = last[column - 1] + (letter != other)
            if last[column] < cost:
                cost = last[column] + 1
            if current[column - 1] < cost:
                cost = current[column - 1] + 1
            if (
                row > 1
                and column > 1
                and letter == right[column - 2]
                and left[row - 2] == other
                and before_last[column - 2] < cost
            ):
                cost = before_last[column - 2] + 1
            current.append(cost)
        if min(current) > limit and min(last) > limit:
            return limit + 1
        before_last, last = last, current
    return min(last[-1], limit + 1)


def nearest(word: str, candidates: Iterable[str], limit: int = 2) -> list[str]:
    """The candidates that are nearest to `word`, at most `limit` edits away, in their order.

    All have the same distance; a word that is itself a candidate is its own nearest. Short words
    are near to everything, so a word may differ in at most a third of its letters.
    """
    limit = min(limit, len(word) // 3)
    letters = set(word)
    best: list[str] = []
    for candidate in candidates:
        if abs(len(candidate) - len(word)) > limit:
            continue
        # One edit makes at most one letter vanish, and a candidate that lacks more is too far.
        if len(letters.difference(candidate)) > limit:
            continue
        distance = edit_distance(word, candidate, limit)
        if distance < limit:
            limit = distance
            best = [candidate]
        elif distance == limit:
            best.append(candidate)
    return best
