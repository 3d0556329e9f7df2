"""Whole numbers of any length: a hostile file writes more digits than Python reads."""

from __future__ import annotations

LONGEST = 18
"""Digits. What is longer is too large for both servers, whose numbers have 64 bits at most."""


def whole_number(digits: str) -> int:
    """The number that decimal digits spell; 10**18 for all that are longer than `LONGEST`.

    Python refuses to convert more than 4,300 digits, and takes long for many fewer.
    """
    return int(digits) if len(digits) <= LONGEST else 10**LONGEST
