"""Times and sizes as both servers read them."""

from __future__ import annotations

from gwlint.generate.values import BYTES, MILLISECONDS


def time(milliseconds: int) -> str:
    """The largest unit that needs no fraction: 90000 is 90s, 3600000 is 1h."""
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(milliseconds, MILLISECONDS[unit])
        if count and not rest and (count > 1 or unit in "sh"):
            return f"{count}{unit}"
    return f"{milliseconds}ms"


def size(count: int) -> str:
    """The largest unit that needs no fraction: 16384 is 16k."""
    for unit in ("g", "m", "k"):
        whole, rest = divmod(count, BYTES[unit])
        if whole and not rest:
            return f"{whole}{unit}"
    return str(count)
