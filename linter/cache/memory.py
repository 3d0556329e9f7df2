"""What a run printed, kept with all that it asked the disk.

The memory holds the report as it was rendered: to print it again nothing is parsed, no rule is
loaded, and it is the same to the byte. Secrets of a configuration are masked in it as in every
report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from gwlint.cache.outcome import Outcome
from gwlint.cache.program import program_state
from gwlint.cache.questions import KINDS, Observer, digest_of_answers
from gwlint.cache.shelf import Shelf, default_shelf
from gwlint.project.folders import DiskFolders
from gwlint.project.reading import Disk

VERSION = 1
"""Of the documents on the shelf."""


class Memory:
    """The outcome of one run: the same program with the same options in the same folder."""

    def __init__(self, shelf: Shelf, key: str) -> None:
        self._shelf = shelf
        self._key = key
        self.observer = Observer(Disk(), DiskFolders())
        """Where a run reads whose outcome is to be kept."""

    def recall(self) -> Outcome | None:
        """What the run printed, if everything that it saw on the disk is still the same."""
        document = self._shelf.get(self._key)
        if not _is_document(document):
            return None
        digest = digest_of_answers(document["questions"], Disk(), DiskFolders())
        if digest != document["answers"]:
            return None
        code, texts, notes, annotations, step_summary, places = document["outcome"]
        return Outcome(code, tuple(texts), tuple(notes), annotations, step_summary, tuple(places))

    def keep(self, outcome: Outcome) -> None:
        """Keep what was printed, unless files changed while it was found."""
        if self.observer.is_consistent:
            self._shelf.put(
                self._key,
                {
                    "version": VERSION,
                    "questions": self.observer.questions,
                    "answers": self.observer.digest,
                    "outcome": outcome,
                },
            )


def memory_of(run: object) -> Memory | None:
    """The memory of a run; `run` is all that decides about it, the disk apart, and its `repr` says
    so. None where nothing can be kept."""
    shelf = default_shelf()
    if shelf is None:
        return None
    try:
        identity = f"{VERSION}\n{program_state()}\n{run!r}"
    except OSError:
        return None
    return Memory(shelf, hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest())


def _is_document(document: Any) -> bool:
    """Whether what lay on the shelf has the shape of what `keep` puts there."""
    if not isinstance(document, Mapping) or document.get("version") != VERSION:
        return False
    questions, outcome = document.get("questions"), document.get("outcome")
    return (
        isinstance(questions, Mapping)
        and questions.keys() == set(KINDS)
        and all(map(_are_texts, questions.values()))
        and isinstance(outcome, list)
        and [type(part) for part in outcome] == [int, list, list, str, str, list]
        and all(_are_texts(part) for part in outcome if isinstance(part, list))
    )


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) for one in values)
