"""Contexts: blocks as nginx reads them, with includes expanded in place.

A file that is included twice is read once but stands in two contexts, and a directive in it can
have two meanings. So contexts, not trees, carry meaning.
"""

from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.effective import ARRAY_DIRECTIVES, Effective
from gwlint.syntax.nginx.directives import default_value
from gwlint.syntax.nginx.tree import Directive
from gwlint.syntax.version import Version


class Context:
    """One block at one place. `directive` is None for the main context.

    `kind` is one of the contexts of the directive table (main, events, http, http server, location,
    location if, limit_except, http upstream, stream, stream server, ...), or the name of the block
    where the table knows none (map, geo, blocks of other modules).
    `is_complete` is False when an include in it could not be followed, or when it is the assumed
    context of a fragment, so that more directives may stand there than are known.
    """

    __slots__ = (
        "_by_name",
        "_effective",
        "children",
        "depth",
        "directive",
        "directives",
        "is_complete",
        "kind",
        "parent",
        "target",
    )

    def __init__(
        self,
        kind: str,
        directive: Directive | None,
        parent: Context | None,
        target: Version | None,
    ) -> None:
        self.kind = kind
        self.directive = directive
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.target = target
        self.directives: list[Directive] = []
        self.children: list[Context] = []
        self.is_complete = True
        self._by_name: dict[str, list[Directive]] | None = None
        self._effective: dict[str, Effective] = {}

    def __repr__(self) -> str:
        return f"Context({self.kind}: {self.directive and self.directive.normalised})"

    def own(self, name: str) -> list[Directive]:
        """The directives of that name in this very block, in order."""
        by_name = self._by_name
        if by_name is None:
            by_name = self._by_name = {}
            for directive in self.directives:
                by_name.setdefault(directive.name, []).append(directive)
        return by_name.get(name, [])

    def first(self, name: str) -> Directive | None:
        found = self.own(name)
        return found[0] if found else None

    def outward(self) -> Iterator[Context]:
        """This context, then the ones around it, up to main."""
        context: Context | None = self
        while context is not None:
            yield context
            context = context.parent

    def within(self, kind: str) -> Context | None:
        """The nearest context of that kind, this one included."""
        return next((context for context in self.outward() if context.kind == kind), None)

    def descendants(self) -> Iterator[Context]:
        """This context and all contexts in it, outer before inner, in order."""
        stack = [self]
        while stack:
            context = stack.pop()
            yield context
            stack.extend(reversed(context.children))

    @property
    def is_certain(self) -> bool:
        """Whether this context and all around it are known completely."""
        return all(context.is_complete for context in self.outward())

    def effective(self, name: str) -> Effective:
        """What directive `name` is worth here, and why.

        Plain directives hold until an inner level sets them. Of array directives (`add_header`,
        `proxy_set_header`, `error_page`, ...) the whole outer list is dropped as soon as a level
        sets one.
        """
        known = self._effective.get(name)
        return self._derive(name) if known is None else known

    def _derive(self, name: str) -> Effective:
        """Works it out from the outside in, since most contexts just inherit; on a stack of its
        own, since nesting may be deeper than Python's."""
        pending: list[Context] = []
        context: Context | None = self
        while context is not None and name not in context._effective:
            pending.append(context)
            context = context.parent
        found = None if context is None else context._effective[name]
        while pending:
            context = pending.pop()
            found = context._effective[name] = context._step(name, found)
        assert found is not None
        return found

    def _step(self, name: str, outer: Effective | None) -> Effective:
        """The effective value here, from that in the context around it (None around main)."""
        own = self.own(name)
        if own:
            # nginx refuses a plain directive that is repeated at one level: the last one may speak.
            kept = tuple(own) if name in ARRAY_DIRECTIVES else (own[-1],)
            return Effective(name, kept, self, None, True)
        if outer is None:
            default = default_value(name, self.target, self.kind)
            return Effective(name, (), None, default, self.is_complete)
        certain = outer.is_certain and self.is_complete
        default = None if outer.is_set else default_value(name, self.target, self.kind)
        if certain == outer.is_certain and default == outer.default:
            return outer
        return outer._replace(default=default, is_certain=certain)
