"""Reading gwlint.yaml: YAML nodes, which keep their places, to the fields of `Settings`.

`KEYS` is the one description of the file: the reader goes by it, and so does the JSON Schema that
`gwlint config schema` prints.
"""

from __future__ import annotations

import os
import posixpath
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
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

SIZE_LIMIT = 256 * 1024
"""Bytes of gwlint.yaml; nobody writes so much by hand, and YAML is slow to read."""

MAX_VALUES = 100_000
"""How many values there may be once each alias is replaced by what it names. A few lines of
aliases to lists of aliases would fill the memory."""


class SettingsFile:
    """Turns YAML nodes, which keep their places, into values, and notes each fault at its place.

    Nodes are never constructed into objects, so `haproxy: 2.10` stays "2.10" and no tag runs code.
    """

    def __init__(self, path: str, folder: str, problems: list[SettingsProblem]) -> None:
        self.path = path
        self.folder = folder
        self.problems = problems
        self.places: dict[tuple[str | int, ...], tuple[int, int]] = {}
        self._open: set[int] = set()
        self._values = 0

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
            with warnings.catch_warnings():
                # YAML lets an anchor be set anew.
                warnings.simplefilter("ignore", ReusedAnchorWarning)
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
        found: dict[str, Any] = {}
        for name, key, value in self.pairs(root, (), "gwlint.yaml"):
            known = KEYS.get(name)
            if known is None:
                near = nearest(name, KEYS)
                self.at(key, f'unknown key "{name}"', near[0] if near else None)
                continue
            found.update(
                (field, read) for field, read in known.read(self, value).items() if read is not None
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
        merged: list[Node] = []
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self.at(key, "a key must be a word")
            elif _type(key) == "merge":
                merged.append(value)
            elif key.value in found:
                self.at(key, f'the key "{key.value}" is repeated')
            else:
                if isinstance(value, ScalarNode) and value.start_mark.index == value.end_mark.index:
                    value.start_mark = key.start_mark  # where nothing stands says little
                found[key.value] = (key.value, key, value)
        for value in merged:
            for name, key, inner in self._merged(value, {id(node)}):
                found.setdefault(name, (name, key, inner))
        for name, key, _ in found.values():
            self.places[(*keys, name)] = _place(key)
        return list(found.values())

    def _merged(self, node: Node, outer: set[int]) -> Iterator[tuple[str, Node, Node]]:
        """What `<<` brings in: the keys of a mapping, or of several, of which the first counts."""
        for one in node.value if isinstance(node, SequenceNode) else [node]:
            if not isinstance(one, MappingNode) or id(one) in outer:
                self.at(one, f"<< must name another mapping, not {_kind(one)}")
                continue
            for key, value in one.value:
                if isinstance(key, ScalarNode) and _type(key) == "merge":
                    yield from self._merged(value, outer | {id(one)})
                elif isinstance(key, ScalarNode):
                    yield key.value, key, value

    def text(self, node: Node, what: str) -> str | None:
        """A text; a number, true, false and null are none unless they are quoted."""
        if (
            not isinstance(node, ScalarNode)
            or not node.value
            or _type(node) in ("null", "bool", "int", "float")
        ):
            self.at(node, f"{what} must be a text, not {_kind(node)}")
            return None
        return str(node.value)

    def checked(self, node: Node, what: str, parse: Callable[[str], Any]) -> Any:
        """What `parse` makes of a scalar; None, with a problem, when it raises `BadValueError`."""
        if not isinstance(node, ScalarNode) or not node.value or _type(node) == "null":
            self.at(node, f"this must be {what}, not {_kind(node)}")
            return None
        try:
            return parse(node.value)
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
            self.places[(*keys, index)] = _place(item)
            text = self.text(item, "a code, prefix, name or topic")
            if text is None:
                continue
            for word in selector_words([text]):
                found.append(word)
                self.places[(*keys, word)] = _place(item)
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
            if parsed is None:
                continue
            name, version = parsed
            if f"target_{name}" in found:
                self.at(item, f"another version of {name} is the target already")
            found[f"target_{name}"] = version
            self.places[("target", name)] = _place(item)
        return found

    def selected(self, key: str, node: Node) -> dict[str, Any]:
        return {key: self.selectors(node, (key,))}

    def per_file_ignores(self, node: Node) -> dict[str, Any]:
        name = "per_file_ignores"
        pairs = self.pairs(node, (name,), name)
        return {name: {key: self.selectors(value, (name, key)) for key, _, value in pairs}}

    def path_map(self, node: Node) -> dict[str, Any]:
        """Absolute prefix, without the last slash -> absolute local path, which exists."""
        found: dict[str, str] = {}
        for written, key, value in self.pairs(node, ("path_map",), "path_map"):
            local = self.text(value, "a local folder")
            prefix = written.rstrip("/")
            if not _is_plain_absolute(written):
                self.at(key, f'"{written}" must be an absolute path without .., as in /etc/nginx')
                continue
            if prefix in found:
                self.at(key, f'the key "{written}" is repeated')
            if local is None:
                continue
            found[prefix] = os.path.normpath(Path(self.folder) / local)
            self.places[("path_map", prefix)] = _place(key)
            if not Path(found[prefix]).exists():
                self.at(value, f'"{local}" is not there', _sibling(found[prefix], local))
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
        """A node as dict, list or scalar, aliases replaced by what they name."""
        self.places.setdefault(keys, _place(node))
        if isinstance(node, ScalarNode):
            return _scalar(node)
        self._values += len(node.value) + 1
        if id(node) in self._open:
            self.at(node, "an alias names what it stands in")
            return None
        if self._values > MAX_VALUES:
            if self._values - len(node.value) - 1 <= MAX_VALUES:
                self.at(node, f"more than {MAX_VALUES} values, with aliases replaced")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return [self.plain(item, (*keys, index)) for index, item in enumerate(node.value)]
            pairs = self.pairs(node, keys, "this value")
            return {name: self.plain(value, (*keys, name)) for name, _, value in pairs}
        finally:
            self._open.remove(id(node))


@dataclass(frozen=True, slots=True)
class Key:
    """One key of gwlint.yaml.

    `read` turns its node into fields of Settings. `schema` is its JSON Schema (draft 2020-12); None
    where what may stand there is known only to those who read `Settings.services`, `.layers` and
    `.rules`. `meaning` is a sentence for people.
    """

    read: Callable[[SettingsFile, Node], dict[str, Any]]
    schema: Mapping[str, Any] | None
    meaning: str


_VERSION = r"[0-9]{1,9}(\.[0-9]{1,9}){1,3}"
_VERSION_SCHEMA = {"type": ["string", "number"], "pattern": f"^{_VERSION}$", "minimum": 0}
_TARGET_SCHEMA = {"type": "string", "pattern": f"^ *({'|'.join(DIALECTS)}) *= *{_VERSION} *$"}

SELECTORS = {"$ref": "#/$defs/selectors"}
"""A list of selectors, or a text with commas; what words there are is known to the registry."""

KEYS: Mapping[str, Key] = {
    "target": Key(
        SettingsFile.targets,
        {
            "anyOf": [
                {
                    "type": "object",
                    "properties": dict.fromkeys(DIALECTS, _VERSION_SCHEMA),
                    "additionalProperties": False,
                },
                _TARGET_SCHEMA,
                {"type": "array", "items": _TARGET_SCHEMA},
            ]
        },
        "The versions that will read the configuration.",
    ),
    "profile": Key(
        lambda file, node: {"profile": file.choice(node, PROFILES)},
        {"enum": list(PROFILES)},
        "Which rules run: reliability (the default), security (topic 8 too), or strict (info"
        " findings are listed in text as well).",
    ),
    "fail_on": Key(
        lambda file, node: {"fail_on": file.choice(node, FAIL_ON)},
        {"enum": list(FAIL_ON)},
        "The least severity that gives exit code 1; warning by default.",
    ),
    "select": Key(
        lambda file, node: file.selected("select", node),
        SELECTORS,
        "Run these rules instead of the profile's: codes, beginnings of codes, names or topics.",
    ),
    "ignore": Key(
        lambda file, node: file.selected("ignore", node),
        SELECTORS,
        "Leave these rules out.",
    ),
    "per_file_ignores": Key(
        SettingsFile.per_file_ignores,
        {"type": "object", "additionalProperties": SELECTORS},
        "Leave rules out in some files: path patterns, counted from the folder of this file.",
    ),
    "path_map": Key(
        SettingsFile.path_map,
        {
            "type": "object",
            "propertyNames": {"pattern": r"^(?!.*//[^/])(?!.*/\.{1,2}(/|$))/"},
            "additionalProperties": {"type": "string", "minLength": 1},
        },
        "Where absolute paths of the deployed machine lie here. A local path counts from the"
        " folder of this file and may lead out of it.",
    ),
    "contexts": Key(
        SettingsFile.contexts,
        {"type": "object", "additionalProperties": {"enum": list(CONTEXTS)}},
        "The block that nginx fragments are included in, by path pattern; the last one that fits"
        " counts.",
    ),
    "rules": Key(SettingsFile.rules, None, "Options of rules, by code."),
    "services": Key(
        SettingsFile.services, None, "What is known of the applications behind the gateway."
    ),
    "layers": Key(
        SettingsFile.layers,
        None,
        "What stands in front of the gateway, in the order in which a request meets it.",
    ),
}


def _is_plain_absolute(path: str) -> bool:
    """Whether a path begins with a slash and goes neither up nor in place."""
    _, *parts = path.rstrip("/").split("/")
    return path.startswith("/") and not {"", ".", ".."}.intersection(parts)


def _sibling(missing: str, written: str) -> str | None:
    """What lies beside a missing path and has nearly its name, written as the missing one is."""
    folder, name = os.path.split(missing)
    try:
        near = nearest(name, sorted(path.name for path in Path(folder).iterdir()))
    except OSError:
        return None
    return posixpath.join(posixpath.dirname(written.rstrip("/")), near[0]) if near else None


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


def _type(node: Node) -> str:
    """The last word of a node's tag: str, int, float, bool, null, timestamp, merge, ..."""
    return str(node.tag).rpartition(":")[2]


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    """A scalar as YAML's core schema resolves it: the tag says what it is."""
    text: str = node.value
    match _type(node):
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
