"""Which directives nginx refuses to see twice in one block.

The facts are in data/nginx_duplicates.json, measured on nginx 1.22.1 and 1.31.3 by
data/measure_nginx_duplicates.py; what the two do not agree on is not in it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

_DATA_FILE = Path(__file__).parents[2] / "data" / "nginx_duplicates.json"


@cache
def _data() -> dict[str, dict[str, list[str]]]:
    data: dict[str, dict[str, list[str]]] = json.loads(_DATA_FILE.read_text(encoding="utf-8"))
    return data


def is_single(name: str, context: str) -> bool:
    """Whether a second directive of that name in one block is refused, whatever its arguments."""
    return context in _data()["always"].get(name, ())


def is_single_with_same_arguments(name: str, context: str) -> bool:
    """Whether a second directive is refused if it has the same arguments as one before it."""
    return context in _data()["same"].get(name, ())
