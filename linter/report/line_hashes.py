"""The hash by which GitHub code scanning knows a line: `primaryLocationLineHash`.

The upload action of GitHub computes it when a SARIF file lacks it; uploads by the API need it
there. It covers the first 100 characters, blanks and tabs left out, from the beginning of the
line on: a polynomial with the base 37 modulo 2**64 over UTF-16 units, in hexadecimal, with the
number of times that it has occurred in the file. Every line ending counts as LF. After the file
comes one unit 65535, then zeros.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

_LENGTH = 100
_BASE = 37
_MASK = 2**64 - 1
_END_OF_FILE = 0xFFFF
_UTF16 = "utf-16-le" if sys.byteorder == "little" else "utf-16-be"


def line_hashes(data: bytes) -> list[str]:
    """The hash of each line of a file, the first at index 0; linear in time and memory."""
    seen: Counter[int] = Counter()
    hashes = []
    for value in _values(_units(data)):
        seen[value] += 1
        hashes.append(f"{value:x}:{seen[value]}")
    return hashes


def _units(data: bytes) -> array[int]:
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    units = array("H")
    units.frombytes(text.replace(" ", "").replace("\t", "").encode(_UTF16))
    units.append(_END_OF_FILE)
    return units


def _values(units: array[int]) -> Iterator[int]:
    """The polynomial of the 100 units from each beginning of a line on."""
    starts = [0, *(index + 1 for index, unit in enumerate(units) if unit == ord("\n"))]
    padded = units + array("H", bytes(2 * _LENGTH))
    # sums[i] is the polynomial of all units before i, so a difference is that of a window.
    sums = array("Q", accumulate(padded, _append, initial=0))
    shift = pow(_BASE, _LENGTH, _MASK + 1)
    for start in starts:
        yield (sums[start + _LENGTH] - sums[start] * shift) & _MASK


def _append(total: int, unit: int) -> int:
    return (total * _BASE + unit) & _MASK
