"""Times and sizes of directives, for questions to which a broken value is simply no answer.

A value that nginx refuses is the business of the rule wrong-arguments alone.
"""

from __future__ import annotations

from gwlint.syntax.values.nginx_units import parse_offset, parse_size, parse_time


def seconds_of(text: str) -> float | None:
    """Seconds of a time; None when it is none, or a variable."""
    try:
        return parse_time(text)
    except ValueError:
        return None


def bytes_of(text: str) -> int | None:
    """Bytes of a size; None when it is none, or a variable."""
    try:
        return parse_offset(text)
    except ValueError:
        return None


def size_of(text: str) -> int | None:
    """Bytes of a size that may not end in g, as those of buffers may not; None when it is none."""
    try:
        return parse_size(text)
    except ValueError:
        return None
