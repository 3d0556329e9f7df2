"""Proxies: frontend, backend and listen sections with the defaults they inherit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from gwlint.model.haproxy.effective import Effective
from gwlint.model.haproxy.server import Server
from gwlint.syntax.haproxy.tree import Line, Section, Word
from gwlint.syntax.values.address import Address
from gwlint.syntax.values.addresses import parse_bind_addresses
from gwlint.syntax.values.bind_line import BindLine, parse_bind
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.times import Duration, parse_time

FRONTEND_KINDS = ("frontend", "listen")
BACKEND_KINDS = ("backend", "listen")


def matches(line: Line, keyword: tuple[str, ...]) -> bool:
    """Whether a line begins with these words, its `no` or `default` left aside."""
    if line.keyword != keyword[0]:
        return False
    rest = keyword[1:]
    arguments = line.arguments
    return len(arguments) >= len(rest) and all(
        word.value == expected for word, expected in zip(arguments, rest, strict=False)
    )


def bind_addresses(bind: BindLine) -> tuple[Address, ...]:
    """The addresses of a bind line; none when they are missing or cannot be read."""
    if bind.address is None:
        return ()
    try:
        return parse_bind_addresses(bind.address.value)
    except ValueProblem:
        return ()


@dataclass(frozen=True, slots=True)
class Route:
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
    """One proxy. `defaults` are the defaults sections that it inherits from, nearest first."""

    def __init__(self, section: Section, defaults: tuple[Section, ...]) -> None:
        self.section = section
        self.defaults = defaults
        self._by_keyword: dict[str, list[Line]] = {}
        for line in section.lines:
            self._by_keyword.setdefault(line.keyword, []).append(line)

    def __repr__(self) -> str:
        return f"Proxy({self.kind} {self.name})"

    @property
    def kind(self) -> str:
        return self.section.kind

    @property
    def name(self) -> str:
        return "" if self.section.name is None else self.section.name.value

    @property
    def header(self) -> Line:
        return self.section.header

    @property
    def is_frontend(self) -> bool:
        return self.kind in FRONTEND_KINDS

    @property
    def is_backend(self) -> bool:
        return self.kind in BACKEND_KINDS

    def own(self, *keyword: str) -> list[Line]:
        """The lines of this very section that begin with these words, in order."""
        return [line for line in self._by_keyword.get(keyword[0], ()) if matches(line, keyword)]

    def lines(self, *keyword: str) -> Iterator[Line]:
        """The lines with these words here and in the defaults, nearest section first."""
        yield from self.own(*keyword)
        for section in self.defaults:
            yield from (line for line in section.lines if matches(line, keyword))

    def effective(self, *keyword: str) -> Effective:
        """The line in force: the last one here, else the last one in the nearest defaults."""
        found: list[tuple[Section, list[Line]]] = []
        if own := self.own(*keyword):
            found.append((self.section, own))
        for section in self.defaults:
            if inherited := [line for line in section.lines if matches(line, keyword)]:
                found.append((section, inherited))
        if not found:
            return Effective(keyword, None, None, (), True)
        section, lines = found[0]
        others = [line for _, outer in found[1:] for line in reversed(outer)]
        certain = not any(line.conditions for line in lines)
        return Effective(keyword, lines[-1], section, (*reversed(lines[:-1]), *others), certain)

    def option(self, name: str) -> Line | None:
        """The line that turns `option name` on; None when it is off or nobody set it."""
        line = self.effective("option", name).line
        return None if line is None or line.modifier is not None else line

    def is_option_certain(self, name: str) -> bool:
        return self.effective("option", name).is_certain

    @property
    def is_disabled(self) -> bool:
        """Whether its last `disabled` or `enabled` line, own or inherited, is `disabled`.

        HAProxy neither starts such a proxy nor looks for the backends that it names (measured on
        2.6 and 2.8).
        """
        for section in (self.section, *self.defaults):
            words = [line.keyword for line in section.lines]
            for word in reversed(words):
                if word in ("disabled", "enabled"):
                    return word == "disabled"
        return False

    @property
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
        inherited = [
            line
            for section in reversed(self.defaults)
            for line in section.lines
            if line.keyword == "default-server"
        ]
        found: list[Server] = []
        for line in self.section.lines:
            if line.keyword == "default-server":
                inherited = [*inherited, line]
            elif line.keyword in ("server", "server-template") and self.is_backend:
                found.append(Server(line, tuple(inherited)))
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
