"""Times and sizes in gwlint.yaml, which writes them as nginx does."""

from __future__ import annotations

from math import inf
from typing import Any

from gwlint.syntax.values.nginx_units import parse_offset, parse_time


class UnexpectedValue(Exception):  # noqa: N818 - becomes a SettingsProblem where its place is known
    """What a value should have been, and a suggestion where one is near."""

    def __init__(self, expected: str, suggestion: str | None = None) -> None:
        super().__init__(expected)
        self.expected = expected
        self.suggestion = suggestion


def seconds_in(value: Any) -> float:
    """Seconds of "500ms", "5s", "2m", or of a bare number. Raises UnexpectedValue."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < inf:
        return float(value)
    try:
        return parse_time(value if isinstance(value, str) else "")
    except ValueError:
        raise UnexpectedValue("a time such as 500ms, 5s or 2m") from None


def bytes_in(value: Any) -> int:
    """Bytes of "9k", "1m", "2g", or of a bare number. Raises UnexpectedValue."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    try:
        return parse_offset(value if isinstance(value, str) else "")
    except ValueError:
        raise UnexpectedValue("a size such as 9k or 1m") from None
