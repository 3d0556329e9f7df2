"""Reading gwlint.yaml: YAML nodes, which keep their places, to the fields of `Settings`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gwlint.settings import (
    CONTEXTS,
    DIALECTS,
    FAIL_ON,
    PROFILES,
    BadValueError,
    SettingsProblem,
    one_of,
    parse_target,
    parse_version,
    selector_words,
)
from gwlint.syntax.nearest import nearest

MAX_DEPTH = 200
"""How many brackets may be open at once."""

_BRACKET = re.compile(r"[\[\]{}]")

SIZE_LIMIT = 1024 * 1024
"""Bytes of gwlint.yaml; no real one comes near, and YAML is slow to read."""


class SettingsFile:
    """Turns YAML nodes, which keep their places, into values, and notes each fault at its place.

    Nodes are never constructed into objects, so `haproxy: 2.10` stays "2.10" and no tag runs code.
    """

    def __init__(self, path: str, folder: str, problems: list[SettingsProblem]) -> None:
        self.path = path
        self.folder = folder
        self.problems = problems
        self.places: dict[tuple[str | int, ...], tuple[int, int]] = {}
        self._seen: set[int] = set()

    def problem(self, line: int, column: int, message: str, suggestion: str | None = None) -> None:
        self.problems.append(SettingsProblem(self.path, line, column, message, suggestion))

    def at(self, node: Node, message: str, suggestion: str | None = None) -> None:
        self.problem(*_place(node), message, suggestion)

    def compose(self, data: bytes) -> Node | None:
        """The root node; None when the file is empty or no YAML."""
        if len(data) > SIZE_LIMIT:
            self.problem(1, 1, f"larger than {SIZE_LIMIT // 1024} KiB")
            return None
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = data[: error.start]
            line = before.count(b"\n") + 1
            self.problem(line, len(before) - before.rfind(b"\n"), "not UTF-8")
            return None
        if _is_too_deep(text):
            self.problem(1, 1, "nested too deeply")
            return None
        root: Node | None = None
        try:
            root = YAML(typ="safe", pure=True).compose(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self.problem(line, column, f"not YAML: {error.problem or error.context}")
        except (YAMLError, ValueError) as error:
            self.problem(1, 1, f"not YAML: {' '.join(str(error).split())}")
        except RecursionError:
            self.problem(1, 1, "nested too deeply")
        return root

    def settings(self, root: Node) -> dict[str, Any]:
        """The fields of `Settings` that the file sets."""
        readers: dict[str, Callable[[Node], dict[str, Any]]] = {
            "target": self.targets,
            "profile": lambda node: {"profile": self.choice(node, PROFILES)},
            "fail_on": lambda node: {"fail_on": self.choice(node, FAIL_ON)},
            "select": lambda node: {"select": self.selectors(node, ("select",))},
            "ignore": lambda node: {"ignore": self.selectors(node, ("ignore",))},
            "per_file_ignores": self.per_file_ignores,
            "path_map": self.path_map,
            "contexts": self.contexts,
            "rules": self.rules,
            "services": self.services,
            "layers": self.layers,
        }
        found: dict[str, Any] = {}
        for name, key, value in self.pairs(root, (), "gwlint.yaml"):
            reader = readers.get(name)
            if reader is None:
                near = nearest(name, readers)
                self.at(key, f'unknown key "{name}"', near[0] if near else None)
                continue
            found.update(
                (field_name, read) for field_name, read in reader(value).items() if read is not None
            )
        return found

    def pairs(
        self, node: Node, keys: tuple[str | int, ...], what: str
    ) -> list[tuple[str, Node, Node]]:
        """Key text, key node and value node of a mapping; empty, with a problem, if it is none."""
        if not isinstance(node, MappingNode):
            self.at(node, f"{what} must be a mapping of keys to values, not {_kind(node)}")
            return []
        found: dict[str, tuple[str, Node, Node]] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.at(key, "a key must be a word")
            elif key.value in found:
                self.at(key, f'the key "{key.value}" is repeated')
            else:
                found[key.value] = (key.value, key, value)
                self.places[(*keys, key.value)] = _place(key)
        return list(found.values())

    def text(self, node: Node, what: str) -> str | None:
        if not isinstance(node, ScalarNode) or not node.value:
            self.at(node, f"{what} must be a text, not {_kind(node)}")
            return None
        return str(node.value)

    def checked(self, node: Node, what: str, parse: Callable[[str], Any]) -> Any:
        """What `parse` makes of a scalar; None, with a problem, when it raises `BadValueError`."""
        text = self.text(node, what)
        if text is None:
            return None
        try:
            return parse(text)
        except BadValueError as bad:
            self.at(node, bad.message, bad.suggestion)
            return None

    def choice(self, node: Node, allowed: Sequence[str]) -> str | None:
        value: str | None = self.checked(
            node, f"one of {', '.join(allowed)}", lambda text: one_of(text, allowed)
        )
        return value

    def selectors(self, node: Node, keys: tuple[str | int, ...]) -> tuple[str, ...]:
        """Selectors from a list, or from one text with commas."""
        items = node.value if isinstance(node, SequenceNode) else [node]
        found: list[str] = []
        for index, item in enumerate(items):
            text = self.text(item, "a code, prefix, name or topic")
            if text is None:
                continue
            for word in selector_words([text]):
                found.append(word)
                self.places[(*keys, word)] = _place(item)
            self.places[(*keys, index)] = _place(item)
        return tuple(found)

    def targets(self, node: Node) -> dict[str, Any]:
        """`nginx=1.22.1`, a list of such texts, or a mapping of server to version."""
        found: dict[str, Any] = {}
        if isinstance(node, MappingNode):
            for name, key, value in self.pairs(node, ("target",), "target"):
                if name not in DIALECTS:
                    near = nearest(name, DIALECTS)
                    self.at(key, f'unknown server "{name}"', near[0] if near else None)
                    continue
                found[f"target_{name}"] = self.checked(value, "a version", parse_version)
            return found
        for item in node.value if isinstance(node, SequenceNode) else [node]:
            parsed = self.checked(item, "a target such as nginx=1.22.1", parse_target)
            if parsed is not None:
                name, version = parsed
                found[f"target_{name}"] = version
        return found

    def per_file_ignores(self, node: Node) -> dict[str, Any]:
        name = "per_file_ignores"
        pairs = self.pairs(node, (name,), name)
        return {name: {key: self.selectors(value, (name, key)) for key, _, value in pairs}}

    def path_map(self, node: Node) -> dict[str, Any]:
        found: dict[str, str] = {}
        for prefix, key, value in self.pairs(node, ("path_map",), "path_map"):
            local = self.text(value, "a local folder")
            if not prefix.startswith("/"):
                self.at(key, f'"{prefix}" must be an absolute path, as in /etc/nginx')
            elif local is not None:
                found[prefix.rstrip("/")] = os.path.normpath(str(Path(self.folder) / local))
        return {"path_map": found}

    def contexts(self, node: Node) -> dict[str, Any]:
        pairs = self.pairs(node, ("contexts",), "contexts")
        found = {pattern: self.choice(value, CONTEXTS) for pattern, _, value in pairs}
        return {"contexts": {key: value for key, value in found.items() if value is not None}}

    def rules(self, node: Node) -> dict[str, Any]:
        found: dict[str, dict[str, Any]] = {}
        for code, _, value in self.pairs(node, ("rules",), "rules"):
            options = self.pairs(value, ("rules", code), f"the options of {code}")
            found[code] = {
                name: self.plain(option, ("rules", code, name)) for name, _, option in options
            }
        return {"rules": found}

    def services(self, node: Node) -> dict[str, Any]:
        pairs = self.pairs(node, ("services",), "services")
        return {
            "services": {name: self.plain(value, ("services", name)) for name, _, value in pairs}
        }

    def layers(self, node: Node) -> dict[str, Any]:
        if not isinstance(node, SequenceNode):
            self.at(node, f"layers must be a list, not {_kind(node)}")
            return {}
        return {"layers": tuple(self.plain(node, ("layers",)))}

    def plain(self, node: Node, keys: tuple[str | int, ...]) -> Any:
        """A node as dict, list or scalar. An alias of a list or mapping is refused: copied by
        each use, a few lines of aliases would fill the memory."""
        self.places.setdefault(keys, _place(node))
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if id(node) in self._seen:
            self.at(node, "an alias of a list or mapping cannot be used here")
            return None
        self._seen.add(id(node))
        if isinstance(node, SequenceNode):
            return [self.plain(item, (*keys, index)) for index, item in enumerate(node.value)]
        pairs = self.pairs(node, keys, "this value")
        return {name: self.plain(value, (*keys, name)) for name, _, value in pairs}


def _is_too_deep(text: str) -> bool:
    """Whether brackets nest beyond all use. Reading them takes ruamel.yaml quadratic time."""
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _place(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _kind(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return f'"{node.value}"' if node.value else "nothing"
    return "a list" if isinstance(node, SequenceNode) else "a mapping"


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    """A scalar as YAML's core schema resolves it: the tag says what it is."""
    text: str = node.value
    match str(node.tag).rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return text.lower() in ("true", "yes", "on")
        case "int" if text.lstrip("+-").isdigit():
            return int(text)
        case "float":
            try:
                return float(text)
            except ValueError:
                return text
    return text
