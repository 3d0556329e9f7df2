"""Kinds of values in gwlint.yaml: how each is read, and how a JSON Schema describes it.

Times and sizes are written as nginx writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Generic, TypeVar

from gwlint.syntax.nearest import nearest
from gwlint.syntax.values.nginx_units import parse_offset, parse_time

T_co = TypeVar("T_co", covariant=True)

_LONGEST_SHOWN = 60


class UnexpectedValue(Exception):  # noqa: N818 - becomes a SettingsProblem where its place is known
    """What a value should have been, and a suggestion where one is near."""

    def __init__(self, expected: str, suggestion: str | None = None) -> None:
        super().__init__(expected)
        self.expected = expected
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class Kind(Generic[T_co]):
    """One kind of value. `read` raises UnexpectedValue; `schema` is a JSON Schema (draft 2020-12)
    that admits every value that `read` takes, and as few others as a schema can."""

    read: Callable[[Any], T_co]
    schema: Mapping[str, Any]

    def __call__(self, value: Any) -> T_co:
        return self.read(value)


def _seconds(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < inf:
        return float(value)
    try:
        return parse_time(value if isinstance(value, str) else "")
    except ValueError:
        raise UnexpectedValue("a time such as 500ms, 5s or 2m") from None


seconds_in: Kind[float] = Kind(
    _seconds,
    {
        "type": ["number", "string"],
        "minimum": 0,
        "pattern": r"^(?=.*[0-9])([0-9]*w *)?([0-9]*d *)?([0-9]*h *)?([0-9]*m(?!s) *)?"
        r"(([0-9]*s *)?([0-9]*ms *)?[0-9]*|[0-9]* +[0-9]*)$",
    },
)
"""Seconds of "500ms", "5s", "2m", or of a bare number."""


def _bytes(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    try:
        return parse_offset(value if isinstance(value, str) else "")
    except ValueError:
        raise UnexpectedValue("a size such as 9k or 1m") from None


bytes_in: Kind[int] = Kind(
    _bytes, {"type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+[kKmMgG]?$"}
)
"""Bytes of "9k", "1m", "2g", or of a bare number."""


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnexpectedValue("true or false")
    return value


flag_in: Kind[bool] = Kind(_flag, {"type": "boolean"})


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise UnexpectedValue("a text")
    return value


text_in: Kind[str] = Kind(_text, {"type": "string", "minLength": 1})


def one_word_of(allowed: Sequence[str]) -> Kind[str]:
    """The kind of a value that must be one of some words."""

    def read(value: Any) -> str:
        if value not in allowed:
            near = nearest(value, allowed) if isinstance(value, str) else []
            raise UnexpectedValue(f"one of {', '.join(allowed)}", near[0] if near else None)
        return str(value)

    return Kind(read, {"enum": list(allowed)})


def shown(value: Any) -> str:
    """A value of gwlint.yaml for a message: as YAML writes it, and never long."""
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, Mapping):
        return "a mapping"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return f'"{text[:_LONGEST_SHOWN]}..."' if len(text) > _LONGEST_SHOWN else f'"{text}"'
