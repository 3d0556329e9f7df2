"""How far a sample expression reaches over the words of a line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gwlint.syntax.haproxy.keywords import converter
from gwlint.syntax.haproxy.tree import Word

_LEADING_NAME = re.compile(r"[A-Za-z0-9_.:+-]*")


def leading_name(text: str) -> str:
    """The name that `text` begins with, of a fetch or a converter; maybe empty."""
    match = _LEADING_NAME.match(text)
    return match[0] if match else ""


def sample_length(words: Sequence[Word], start: int) -> int:
    """How many words the expression at `start` takes.

    HAProxy goes on while words begin with a converter: in `set-var(txn.a) hdr(host) lower` the
    last two words are one expression (measured).
    """
    index = start + 1
    while index < len(words) and converter(leading_name(words[index].value)) is not None:
        index += 1
    return index - start
