"""One HAProxy configuration: the files that one process loads, read in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeVar

from gwlint.model.facts import NO_FACTS, Facts
from gwlint.model.haproxy.proxy import Inherited, Keywords, Proxy
from gwlint.project.files import HaproxyRoot
from gwlint.syntax.haproxy.tree import HaproxyFile, Line, Section
from gwlint.syntax.version import Version

Made = TypeVar("Made")

PROXY_KINDS = ("frontend", "backend", "listen")


class HaproxyConfig:
    """What the rules ask: sections, proxies with their defaults, the global section.

    `target` is the HAProxy version that is configured for; None when nobody said. `facts` are what
    is said of the applications.
    """

    def __init__(self, root: HaproxyRoot, target: Version | None, facts: Facts = NO_FACTS) -> None:
        self.root = root
        self.target = target
        self.facts = facts
        self._made: dict[Callable[[HaproxyConfig], Any], Any] = {}

    def is_older_than(self, version: str) -> bool:
        return self.target is not None and self.target < Version.parse(version)

    def is_at_least(self, version: str) -> bool:
        return self.target is not None and self.target >= Version.parse(version)

    def once(self, make: Callable[[HaproxyConfig], Made]) -> Made:
        """What `make` says of this configuration: worked out once, for all rules that ask."""
        if make not in self._made:
            self._made[make] = make(self)
        made: Made = self._made[make]
        return made

    @property
    def is_fragment(self) -> bool:
        """Whether other files, unknown here, may complete it."""
        return self.root.is_fragment

    @cached_property
    def is_whole(self) -> bool:
        """Whether what is missing here cannot stand in a file that was not read.

        Files of proxies alone are loaded together with others, which hold global and defaults.
        Where one of the two is here, the proxies after it have no other defaults to inherit.
        """
        kinds = {section.kind for section in self.sections}
        return not kinds.isdisjoint({"global", "defaults"})

    @cached_property
    def trees(self) -> list[HaproxyFile]:
        return [file.tree for file in self.root.files if isinstance(file.tree, HaproxyFile)]

    @cached_property
    def sections(self) -> list[Section]:
        return [section for tree in self.trees for section in tree.sections]

    @cached_property
    def lines(self) -> list[Line]:
        """Every statement of all files, section headers included, in order."""
        return [line for tree in self.trees for line in tree.lines]

    @cached_property
    def global_sections(self) -> list[Section]:
        return [section for section in self.sections if section.kind == "global"]

    def global_line(self, *keyword: str) -> Line | None:
        """The last line of the global sections that begins with these words."""
        for keywords in reversed(self._global_keywords):
            if found := keywords.lines(*keyword):
                return found[-1]
        return None

    @cached_property
    def _global_keywords(self) -> list[Keywords]:
        return [Keywords(section) for section in self.global_sections]

    @cached_property
    def proxies(self) -> list[Proxy]:
        """Frontends, backends and listens in order, each with the defaults it inherits.

        Without `from`, the last defaults section before it counts, across files; a defaults section
        inherits only by its own `from` (configuration manual, section 4).
        """
        nothing = Inherited()
        named: dict[str, Inherited] = {}
        current = nothing
        found: list[Proxy] = []
        for section in self.sections:
            origin = section.defaults_from
            if section.kind == "defaults":
                outer = nothing if origin is None else named.get(origin.value, nothing)
                current = Inherited(section, outer)
                if section.name is not None:
                    named[section.name.value] = current
            elif section.kind in PROXY_KINDS:
                chosen = current if origin is None else named.get(origin.value, nothing)
                found.append(Proxy(section, chosen))
        return found

    @property
    def frontends(self) -> Iterator[Proxy]:
        return (proxy for proxy in self.proxies if proxy.is_frontend)

    @property
    def backends(self) -> Iterator[Proxy]:
        return (proxy for proxy in self.proxies if proxy.is_backend)

    @cached_property
    def backend_by_name(self) -> dict[str, Proxy]:
        return {proxy.name: proxy for proxy in self.proxies if proxy.is_backend}

    def users_of(self, backend: Proxy) -> list[Proxy]:
        """The frontends with a static route to the backend; itself when it is a listen."""
        found = self._frontends_by_backend.get(backend.name, [])
        return [backend, *found] if backend.kind == "listen" else found

    @cached_property
    def _frontends_by_backend(self) -> dict[str, list[Proxy]]:
        """Which frontends name which backend, each once and in order."""
        found: dict[str, dict[Proxy, None]] = {}
        for proxy in self.frontends:
            for route in proxy.routes:
                found.setdefault(route.backend.value, {})[proxy] = None
        return {name: list(proxies) for name, proxies in found.items()}
