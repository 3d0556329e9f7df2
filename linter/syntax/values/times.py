"""HAProxy times: an integer with a unit (configuration manual, "Time format")."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from gwlint.syntax.values.problem import ValueProblem

MAXIMUM_MS = 2_147_483_647
"""The longest time, about 24.8 days; HAProxy counts milliseconds in 31 bits."""

_MICROSECONDS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
_TIME = re.compile(r"([0-9]+)(us|ms|[smhd])?")
_LONGEST_NUMBER = 20


class Duration(NamedTuple):
    """A time in seconds.

    `unit_written` is None where the value has no unit and so counts in the keyword's own.
    `ignored` is what follows the unit: HAProxy 2.6 and 2.8 read `1h30m` as one hour, for
    `timeout` without a word, for server parameters with a warning (measured).
    """

    seconds: float
    unit_written: str | None
    ignored: str = ""


@lru_cache(maxsize=4096)
def parse_time(text: str, default_unit: str = "ms") -> Duration:
    """The time that `text` spells; a bare number counts in `default_unit`.

    Raises ValueProblem where HAProxy refuses: no digits first, an unknown unit, more than
    2,147,483,647 ms.
    """
    match = _TIME.match(text)
    if match is None:
        raise ValueProblem("a time begins with digits, such as 30s", 0)
    digits, unit = match[1], match[2]
    end = match.end()
    if unit is None and end < len(text):
        raise ValueProblem(
            f"unknown time unit {text[end:]!r}; integers with us, ms, s, m, h or d are understood",
            end,
        )
    number = int(digits) if len(digits) <= _LONGEST_NUMBER else 10**_LONGEST_NUMBER
    microseconds = number * _MICROSECONDS[unit or default_unit]
    if -(-microseconds // 1000) > MAXIMUM_MS:
        raise ValueProblem("longer than the maximum of 2147483647 ms (24.8 days)", 0)
    return Duration(microseconds / 1e6, unit, text[end:])


def time_text(seconds: float) -> str:
    """A time as HAProxy reads it, with its unit: 4 is 4s, 0.5 is 500ms."""
    return f"{int(seconds)}s" if seconds == int(seconds) else f"{round(seconds * 1000)}ms"
