"""Reading one YAML mapping key by key, with every fault told at its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gwlint.generate.document import position
from gwlint.generate.problems import FormError, Problems
from gwlint.generate.values import likely, shown
from gwlint.generate.values import name as read_name
from gwlint.source import Position

T = TypeVar("T")

_TAGS = "tag:yaml.org,2002:"
_PLAIN_TAGS = ("str", "int", "float", "bool", "null", "timestamp", "map", "seq")


class Fields:
    """The keys of one mapping. `known` are the keys that may stand in it; the rest is told.

    A missing or faulty value gives the default, so that reading goes on and finds the rest. What
    is not `readable`, no mapping at all, has been told once and lacks no keys.
    """

    def __init__(
        self,
        place: Position,
        what: str,
        values: dict[str, Node],
        problems: Problems,
        readable: bool = True,
    ) -> None:
        self.position = place
        self.what = what
        self.problems = problems
        self._values = values
        self._readable = readable

    @classmethod
    def of(cls, node: Node, what: str, known: tuple[str, ...], problems: Problems) -> Fields:
        """The fields of a node that has to be a mapping."""
        values: dict[str, Node] = {}
        for key, key_node, value in entries(node, what, problems):
            if key in known:
                values[key] = value
            else:
                message = f"unknown key {shown(key)} in {what}; it has {', '.join(known)}"
                problems.add(position(key_node), message, likely(key, known))
        return cls(position(node), what, values, problems, isinstance(node, MappingNode))

    def has(self, key: str) -> bool:
        return key in self._values

    def tell(self, key: str, message: str, suggestion: str | None = None) -> None:
        """Tell a problem with the value of a key."""
        self.problems.add(self.place(key), message, suggestion)

    def tell_at(self, node: Node, message: str) -> None:
        self.problems.add(position(node), message)

    def place(self, key: str) -> Position:
        """Where the value of a key begins; the mapping's place when it is missing."""
        node = self._values.get(key)
        return self.position if node is None else position(node)

    def value(self, key: str, read: Callable[[str], T], default: T) -> T:
        """The value of an optional key."""
        node = self._values.get(key)
        if node is None:
            return default
        found = scalar(node, f"{self.what}: {key}", read, self.problems)
        return default if found is None else found

    def required(self, key: str, read: Callable[[str], T]) -> T | None:
        """The value of a key that must be there; None, with the problem told, when it is not."""
        node = self.needed(key)
        return None if node is None else scalar(node, f"{self.what}: {key}", read, self.problems)

    def needed(self, key: str) -> Node | None:
        """The node of a key that must be there."""
        if key not in self._values and self._readable:
            self.problems.add(self.position, f"{self.what} lacks the key {key}")
        return self._values.get(key)

    def flag(self, key: str, default: bool) -> bool:
        """The value of an optional key that is true or false."""
        return self.value(key, _flag, default)

    def fields(self, key: str, known: tuple[str, ...]) -> Fields:
        """The mapping under an optional key; without it, every one of its keys has its default."""
        node = self._values.get(key)
        if node is None:
            return Fields(self.position, key, {}, self.problems)
        return Fields.of(node, key, known, self.problems)

    def named(self, key: str, what: str, known: tuple[str, ...]) -> Iterator[tuple[str, Fields]]:
        """The named mappings under an optional key: `pools: {app: {...}}`."""
        node = self._values.get(key)
        if node is None:
            return
        found = False
        for text, key_node, value in entries(node, key, self.problems):
            found = True
            name = scalar(key_node, f"the name of a {what}", read_name, self.problems)
            fields = Fields.of(value, f"{what} {shown(text)}", known, self.problems)
            if name is not None:
                yield name, fields
        if not found and isinstance(node, MappingNode):
            self.problems.add(position(node), f"{key} is empty")

    def keys_of(self, key: str) -> list[str]:
        """The keys of the mapping under a key, in order, without telling anything."""
        node = self._values.get(key)
        if not isinstance(node, MappingNode):
            return []
        return [str(name.value) for name, _ in node.value if isinstance(name, ScalarNode)]

    def items(self, key: str) -> list[Node]:
        """The items of the list under a key, which has at least one."""
        node = self._values[key]
        if not isinstance(node, SequenceNode) or not _plain(node):
            self.problems.add(position(node), f"{self.what}: {key} is {kind(node)}, not a list")
            return []
        if not node.value:
            self.problems.add(position(node), f"{self.what}: {key} is empty")
        return list(node.value)

    def item(self, node: Node, key: str, read: Callable[[str], T]) -> T | None:
        """One single value of a list."""
        return scalar(node, f"{self.what}: {key}", read, self.problems)


def entries(node: Node, what: str, problems: Problems) -> Iterator[tuple[str, Node, Node]]:
    """Each key of a mapping with the nodes of key and value; duplicates are told and left out."""
    if not isinstance(node, MappingNode) or not _plain(node):
        problems.add(position(node), f"{what} is {kind(node)}, not a mapping of keys to values")
        return
    seen: dict[str, Position] = {}
    for key_node, value in node.value:
        if not isinstance(key_node, ScalarNode):
            problems.add(position(key_node), f"a key of {what} is {kind(key_node)}")
            continue
        key = str(key_node.value)
        if key in seen:
            message = f"the key {shown(key)} stands twice; first in line {seen[key].line}"
            problems.add(position(key_node), message)
            continue
        seen[key] = position(key_node)
        yield key, key_node, value


def scalar(node: Node, what: str, read: Callable[[str], T], problems: Problems) -> T | None:
    """One value, read from the text as written; None with the problem told when it is faulty."""
    if not isinstance(node, ScalarNode) or not _plain(node) or kind(node) == "nothing":
        problems.add(position(node), f"{what} is {kind(node)}, not a single value")
        return None
    try:
        return read(str(node.value))
    except FormError as error:
        problems.add(position(node), f"{what}: {error.message}", error.suggestion)
        return None


def kind(node: Node) -> str:
    """What a node is, for a message."""
    if not _plain(node):
        return f"tagged {shown(str(node.tag))}"
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    return "nothing" if node.tag == f"{_TAGS}null" else "a single value"


def _plain(node: Node) -> bool:
    """Whether the node has one of YAML's own tags. Others would ask for code to be run."""
    return str(node.tag).removeprefix(_TAGS) in _PLAIN_TAGS


def _flag(text: str) -> bool:
    if text in ("true", "false"):
        return text == "true"
    meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(text.lower())
    raise FormError(f"{shown(text)} is neither true nor false", meant)
