"""Sizes and times as nginx reads them (src/core/ngx_parse.c).

nginx has no grammar that a person would write down: "1h30m", "1h 30" and "90m" are the same time,
"1m 1h" is none, and whether a year may be used depends on the directive.
"""

from __future__ import annotations

from enum import Enum

_DIGITS = frozenset("0123456789")
_LARGEST = 2**63 - 1  # NGX_MAX_INT_T_VALUE and NGX_MAX_SIZE_T_VALUE where pointers have 64 bits
_SIZE_UNITS = {"k": 1024, "K": 1024, "m": 1024**2, "M": 1024**2}
_OFFSET_UNITS = {**_SIZE_UNITS, "g": 1024**3, "G": 1024**3}


class TimeUnit(Enum):
    """In what nginx keeps a time: the smallest part that it takes, and the largest.

    SECONDS (`ngx_conf_set_sec_slot`, `expires`, cache times): years down to seconds, no `ms`.
    MILLISECONDS (`ngx_conf_set_msec_slot`, all timeouts): weeks down to `ms`, no `y` and no `M`.
    In both a bare number is seconds.
    """

    SECONDS = 1
    MILLISECONDS = 1000


# Units from large to small, each with its seconds. A blank ends a number of seconds.
_TIME_UNITS = (
    ("y", 365 * 86400),
    ("M", 30 * 86400),
    ("w", 7 * 86400),
    ("d", 86400),
    ("h", 3600),
    ("m", 60),
    ("s", 1),
)
_RANKS = {letter: rank for rank, (letter, _) in enumerate(_TIME_UNITS)}
_SECOND_RANK = _RANKS["s"]
_WEEK_RANK = _RANKS["w"]
_LAST_RANK = _SECOND_RANK + 1


def _parse_bytes(text: str, units: dict[str, int]) -> int:
    unit = units.get(text[-1:])
    digits = text if unit is None else text[:-1]
    if not digits or not _DIGITS.issuperset(digits):
        raise ValueError(f"not a size: {text!r}")
    size = int(digits) * (unit or 1)
    if size > _LARGEST:
        raise ValueError(f"too large a size: {text!r}")
    return size


def parse_size(text: str) -> int:
    """Bytes of a size such as "8k", "1M" or "512" (`ngx_parse_size`).

    Raises ValueError for what nginx refuses, "1g" among it.
    """
    return _parse_bytes(text, _SIZE_UNITS)


def parse_offset(text: str) -> int:
    """Bytes of an offset: a size that may also end in g or G (`ngx_parse_offset`).

    `client_max_body_size` is the one in wide use. Raises ValueError.
    """
    return _parse_bytes(text, _OFFSET_UNITS)


def parse_time(text: str, unit: TimeUnit = TimeUnit.MILLISECONDS) -> float:
    """Seconds of a time such as "60s", "1h30m", "500ms" or "75" (`ngx_parse_time`).

    Raises ValueError for what nginx refuses: units that do not go from large to small, fractions,
    negative numbers, and units that a time kept in `unit` does not take.
    """
    milliseconds = unit is TimeUnit.MILLISECONDS
    next_rank = _WEEK_RANK if milliseconds else 0
    total = 0
    digits = ""
    any_digit = False
    index = 0
    while index < len(text):
        letter = text[index]
        index += 1
        if letter in _DIGITS:
            digits += letter
            any_digit = True
            continue
        if letter == "m" and text[index : index + 1] == "s":
            if not milliseconds:
                raise ValueError(f"not a time in whole seconds: {text!r}")
            index += 1
            rank, scale = _LAST_RANK, 1
        else:
            rank = _SECOND_RANK if letter == " " else _RANKS.get(letter, -1)
            if rank < 0:
                raise ValueError(f"not a time: {text!r}")
            scale = _TIME_UNITS[rank][1] * 1000
        if rank < next_rank:
            raise ValueError(f"not a time: {text!r}")
        total += int(digits or "0") * scale
        # After a blank nothing but a bare number may follow.
        next_rank = _LAST_RANK + 1 if letter == " " else rank + 1
        digits = ""
        while text[index : index + 1] == " ":
            index += 1
    if not any_digit:
        raise ValueError(f"not a time: {text!r}")
    total += int(digits or "0") * 1000
    if total > (_LARGEST if milliseconds else _LARGEST * 1000):
        raise ValueError(f"too long a time: {text!r}")
    return total / 1000
