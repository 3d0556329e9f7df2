"""From the bytes of a spec to its YAML nodes, which keep their places.

Nodes are read as they stand, never constructed into Python objects: no tag runs code, an alias is
never copied, and `1.22` stays the text that was written.
"""

from __future__ import annotations

import re

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node
from ruamel.yaml.reader import ReaderError

from gwlint.generate.problems import Problems
from gwlint.source import Position

SIZE_LIMIT = 128 * 1024
"""Bytes. A gateway of a thousand routes takes less; more is no spec, and slow to read."""

NESTING_LIMIT = 50
"""Open brackets. A spec needs five; ruamel.yaml takes time that grows with their square."""


def compose(data: bytes, problems: Problems) -> Node | None:
    """The root node of one YAML document, or None with the problem told."""
    text = _text(data, problems)
    if text is None:
        return None
    if _nesting(text) > NESTING_LIMIT:
        problems.add(Position(1, 1), "the YAML is nested too deeply")
        return None
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except RecursionError:
        problems.add(Position(1, 1), "the YAML is nested too deeply")
    except (YAMLError, ValueError) as error:
        problems.add(*_explained(text, error))
    else:
        if root is None:
            problems.add(Position(1, 1), "the spec is empty; it needs at least sites and pools")
        node: Node | None = root
        return node
    return None


def position(node: Node) -> Position:
    """Where a node begins."""
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


def _text(data: bytes, problems: Problems) -> str | None:
    if len(data) > SIZE_LIMIT:
        problems.add(Position(1, 1), f"the spec is larger than {SIZE_LIMIT // 1024} KiB")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        message = f"byte 0x{data[error.start]:02x} is not UTF-8; save the spec as UTF-8"
        problems.add(_position(before, len(before)), message)
        return None


def _nesting(text: str) -> int:
    """The most brackets open at one place, those in quotes and comments included."""
    depth = deepest = 0
    for bracket in re.findall(r"[][{}]", text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _position(text: str, offset: int) -> Position:
    before = text[:offset]
    return Position(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def _explained(text: str, error: Exception) -> tuple[Position, str]:
    if isinstance(error, ReaderError):
        return _position(text, error.position), "a control character cannot stand in YAML"
    if not isinstance(error, MarkedYAMLError):
        return Position(1, 1), f"not YAML: {_one_line(str(error))}"
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Position(1, 1), f"not YAML: {_one_line(str(error))}"
    place = Position(mark.line + 1, mark.column + 1)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line[: mark.column + 1] and not line[: mark.column].strip():
        return place, "a tab cannot indent YAML; use spaces"
    return place, f"not YAML: {_one_line(error.problem or error.context or 'cannot be read')}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
