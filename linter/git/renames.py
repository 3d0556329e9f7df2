"""Which files were moved since a revision: told by their content.

`git diff -M` knows only what is tracked, and needs an index to look at the work tree; a hook's
index may be that of another commit. So names are compared here: a file that is new, and one that
is gone, are one file when they are equal or share half of their lines.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gwlint.git.revision import Revision
from gwlint.project.reading import Unreadable

MOST_PAIRS = 10_000
"""How many pairs of a new and a gone file are compared; beyond that, only those that end alike, and
then those of one name."""

LEAST_ALIKE = 0.5
"""The share of bytes in common lines, of the longer file, as in `git diff -M`."""

_SHA256_LENGTH = 64


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a file without indentation and line endings, each with its bytes in all."""

    weights: Counter[bytes]
    total: int

    @classmethod
    def of(cls, data: bytes) -> _Lines:
        weights: Counter[bytes] = Counter()
        for line in data.splitlines():
            text = line.strip()
            weights[text] += len(text)
        return cls(weights, weights.total())

    def share_in(self, other: _Lines) -> float:
        longer = max(self.total, other.total)
        if not longer or min(self.total, other.total) < LEAST_ALIKE * longer:
            return 0.0
        return (self.weights & other.weights).total() / longer


def moved_files(new: Mapping[str, bytes], revision: Revision) -> dict[str, str]:
    """From the path that a file had at a revision to its path now.

    `new` are the contents of files, by real path, that the revision does not hold. Paths are real
    and absolute.
    """
    new = {path: data for path, data in new.items() if data.strip()}
    if not new:
        return {}
    gone = dict(_gone(revision))
    moved: dict[str, str] = {}
    for path, before in _equal(new, gone):
        moved[before] = path
    for path, before in _alike(new, gone, moved, revision):
        moved[before] = path
    return moved


def _gone(revision: Revision) -> Iterator[tuple[str, str]]:
    """Real path and object id of the files that are no longer there.

    A symbolic link that was left in their place is another thing. Names are looked up in their
    folders, since on some systems `A.conf` also opens `a.conf`.
    """
    folders: dict[str, set[str]] = {}
    for path, object_id in revision.files():
        folder, name = os.path.split(path)
        if folder not in folders:
            folders[folder] = _real_names(folder)
        if name not in folders[folder]:
            yield path, object_id


def _real_names(folder: str) -> set[str]:
    if os.path.realpath(folder) != folder:
        return set()
    try:
        return {entry.name for entry in os.scandir(folder) if not entry.is_symlink()}
    except OSError:
        return set()


def _equal(new: Mapping[str, bytes], gone: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Pairs of a new and a gone file of equal content, those of one name first."""
    by_id: dict[str, list[str]] = {}
    for before, object_id in gone.items():
        by_id.setdefault(object_id, []).append(before)
    lengths = {len(object_id) for object_id in by_id}
    waiting = {path: _candidates(data, by_id, lengths) for path, data in new.items()}
    for same_name in (True, False):
        for path, candidates in list(waiting.items()):
            for before in candidates:
                if not same_name or Path(before).name == Path(path).name:
                    yield path, before
                    by_id[gone[before]].remove(before)
                    del waiting[path]
                    break


def _candidates(data: bytes, by_id: dict[str, list[str]], lengths: set[int]) -> list[str]:
    """The gone files of this content, or of it with the line endings that git may keep.

    `lengths` are those of object ids, which tell how they were made.
    """
    for form in (data, data.replace(b"\r\n", b"\n")):
        header = b"blob %d\0" % len(form)
        for length in lengths:
            kind = hashlib.sha256 if length == _SHA256_LENGTH else hashlib.sha1
            found = by_id.get(kind(header + form).hexdigest())
            if found:
                return found
    return []


def _alike(
    new: Mapping[str, bytes],
    gone: Mapping[str, str],
    moved: Mapping[str, str],
    revision: Revision,
) -> list[tuple[str, str]]:
    """Pairs of the files that are left, the most similar first, each file once."""
    taken = set(moved.values())
    now = [path for path in new if path not in taken]
    then = [before for before in gone if before not in moved]
    pairs = _pairs(now, then)
    lines_now = {path: _Lines.of(new[path]) for path in now}
    lines_then = {before: _lines_then(before, revision) for before in {one for _, one in pairs}}
    scored = [
        (
            -lines_now[path].share_in(lines_then[before]),
            Path(path).name != Path(before).name,
            path,
            before,
        )
        for path, before in pairs
    ]
    found: list[tuple[str, str]] = []
    used: set[str] = set()
    for score, _, path, before in sorted(scored):
        if -score >= LEAST_ALIKE and path not in used and before not in used:
            used |= {path, before}
            found.append((path, before))
    return found


def _pairs(now: Sequence[str], then: Sequence[str]) -> list[tuple[str, str]]:
    """What to compare: everything, or where that is too much, what ends alike or has one name."""
    found: list[tuple[str, str]] = []
    for kind in (_any, _ending, _name):
        groups: dict[str, list[str]] = {}
        for before in then:
            groups.setdefault(kind(before), []).append(before)
        pairs = ((path, before) for path in now for before in groups.get(kind(path), ()))
        found = list(islice(pairs, MOST_PAIRS + 1))
        if len(found) <= MOST_PAIRS:
            break
    return found


def _any(path: str) -> str:  # noqa: ARG001
    return ""


def _ending(path: str) -> str:
    return Path(path).suffix


def _name(path: str) -> str:
    return Path(path).name


def _lines_then(path: str, revision: Revision) -> _Lines:
    try:
        return _Lines.of(revision.read(path))
    except Unreadable:
        return _Lines.of(b"")
