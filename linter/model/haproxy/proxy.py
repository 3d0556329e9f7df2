"""Proxies: frontend, backend and listen sections with the defaults they inherit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from gwlint.model.haproxy.effective import Effective
from gwlint.model.haproxy.server import DefaultServers, Server
from gwlint.syntax.haproxy.tree import Line, Section, Word
from gwlint.syntax.values.address import Address
from gwlint.syntax.values.addresses import parse_bind_addresses
from gwlint.syntax.values.bind_line import BindLine, parse_bind
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.times import Duration, parse_time

FRONTEND_KINDS = ("frontend", "listen")
BACKEND_KINDS = ("backend", "listen")
SWITCHES = ("disabled", "enabled")


def matches(line: Line, keyword: tuple[str, ...]) -> bool:
    """Whether a line begins with these words, its `no` or `default` left aside."""
    if line.keyword != keyword[0]:
        return False
    rest = keyword[1:]
    arguments = line.arguments
    return len(arguments) >= len(rest) and all(
        word.value == expected for word, expected in zip(arguments, rest, strict=False)
    )


class Keywords:
    """The lines of a section by their first words, so that asking for a keyword passes no others.

    A frontend may have thousands of rules, and rules ask every proxy for dozens of keywords.
    """

    def __init__(self, section: Section) -> None:
        self.section = section
        self._by_words: dict[tuple[str, ...], list[Line]] = {}
        for line in section.lines:
            self._by_words.setdefault((line.keyword,), []).append(line)
            if arguments := line.arguments:
                words = (line.keyword, arguments[0].value)
                self._by_words.setdefault(words, []).append(line)

    def lines(self, *keyword: str) -> Sequence[Line]:
        """Those that begin with these words, in order."""
        found = self._by_words.get(keyword[:2], ())
        if len(keyword) > 2:
            return [line for line in found if matches(line, keyword)]
        return found

    @cached_property
    def is_disabled(self) -> bool | None:
        """Whether the last of its `disabled` and `enabled` lines is `disabled`; None without."""
        said = [line for word in SWITCHES for line in self.lines(word)]
        return max(said, key=lambda line: line.start).keyword == "disabled" if said else None


class Inherited:
    """What proxies inherit from a defaults section and those that it goes on from.

    It is shared by all proxies after the section, and so is what is worked out here. Without a
    section it is empty.
    """

    def __init__(self, section: Section | None = None, outer: Inherited | None = None) -> None:
        self.section = section
        self.outer = outer
        self._depth: int = 0 if outer is None else outer._depth + 1
        self._keywords = None if section is None else Keywords(section)
        self._nearest: dict[tuple[str, ...], Inherited | None] = {}
        self._effective: dict[tuple[str, ...], Effective] = {}
        self._conditional: dict[tuple[str, ...], bool] = {}

    def sections(self) -> Iterator[Section]:
        """The defaults sections, nearest first."""
        level: Inherited | None = self
        while level is not None and level.section is not None:
            yield level.section
            level = level.outer

    def lines(self, *keyword: str) -> Iterator[Line]:
        """The lines with these words, nearest section first."""
        level = self.nearest(keyword)
        while level is not None:
            yield from level.own(keyword)
            level = None if level.outer is None else level.outer.nearest(keyword)

    def is_written_conditionally(self, keyword: tuple[str, ...]) -> bool:
        """Whether one of these lines has conditions; remembered, since thousands of proxies may
        have one defaults section."""
        if keyword not in self._conditional:
            found = any(line.conditions for line in self.lines(*keyword))
            self._conditional[keyword] = found
        return self._conditional[keyword]

    def own(self, keyword: tuple[str, ...]) -> Sequence[Line]:
        """The lines with these words in the nearest section alone."""
        return () if self._keywords is None else self._keywords.lines(*keyword)

    def effective(self, keyword: tuple[str, ...]) -> Effective:
        """The line in force in a proxy that has none of its own."""
        if keyword not in self._effective:
            level = self.nearest(keyword)
            self._effective[keyword] = (
                Effective(keyword, None, None, True)
                if level is None
                else _last(keyword, level.section, level.own(keyword))
            )
        return self._effective[keyword]

    def nearest(self, keyword: tuple[str, ...]) -> Inherited | None:
        """From where on the keyword is inherited; None when no section has it.

        Remembered for all sections on the way: thousands may go on from each other.
        """
        passed: list[Inherited] = []
        level: Inherited | None = self
        while level is not None and keyword not in level._nearest:
            passed.append(level)
            if level.own(keyword):
                level._nearest[keyword] = level
                break
            level = level.outer
        found = None if level is None else level._nearest[keyword]
        for one in passed:
            one._nearest[keyword] = found
        return found

    @cached_property
    def is_disabled(self) -> bool:
        """Whether the last `disabled` or `enabled` line of the nearest section with one is
        `disabled`."""
        levels = [self.nearest((word,)) for word in SWITCHES]
        found = [level for level in levels if level is not None]
        if not found:
            return False
        keywords = max(found, key=lambda level: level._depth)._keywords
        assert keywords is not None
        return bool(keywords.is_disabled)

    @cached_property
    def default_servers(self) -> DefaultServers:
        """The default-server lines, from far to near."""
        levels = []
        level = self.nearest(("default-server",))
        while level is not None:
            levels.append(level.own(("default-server",)))
            level = None if level.outer is None else level.outer.nearest(("default-server",))
        return DefaultServers([line for lines in reversed(levels) for line in lines])


def _last(keyword: tuple[str, ...], section: Section | None, lines: Sequence[Line]) -> Effective:
    return Effective(keyword, lines[-1], section, not any(line.branch for line in lines))


def bind_addresses(bind: BindLine) -> tuple[Address, ...]:
    """The addresses of a bind line; none when they are missing or cannot be read."""
    if bind.address is None:
        return ()
    try:
        return parse_bind_addresses(bind.address.value)
    except ValueProblem:
        return ()


class Route(NamedTuple):
    """A `use_backend` or `default_backend` line. `condition` is `if`/`unless` and what follows."""

    line: Line
    backend: Word
    condition: tuple[Word, ...]

    @property
    def is_default(self) -> bool:
        return self.line.keyword == "default_backend"

    @property
    def is_dynamic(self) -> bool:
        """Whether the name is a log-format expression or comes from the environment."""
        return "%" in self.backend.value or bool(self.backend.references)


class Proxy:
    """One proxy, with what it inherits from defaults sections."""

    def __init__(self, section: Section, inherited: Inherited) -> None:
        self.section = section
        self.kind = section.kind
        self.name = "" if section.name is None else section.name.value
        self.is_frontend = self.kind in FRONTEND_KINDS
        self.is_backend = self.kind in BACKEND_KINDS
        self._inherited = inherited
        self._keywords = Keywords(section)

    def __repr__(self) -> str:
        return f"Proxy({self.kind} {self.name})"

    @property
    def defaults(self) -> tuple[Section, ...]:
        """The defaults sections that it inherits from, nearest first."""
        return tuple(self._inherited.sections())

    @property
    def nearest_defaults(self) -> Section | None:
        """The defaults section that it inherits from first."""
        return self._inherited.section

    @property
    def header(self) -> Line:
        return self.section.header

    def own(self, *keyword: str) -> Sequence[Line]:
        """The lines of this very section that begin with these words, in order."""
        return self._keywords.lines(*keyword)

    def lines(self, *keyword: str) -> Iterator[Line]:
        """The lines with these words here and in the defaults, nearest section first."""
        yield from self.own(*keyword)
        yield from self._inherited.lines(*keyword)

    def is_written_conditionally(self, *keyword: str) -> bool:
        """Whether `.if` may decide that one of these lines is there."""
        own = any(line.conditions for line in self.own(*keyword))
        return own or self._inherited.is_written_conditionally(keyword)

    def effective(self, *keyword: str) -> Effective:
        """The line in force: the last one here, else the last one in the nearest defaults."""
        own = self.own(*keyword)
        return _last(keyword, self.section, own) if own else self._inherited.effective(keyword)

    def option(self, name: str) -> Line | None:
        """The line that turns `option name` on; None when it is off or nobody set it."""
        line = self.effective("option", name).line
        return None if line is None or line.modifier is not None else line

    def is_option_certain(self, name: str) -> bool:
        return self.effective("option", name).is_certain

    @cached_property
    def is_disabled(self) -> bool:
        """Whether its last `disabled` or `enabled` line, own or inherited, is `disabled`.

        HAProxy neither starts such a proxy nor looks for the backends that it names (measured on
        2.6 and 2.8).
        """
        own = self._keywords.is_disabled
        return self._inherited.is_disabled if own is None else own

    @cached_property
    def mode(self) -> str:
        """http, tcp, ...; tcp is the default (configuration manual, `mode`)."""
        return self.effective("mode").value or "tcp"

    @property
    def is_http(self) -> bool:
        return self.mode == "http"

    def timeout(self, name: str) -> Duration | None:
        """`timeout name`; None when it is not set or cannot be read."""
        word = self.effective("timeout", name).word
        if word is None or word.references:
            return None
        try:
            return parse_time(word.value)
        except ValueProblem:
            return None

    @cached_property
    def servers(self) -> list[Server]:
        """The `server` and `server-template` lines, with the default-server lines before each."""
        if not self.is_backend:
            return []
        defaults = DefaultServers(self.own("default-server"), self._inherited.default_servers)
        count = 0
        found: list[Server] = []
        for line in self.section.lines:
            if line.keyword == "default-server":
                count += 1
            elif line.keyword in ("server", "server-template"):
                found.append(Server(line, defaults, count))
        return found

    @cached_property
    def binds(self) -> list[tuple[Line, BindLine]]:
        """The `bind` lines."""
        return [(line, parse_bind(line)) for line in self.own("bind")]

    @cached_property
    def routes(self) -> list[Route]:
        """`use_backend` lines in order, then `default_backend`, own or inherited."""
        found: list[Route] = []
        for line in self.own("use_backend"):
            if line.arguments:
                found.append(Route(line, line.arguments[0], tuple(line.arguments[1:])))
        default = self.effective("default_backend").line
        if default is not None and default.arguments:
            found.append(Route(default, default.arguments[0], ()))
        return found
