"""Sizes and numbers of HAProxy's global section that the buffer rules compare."""

from __future__ import annotations

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.sizes import parse_size

DEFAULT_BUFSIZE = 16384
DEFAULT_MAXREWRITE = 1024


def plain_value(line: Line | None) -> Word | None:
    """The value of a global setting; None when it is not set, or hangs on `.if` or a variable."""
    if line is None or line.conditions or not line.arguments or line.arguments[0].references:
        return None
    return line.arguments[0]


def global_size(config: HaproxyConfig, keyword: str, default: int) -> int | None:
    """The size in bytes of a global setting; None when it is there but cannot be known."""
    line = config.global_line(keyword)
    if line is None:
        return default
    value = plain_value(line)
    try:
        return None if value is None else parse_size(value.value)
    except ValueProblem:
        return None
