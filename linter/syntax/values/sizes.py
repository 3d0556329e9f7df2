"""HAProxy sizes: an integer with k, m or g (configuration manual, "Size format")."""

from __future__ import annotations

import re
from functools import lru_cache

from gwlint.syntax.values.problem import ValueProblem

MAXIMUM = 4_294_967_295

_SIZE = re.compile(r"([0-9]+)([kKmMgG]?)")
_FACTORS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_LONGEST_NUMBER = 20


@lru_cache(maxsize=1024)
def parse_size(text: str) -> int:
    """The size that `text` spells, in bytes (in entries for the size of a stick-table).

    Raises ValueProblem where HAProxy refuses: no digits, any other suffix, above 4,294,967,295.
    """
    match = _SIZE.match(text)
    if match is None:
        raise ValueProblem("a size begins with digits, such as 16k", 0)
    if match.end() < len(text):
        raise ValueProblem(
            f"unexpected {text[match.end() :]!r} after the size; only k, m and g may follow",
            match.end(),
        )
    digits, suffix = match[1], match[2].lower()
    number = int(digits) if len(digits) <= _LONGEST_NUMBER else 10**_LONGEST_NUMBER
    size = number * _FACTORS[suffix]
    if size > MAXIMUM:
        raise ValueProblem("larger than the maximum of 4294967295", 0)
    return size
