"""One nginx configuration: a main file or a fragment, read as nginx reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeVar

from gwlint.model.facts import NO_FACTS, Facts
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import PASS_DIRECTIVES, Pass
from gwlint.model.nginx.upstream import Upstream
from gwlint.project.files import Include, NginxRoot
from gwlint.syntax.nginx.directives import child_context
from gwlint.syntax.nginx.tree import MAX_DEPTH, Comment, Directive, NginxFile
from gwlint.syntax.version import Version

Made = TypeVar("Made")

STRUCTURAL_PROBLEMS = frozenset({"open-block", "stray", "open-quote"})


class NginxConfig:
    """What the rules ask: contexts, directives by name, upstreams, passes.

    `target` is the nginx version that is configured for; None when nobody said. `facts` are what
    is said of the applications.
    """

    def __init__(self, root: NginxRoot, target: Version | None, facts: Facts = NO_FACTS) -> None:
        self.root = root
        self.target = target
        self.facts = facts
        self._by_name: dict[str, list[tuple[Context, Directive]]] = {}
        self.includes: list[tuple[Context, Include]] = []
        self._made: dict[Callable[[NginxConfig], Any], Any] = {}
        self.main = Context(root.context, None, None, target)
        self._read()
        # Reading has found it incomplete where an include at this level could not be followed.
        if root.is_fragment or self.has_broken_blocks:
            self.main.is_complete = False

    @property
    def is_fragment(self) -> bool:
        return self.root.is_fragment

    @property
    def has_broken_blocks(self) -> bool:
        """Whether a syntax problem leaves doubt about which directive stands in which block."""
        return any(
            problem.kind in STRUCTURAL_PROBLEMS
            for file in self.root.files
            if isinstance(file.tree, NginxFile)
            for problem in file.tree.errors
        )

    def is_older_than(self, version: str) -> bool:
        """Whether the target is known and below `version`."""
        return self.target is not None and self.target < Version.parse(version)

    def is_at_least(self, version: str) -> bool:
        """Whether the target is known and not below `version`."""
        return self.target is not None and self.target >= Version.parse(version)

    def once(self, make: Callable[[NginxConfig], Made]) -> Made:
        """What `make` says of this configuration: worked out once, for all rules that ask."""
        if make not in self._made:
            self._made[make] = make(self)
        made: Made = self._made[make]
        return made

    def find(self, *names: str) -> Iterator[tuple[Context, Directive]]:
        """Every directive of these names, with the context in which it stands."""
        for name in names:
            yield from self._by_name.get(name, ())

    def everything(self) -> Iterator[tuple[Context, Directive]]:
        """Every directive, entries of data blocks left out."""
        for placed in self._by_name.values():
            yield from placed

    def contexts_of(self, directive: Directive) -> list[Context]:
        """Every context in which that very directive stands: several when its file is shared."""
        return self._contexts_by_directive.get(id(directive), [])

    @cached_property
    def _contexts_by_directive(self) -> dict[int, list[Context]]:
        found: dict[int, list[Context]] = {}
        for context, directive in self.everything():
            found.setdefault(id(directive), []).append(context)
        return found

    @cached_property
    def upstreams(self) -> list[Upstream]:
        """The upstream blocks of http and stream, in order.

        A file of server lines that some upstream includes is not one: its name stands elsewhere.
        """
        return [
            Upstream(context)
            for context in self.main.descendants()
            if context.kind in ("http upstream", "stream upstream")
            and context.directive is not None
        ]

    @cached_property
    def passes(self) -> list[Pass]:
        """Every pass directive that has a destination, of http and stream."""
        http = {one.name: one for one in self.upstreams if one.is_http}
        stream = {one.name: one for one in self.upstreams if not one.is_http}
        return [
            Pass(directive, context, stream if context.kind.startswith("stream") else http)
            for context, directive in self.find(*PASS_DIRECTIVES)
            if len(directive.words) > 1
        ]

    def passes_to(self, upstream: Upstream) -> list[Pass]:
        return self._passes_by_upstream.get(id(upstream), [])

    @cached_property
    def _passes_by_upstream(self) -> dict[int, list[Pass]]:
        found: dict[int, list[Pass]] = {}
        for one in self.passes:
            if one.upstream is not None:
                found.setdefault(id(one.upstream), []).append(one)
        return found

    def _read(self) -> None:
        """Builds the contexts without recursion: nesting may be deeper than Python's stack."""
        pending: list[tuple[Iterator[Directive | Comment], Context]] = []
        tree = self.root.main.tree
        assert isinstance(tree, NginxFile)
        pending.append((iter(tree.children), self.main))
        while pending:
            children, context = pending[-1]
            for node in children:
                if not isinstance(node, Directive):
                    continue
                context.directives.append(node)
                if node.is_entry and node.name != "include":
                    continue
                self._by_name.setdefault(node.name, []).append((context, node))
                if node.block is not None and context.depth >= MAX_DEPTH:
                    context.is_complete = False
                elif node.block is not None:
                    kind = child_context(context.kind, node.name) or node.name
                    inner = Context(kind, node, context, self.target)
                    context.children.append(inner)
                    pending.append((iter(node.block.children), inner))
                    break
                include = self.root.includes.get(node) if node.name == "include" else None
                if include is not None:
                    self._follow(include, context, pending)
                    break
            else:
                pending.pop()

    def _follow(
        self,
        include: Include,
        context: Context,
        pending: list[tuple[Iterator[Directive | Comment], Context]],
    ) -> None:
        """Reads the included files into `context`, in order, before what follows the include."""
        self.includes.append((context, include))
        if include.problem is not None and not _holds_types_only(include):
            context.is_complete = False
        for file in reversed(include.files):
            if isinstance(file.tree, NginxFile):
                pending.append((iter(file.tree.children), context))
            else:
                context.is_complete = False


def _holds_types_only(include: Include) -> bool:
    """Whether it is a file that nginx ships, which sets nothing but media types."""
    values = include.directive.values
    return len(values) == 1 and values[0].rpartition("/")[2] == "mime.types"
