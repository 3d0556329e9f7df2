"""Names of sections and tables that a HAProxy configuration uses, and does not have.

Measured on 2.6.12 and 2.8.25, each without `default` among the resolvers, which exists always:
HAProxy does not start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.syntax.haproxy.tree import Line, Word

_STICK_RULES = frozenset({"match", "on", "store-request", "store-response"})
_RULES = ("http-request", "tcp-request", "http-response", "tcp-response")


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that nothing has. `known` are names of the same kind, empty when it is implied."""

    line: Line
    word: Word
    name: str
    what: str
    known: tuple[str, ...]


def missing_references(config: HaproxyConfig) -> Iterator[Missing]:
    """The names, but for those that come from expressions or the environment."""
    names: dict[str, tuple[str, ...]] = {
        kind: tuple(
            section.name.value
            for section in config.sections
            if section.kind == kind and section.name is not None
        )
        for kind in ("cache", "defaults", "resolvers")
    }
    for section in config.sections:
        origin = section.defaults_from
        if origin is not None:
            yield from _unless_known(section.header, origin, "defaults section", names["defaults"])
    tables = tuple(proxy.name for proxy in config.proxies if proxy.own("stick-table"))
    proxies = {proxy.name for proxy in config.proxies}
    for proxy in config.proxies:
        if proxy.is_disabled:
            continue
        yield from _servers(proxy, names["resolvers"], proxies)
        yield from _caches(proxy, names["cache"])
        yield from _tables(proxy, tables)


def _unless_known(line: Line, word: Word, what: str, known: tuple[str, ...]) -> Iterator[Missing]:
    if word.value and not word.references and "%" not in word.value and word.value not in known:
        yield Missing(line, word, word.value, what, known)


def _servers(proxy: Proxy, resolvers: tuple[str, ...], proxies: set[str]) -> Iterator[Missing]:
    for server in proxy.servers:
        for parameter in server.parsed.parameters:
            word = parameter.value
            if word is None or parameter.negated:
                continue
            if parameter.name == "resolvers" and word.value != "default":
                yield from _unless_known(server.line, word, "resolvers section", resolvers)
            elif parameter.name == "track" and not word.references:
                backend, slash, _ = word.value.rpartition("/")
                if slash and backend not in proxies:
                    yield Missing(server.line, word, backend, "backend", ())


def _caches(proxy: Proxy, caches: tuple[str, ...]) -> Iterator[Missing]:
    for line in proxy.own("filter", "cache"):
        if len(line.arguments) > 1:
            yield from _unless_known(line, line.arguments[1], "cache", caches)


def _tables(proxy: Proxy, tables: tuple[str, ...]) -> Iterator[Missing]:
    """Rules that need a stick table: that of another section by `table NAME`, else their own."""
    lines = [
        line for line in proxy.own("stick") if line.values[:1] and line.values[0] in _STICK_RULES
    ]
    lines += [
        line
        for keyword in _RULES
        for line in proxy.own(keyword)
        if any(value.startswith("track-sc") for value in line.values[:2])
    ]
    for line in lines:
        values = line.values
        if "table" in values[:-1]:
            word = line.arguments[values.index("table") + 1]
            if "/" not in word.value:
                yield from _unless_known(line, word, "stick table", tables)
        elif proxy.name not in tables:
            yield Missing(line, line.words[0], proxy.name, "stick table", ())
