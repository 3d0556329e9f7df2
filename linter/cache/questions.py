"""Everything that a run asks the disk, so that a later run can ask again and compare.

A run sees files only through a `Reader` and a `Folders`. Where all their answers are the same, in a
program that is the same, so is what it finds: which files were looked for in vain, what a glob
matched and where links lead are questions like any other. Contents are always read and compared by
a digest; times of change are not trusted, since tools set them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from gwlint.project.folders import Entry, Folders
from gwlint.project.reading import Reader, Unreadable
from gwlint.source import encode

Questions = Mapping[str, Sequence[str]]
"""Kind of question -> what was asked about: a path, a pattern, or paths joined by NUL."""

_SEPARATOR = "\0"


class Observer:
    """A `Reader` and `Folders` that remembers what it was asked, and what the answers were."""

    def __init__(self, reader: Reader, folders: Folders) -> None:
        self._reader = reader
        self._folders = folders
        self._asked: dict[str, dict[str, bytes]] = {kind: {} for kind in KINDS}
        self.is_consistent = True
        """False once one question had two answers: a file was changed during the run."""

    @property
    def questions(self) -> dict[str, list[str]]:
        """All that was asked, each question once, in the order of asking."""
        return {kind: list(answers) for kind, answers in self._asked.items()}

    @property
    def digest(self) -> str:
        """The digest of all answers, as `digest_of_answers` gives it for the same questions."""
        return _digest(answer for kind in KINDS for answer in self._asked[kind].values())

    def read(self, absolute: str) -> bytes:
        try:
            data = self._reader.read(absolute)
        except Unreadable as error:
            self._note("read", absolute, _of_failure(error))
            raise
        self._note("read", absolute, _of_content(data))
        return data

    def is_file(self, absolute: str) -> bool:
        answer = self._reader.is_file(absolute)
        self._note("is_file", absolute, _of_bool(answer))
        return answer

    def is_folder(self, absolute: str) -> bool:
        answer = self._folders.is_folder(absolute)
        self._note("is_folder", absolute, _of_bool(answer))
        return answer

    def entries(self, absolute: str) -> list[Entry]:
        answer = self._folders.entries(absolute)
        self._note("entries", absolute, _of_entries(answer))
        return answer

    def real_path(self, absolute: str) -> str:
        answer = self._folders.real_path(absolute)
        self._note("real_path", absolute, os.fsencode(answer))
        return answer

    def glob(self, pattern: str) -> list[str]:
        answer = self._folders.glob(pattern)
        self._note("glob", pattern, _of_paths(sorted(answer)))
        return answer

    def not_ignored(self, paths: Sequence[str]) -> list[str]:
        answer = self._folders.not_ignored(paths)
        self._note("not_ignored", _SEPARATOR.join(paths), _of_paths(answer))
        return answer

    def _note(self, kind: str, asked: str, answer: bytes) -> None:
        if self._asked[kind].setdefault(asked, answer) != answer:
            self.is_consistent = False


def digest_of_answers(questions: Questions, reader: Reader, folders: Folders) -> str:
    """Ask everything again. Raises KeyError for questions of a kind that is missing."""
    real_path = _RealPaths(folders)

    def read(absolute: str) -> bytes:
        try:
            return _of_content(reader.read(absolute))
        except Unreadable as error:
            return _of_failure(error)

    ask: dict[str, Callable[[str], bytes]] = {
        "read": read,
        "is_file": lambda absolute: _of_bool(reader.is_file(absolute)),
        "is_folder": lambda absolute: _of_bool(folders.is_folder(absolute)),
        "entries": lambda absolute: _of_entries(folders.entries(absolute)),
        "real_path": lambda absolute: os.fsencode(real_path(absolute)),
        "glob": lambda pattern: _of_paths(sorted(folders.glob(pattern))),
        "not_ignored": lambda joined: _of_paths(
            folders.not_ignored(joined.split(_SEPARATOR) if joined else [])
        ),
    }
    return _digest(answer for kind in KINDS for answer in map(ask[kind], questions[kind]))


KINDS = ("entries", "is_file", "is_folder", "glob", "real_path", "read", "not_ignored")
"""The kinds of questions, in the order in which they are asked again."""


class _RealPaths:
    """`Folders.real_path` for many paths at one moment: of each folder it is found once."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._known: dict[str, str] = {}

    def __call__(self, absolute: str) -> str:
        folder, name = os.path.split(absolute)
        if name in ("", os.curdir, os.pardir) or os.path.islink(absolute):  # noqa: PTH114
            return self._folders.real_path(absolute)
        if folder not in self._known:
            self._known[folder] = self._folders.real_path(folder)
        return os.path.join(self._known[folder], name)  # noqa: PTH118


def _digest(answers: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for answer in answers:
        # The length keeps two answers from being taken for two others.
        digest.update(b"%d:" % len(answer) + answer)
    return digest.hexdigest()


def _of_content(data: bytes) -> bytes:
    return b"content " + hashlib.sha256(data).digest()


def _of_failure(error: Unreadable) -> bytes:
    return b"unreadable " + encode(str(error))


def _of_bool(answer: bool) -> bytes:
    return b"yes" if answer else b"no"


def _of_entries(entries: Iterable[Entry]) -> bytes:
    return b"".join(
        b"%s\0%d%d%d" % (os.fsencode(one.path), one.is_folder, one.is_file, one.is_link)
        for one in entries
    )


def _of_paths(paths: Iterable[str]) -> bytes:
    return b"\0".join(map(os.fsencode, paths))
