"""Versions of nginx and HAProxy, which are compared as numbers: 1.9 is older than 1.27.3."""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){1,3}")


class Version(NamedTuple):
    """A release, ordered on its numbers. A branch (1.22) stands before its releases (1.22.1)."""

    numbers: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Version:
        """The version that `text` spells, such as "1.22.1" or "2.8".

        Raises ValueError when `text` is not two to four numbers joined by dots.
        """
        if not _VERSION.fullmatch(text):
            raise ValueError(f"not a version: {text!r} (expected numbers such as 1.22.1)")
        return cls(tuple(int(number) for number in text.split(".")))

    def __str__(self) -> str:
        return ".".join(str(number) for number in self.numbers)
