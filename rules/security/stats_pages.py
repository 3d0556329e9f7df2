"""The statistics pages of a configuration, and from where strangers reach them.

Measured on HAProxy 2.6.12 and 2.8.25: any `stats` line of a proxy turns the page on; a proxy that
has one of its own inherits none from `defaults`, `stats auth` included; in mode tcp there is no
page; `http-request` rules run before it, the statement `redirect` after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rules.security.strangers import (
    Gate,
    Reach,
    open_binds,
)
from gwlint.syntax.haproxy.tree import Line, Section

DEFAULT_URI = "/haproxy?stats"

_TELLING = ("enable", "uri")


@dataclass(frozen=True, slots=True)
class StatsPage:
    """One page, with the `stats` lines in force.

    `port` is the widest `bind` through which strangers come to it, `reach` from where.
    `lost` are `stats auth` lines of the defaults that do not hold here.
    """

    proxy: Proxy
    lines: tuple[Line, ...]
    lost: tuple[Line, ...]
    port: Line
    reach: Reach

    @property
    def statement(self) -> Line:
        """The line that names the page: `stats enable` or `stats uri`, else the first one."""
        named = [line for line in self.lines if line.values[:1] and line.values[0] in _TELLING]
        return (named or list(self.lines))[0]

    @property
    def uri(self) -> str:
        found = [line.values[1] for line in self.of("uri") if len(line.values) > 1]
        return found[-1] if found else DEFAULT_URI

    def of(self, word: str) -> list[Line]:
        """The lines `stats WORD ...`."""
        return [line for line in self.lines if line.values[:1] == [word]]

    @property
    def has_own_guard(self) -> bool:
        """Whether `stats http-request` turns somebody away."""
        return any(line.values[1:2] in (["deny"], ["auth"]) for line in self.of("http-request"))


def reachable_pages(config: HaproxyConfig) -> list[StatsPage]:
    """The pages that strangers come to, unless the page itself asks for a password.

    A line of `defaults` makes a page in each proxy that inherits it; only the most exposed one is
    returned. Nothing comes for what hangs on `.if`.
    """
    found: dict[Line, StatsPage] = {}
    for page in _pages(config):
        known = found.get(page.statement)
        if known is None or known.reach < page.reach:
            found[page.statement] = page
    return list(found.values())


def _pages(config: HaproxyConfig) -> Iterator[StatsPage]:
    by_backend: dict[str, list[Proxy]] | None = None
    for proxy in config.proxies:
        lines, lost = _in_force(proxy)
        if not lines or any(line.conditions for line in lines) or proxy.is_disabled:
            continue
        mode = proxy.effective("mode")
        if not proxy.is_http or not mode.is_certain or Gate(proxy).turns_strangers_away:
            continue
        if by_backend is None:
            by_backend = _ways_in(config)
        ways = [proxy] if proxy.is_frontend else []
        if proxy.is_backend:
            ways += by_backend.get(proxy.name, [])
        ports = [(reach, line) for way in ways for line, _, reach in open_binds(way)]
        if not ports:
            continue
        reach, port = max(ports, key=lambda one: one[0])
        if reach > Reach.MACHINE:
            yield StatsPage(proxy, lines, lost, port, reach)


def _in_force(proxy: Proxy) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """The `stats` lines of the nearest section that has some, and the passwords they drop."""
    sections = [proxy.section, *proxy.defaults]
    for index, section in enumerate(sections):
        lines = _stats_lines(section)
        if lines:
            lost = tuple(
                line
                for outer in sections[index + 1 :]
                for line in _stats_lines(outer)
                if line.values[:1] == ["auth"]
            )
            return lines, lost
    return (), ()


@lru_cache(maxsize=1024)
def _stats_lines(section: Section) -> tuple[Line, ...]:
    """Remembered, since thousands of proxies may have one defaults section."""
    return tuple(line for line in section.lines if line.keyword == "stats")


def _ways_in(config: HaproxyConfig) -> dict[str, list[Proxy]]:
    """For each backend, the frontends through whose ports anybody comes to it."""
    found: dict[str, dict[Proxy, None]] = {}
    for frontend in config.frontends:
        gate = Gate(frontend)
        if frontend.is_disabled or not frontend.is_http or gate.turns_strangers_away:
            continue
        for route in frontend.routes:
            if not route.condition or not gate.asks_who(route.condition):
                found.setdefault(route.backend.value, {})[frontend] = None
    return {name: list(frontends) for name, frontends in found.items()}
