"""Names that a HAProxy configuration gives, and that nothing in it makes use of.

A name counts as used when it stands anywhere else, in whatever place: what is said to be unused is
named nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.source import Span
from gwlint.syntax.haproxy.keywords import acl_keyword, converter, sample_fetch
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.values.sample_words import leading_name

_NAME = re.compile(r"[A-Za-z0-9_.:-]+")
_MEANT_TO_BE_NAMED = frozenset(
    {"cache", "fcgi-app", "http-errors", "mailers", "peers", "resolvers", "ring", "userlist"}
)
_BANDWIDTH = frozenset({"bwlim-in", "bwlim-out"})
_WRITES = re.compile(r"(?:set|add|del)-(map|acl)\(([^()]+)\)")
_READS = re.compile(r"\bmap(?:_[a-z]+)*\(\s*([^(),]+)")
_MAKES_COOKIES = frozenset({"dynamic-cookie-key"})


@dataclass(frozen=True, slots=True)
class Unused:
    line: Line
    span: Span
    message: str
    advice: str


def names_in(lines: Iterable[Line]) -> frozenset[str]:
    """Everything in the lines that may be a name."""
    return frozenset(
        name for line in lines for word in line.words for name in _NAME.findall(word.value)
    )


def unused_names(config: HaproxyConfig) -> Iterator[Unused]:
    """What is unused for certain: of a part of a configuration, nothing but cookies."""
    if config.is_whole and not config.is_fragment and config.proxies and not _has_lua(config):
        yield from _sections(config)
        yield from _defaults(config)
        yield from _tables(config)
        yield from _maps(config)
    for proxy in config.proxies:
        if not proxy.is_disabled:
            yield from _limits(proxy)
            if config.is_whole:
                yield from _cookies(proxy)


def _has_lua(config: HaproxyConfig) -> bool:
    return any(config.global_line(name) for name in ("lua-load", "lua-load-per-thread"))


def _sections(config: HaproxyConfig) -> Iterator[Unused]:
    """Sections that do nothing but by name, of which there is no use."""
    counted: dict[str, int] = {}
    for line in config.lines:
        for name in names_in([line]):
            counted[name] = counted.get(name, 0) + 1
    for section in config.sections:
        word = section.name
        if section.kind not in _MEANT_TO_BE_NAMED or word is None or word.references:
            continue
        if section.header.conditions or (section.kind, word.value) == ("resolvers", "default"):
            continue
        if counted.get(word.value, 0) == 1:
            yield Unused(
                section.header,
                word.span,
                f'nothing makes use of {section.kind} "{word.value}"',
                "name it where it was meant, or remove it",
            )


def _defaults(config: HaproxyConfig) -> Iterator[Unused]:
    inherited = {section for proxy in config.proxies for section in proxy.defaults}
    origins = {
        section.defaults_from.value
        for section in config.sections
        if section.defaults_from is not None
    }
    for section in config.sections:
        if section.kind != "defaults" or section in inherited or not section.lines:
            continue
        is_origin = section.name is not None and section.name.value in origins
        if not is_origin and not section.header.conditions:
            yield Unused(
                section.header,
                section.header.words[0].span,
                "no proxy inherits from this defaults section",
                "put it in front of the proxies that it is for, or remove it",
            )


def _tables(config: HaproxyConfig) -> Iterator[Unused]:
    owners = [proxy for proxy in config.proxies if proxy.own("stick-table")]
    if not owners:
        return
    named = names_in(
        line
        for line in config.lines
        if line.keyword not in ("use_backend", "default_backend") and not _is_header(line)
    )
    for proxy in owners:
        line = proxy.own("stick-table")[-1]
        if proxy.name in named or proxy.is_disabled or line.conditions or _uses_table(proxy):
            continue
        if "peers" in line.values:
            continue  # other members of the cluster may fill it
        yield Unused(
            line,
            line.words[0].span,
            f"no rule makes use of the stick table of {proxy.name}",
            "add the track-sc or stick rule that was meant, or remove it",
        )


def _is_header(line: Line) -> bool:
    return line.section is not None and line.section.header is line


def _uses_table(proxy: Proxy) -> bool:
    for section in (proxy.section, *proxy.defaults):
        for line in section.lines:
            if line.keyword == "stick":
                return True
            for word in line.arguments:
                if "track-sc" in word.value or word.references:
                    return True
                if any(_takes_table(name) for name in _NAME.findall(word.value)):
                    return True
    return False


def _takes_table(name: str) -> bool:
    """Whether a fetch or a converter looks into a table, its own section's if none is named."""
    definition = acl_keyword(name)
    fetch = sample_fetch(name if definition is None else leading_name(definition))
    change = converter(name)
    return (fetch is not None and "table" in fetch.arguments) or (
        change is not None and "table" in change.arguments
    )


def _limits(proxy: Proxy) -> Iterator[Unused]:
    """Bandwidth limits are put on a stream by a rule; `bwlim-in NAME` alone limits nothing."""
    limits = [line for line in proxy.own("filter") if line.values[:1] and len(line.values) > 1]
    limits = [line for line in limits if line.values[0] in _BANDWIDTH and not line.conditions]
    if not limits:
        return
    named = names_in(line for line in proxy.section.lines if line.keyword != "filter")
    for line in limits:
        word = line.arguments[1]
        if word.value not in named and not word.references:
            yield Unused(
                line,
                word.span,
                f'no set-bandwidth-limit rule puts the limit "{word.value}" on anything',
                "add the rule, or remove the filter",
            )


def _maps(config: HaproxyConfig) -> Iterator[Unused]:
    """Files that rules write into, and that neither a converter nor `-f` or `-M` loads."""
    writers: dict[str, Line] = {}
    read: set[str] = set()
    for line in config.lines:
        if any(word.references for word in line.words):
            return
        values = line.values
        for index, value in enumerate(values):
            written = _WRITES.fullmatch(value)
            if written is not None:
                writers.setdefault(written[2].strip(), line)
                continue
            if "map" in value:
                read.update(name.strip() for name in _READS.findall(value))
            if value == "-f" and index + 1 < len(values):
                read.add(values[index + 1])
    for name, line in writers.items():
        if name not in read:
            yield Unused(
                line,
                line.arguments[0].span,
                f"nothing reads {name}, which this rule writes",
                "load it by map(...) or 'acl ... -f', or remove the rule",
            )


def _cookies(proxy: Proxy) -> Iterator[Unused]:
    """`cookie` of a backend and of its servers: one does nothing without the other."""
    if not proxy.is_backend or not proxy.is_http or not proxy.servers:
        return
    cookie = proxy.effective("cookie")
    valued = [server for server in proxy.servers if server.last("cookie") is not None]
    if not all(server.is_certain for server in proxy.servers):
        return
    if cookie.line is None and valued:
        line = valued[0].line
        own = valued[0].parsed.last("cookie")
        yield Unused(
            line,
            line.words[0].span if own is None else own.keyword.span,
            f"{proxy.name} has no cookie line, so the cookie values of its servers are not used",
            "add 'cookie NAME insert indirect nocache', or remove the values",
        )
    elif cookie.line is not None and not valued and cookie.line.section is proxy.section:
        line = cookie.line
        is_made = "dynamic" in line.values or any(
            True for name in _MAKES_COOKIES for _ in proxy.lines(name)
        )
        if not is_made and not line.conditions and line.modifier is None:
            yield Unused(
                line,
                line.words[0].span,
                f"no server of {proxy.name} has a cookie value, so that no client comes back to"
                " its server",
                "give each server a value: cookie NAME",
            )
