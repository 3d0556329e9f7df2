"""Names of sections, tables and filters that a HAProxy configuration uses, and does not have.

Measured on 2.6.12 and 2.8.25, each without `default` among the resolvers, which exists always:
HAProxy does not start. `haproxy -c` says so of all but rings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rules.addresses.haproxy_sample_names import SampleName, sample_names_of
from gwlint.rules.addresses.haproxy_server_names import server_names
from gwlint.syntax.haproxy.tree import Line, Section, Word

_STICK_RULES = frozenset({"match", "on", "store-request", "store-response"})
_RULES = ("http-request", "tcp-request", "http-response", "tcp-response")
_REPLIES = ("http-request", "http-response", "http-error")
_BANDWIDTH = frozenset({"bwlim-in", "bwlim-out"})

_SECTIONS = {
    "cache": "cache",
    "defaults": "defaults section",
    "fcgi-app": "fcgi-app section",
    "http-errors": "http-errors section",
    "mailers": "mailers section",
    "peers": "peers section",
    "resolvers": "resolvers section",
    "ring": "ring",
    "userlist": "userlist",
}
"""Kind of section -> what messages call it."""

_NAMING = {
    ("filter", "cache"): "cache",
    ("http-request", "cache-use"): "cache",
    ("http-response", "cache-store"): "cache",
    ("filter", "fcgi-app"): "fcgi-app",
    ("use-fcgi-app",): "fcgi-app",
    ("errorfiles",): "http-errors",
}
"""First words of a line -> kind of the section that the next word names."""

_IN_SAMPLES = {
    "backend": "backend",
    "frontend": "frontend",
    "table": "stick table",
    "user list": "userlist",
}
"""What HAProxy calls an argument -> what messages call it."""

_IMPLIED = frozenset({("resolvers", "default")})


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that nothing has. `known` are names of the same kind, empty when it is implied.

    is_refused: whether HAProxy does not start; else it does without the section.
    """

    line: Line
    word: Word
    name: str
    what: str
    known: tuple[str, ...]
    is_refused: bool = True


@dataclass(frozen=True, slots=True)
class _Use:
    """A word, or a part of one, that names a section."""

    kind: str
    line: Line
    word: Word
    name: str


Names = dict[str, None]
"""Names in order."""


def missing_references(config: HaproxyConfig) -> Iterator[Missing]:
    """The names, but for those that come from expressions or the environment."""
    names = {kind: _names(config, kind) for kind in _SECTIONS}
    for use in _uses(config):
        known = names[use.kind]
        if known is None or not _is_plain(use.word, use.name) or use.name in known:
            continue
        if (use.kind, use.name) not in _IMPLIED:
            yield Missing(use.line, use.word, use.name, _SECTIONS[use.kind], tuple(known))
    tables = dict.fromkeys(proxy.name for proxy in config.proxies if proxy.own("stick-table"))
    proxies = {proxy.name: proxy for proxy in config.proxies}
    in_samples = {
        "backend": _proxy_names(config.backends),
        "frontend": _proxy_names(config.frontends),
        "table": tables,
        "user list": names["userlist"],
    }
    for proxy in config.proxies:
        if proxy.is_disabled:
            continue
        yield from _tracked(proxy, proxies)
        yield from _tables(proxy, tables)
        yield from _filters(proxy)
        for sample in sample_names_of(proxy):
            yield from _of_sample(config, proxy, sample, in_samples)
    for section in config.sections:
        if section.kind == "userlist":
            yield from _members(section)
        elif section.kind == "peers":
            yield from _local_peer(config, section)


def _names(config: HaproxyConfig, kind: str) -> Names | None:
    """The names of the sections of a kind; None when one comes from the environment."""
    words = [
        section.name
        for section in config.sections
        if section.kind == kind and section.name is not None
    ]
    if any(word.references for word in words):
        return None
    return dict.fromkeys(word.value for word in words)


def _proxy_names(proxies: Iterable[Proxy]) -> Names | None:
    """The same of proxies."""
    found = list(proxies)
    if any(one.section.name is not None and one.section.name.references for one in found):
        return None
    return dict.fromkeys(one.name for one in found)


def _is_plain(word: Word, name: str) -> bool:
    return bool(name) and not word.references and "%" not in name


def _uses(config: HaproxyConfig) -> Iterator[_Use]:
    for section in config.sections:
        origin = section.defaults_from
        if origin is not None:
            yield _Use("defaults", section.header, origin, origin.value)
        if section.kind not in ("backend", "frontend", "listen", "defaults"):
            yield from _rings(section.lines)
    seen: set[Line] = set()
    sections: set[Section] = set()
    for proxy in config.proxies:
        if not proxy.is_disabled:
            for use in _uses_of(proxy):
                if use.line not in seen:
                    yield use
            for section in proxy.defaults:
                if section not in sections:
                    sections.add(section)
                    seen.update(section.lines)


def _uses_of(proxy: Proxy) -> Iterator[_Use]:
    yield from _rings(proxy.lines("log"))
    for server in proxy.servers:
        resolvers = server.parameter("resolvers")
        if resolvers is not None and resolvers.value is not None:
            word = resolvers.value
            is_own = resolvers.keyword in server.line.words
            line = server.line if is_own else _line_of(server.inherited, word)
            yield _Use("resolvers", line, word, word.value)
    for words, kind in _NAMING.items():
        for line in proxy.lines(*words):
            yield from _argument(line, len(words) - 1, kind)
    # Without sender and recipient HAProxy only warns that no mail is sent (measured).
    if all(proxy.effective("email-alert", name).is_set for name in ("from", "to")):
        for line in proxy.lines("email-alert", "mailers"):
            yield from _argument(line, 1, "mailers")
    for keyword in _REPLIES:
        for line in proxy.lines(keyword):
            yield from _after(line, "errorfiles", "http-errors")
    for line in proxy.own("stick-table"):
        yield from _after(line, "peers", "peers")
    for keyword in ("http-request", "tcp-request"):
        for line in proxy.lines(keyword):
            yield from _lookups(line)


def _line_of(lines: Iterable[Line], word: Word) -> Line:
    return next(line for line in lines if word in line.words)


def _argument(line: Line, index: int, kind: str) -> Iterator[_Use]:
    if len(line.arguments) > index and line.modifier is None:
        word = line.arguments[index]
        yield _Use(kind, line, word, word.value)


def _after(line: Line, keyword: str, kind: str) -> Iterator[_Use]:
    """The word behind a keyword of a line, in front of its condition."""
    values = line.values
    end = next((i for i, value in enumerate(values) if value in ("if", "unless")), len(values))
    if keyword in values[: end - 1]:
        yield from _argument(line, values.index(keyword) + 1, kind)


def _rings(lines: Iterable[Line]) -> Iterator[_Use]:
    for line in lines:
        if line.keyword == "log" and line.arguments and line.modifier is None:
            word = line.arguments[0]
            prefix, at, name = word.value.partition("@")
            if at and prefix == "ring":
                yield _Use("ring", line, word, name)


def _lookups(line: Line) -> Iterator[_Use]:
    """`do-resolve(txn.ip,NAME,ipv4)`."""
    for word in line.arguments[:2]:
        action, bracket, rest = word.value.partition("(")
        parts = rest.rstrip(")").split(",")
        if action == "do-resolve" and bracket and len(parts) > 1:
            yield _Use("resolvers", line, word, parts[1].strip())


def _tracked(proxy: Proxy, proxies: dict[str, Proxy]) -> Iterator[Missing]:
    names: dict[str, tuple[str, ...]] = {}
    for server in proxy.servers:
        track = server.parameter("track")
        word = None if track is None else track.value
        if word is None or word.references or word not in server.line.words:
            continue
        backend, slash, name = word.value.rpartition("/")
        if slash and backend not in proxies:
            yield Missing(server.line, word, backend, "backend", ())
            continue
        known = server_names(proxies[backend] if slash else proxy)
        if known is not None and name not in known:
            if backend not in names:
                names[backend] = tuple(known)
            yield Missing(server.line, word, name, "server", names[backend])


def _tables(proxy: Proxy, tables: Names) -> Iterator[Missing]:
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
            name = word.value
            if "/" not in name and _is_plain(word, name) and name not in tables:
                yield Missing(line, word, name, "stick table", tuple(tables))
        elif proxy.name not in tables:
            yield Missing(line, line.words[0], proxy.name, "stick table", ())


def _filters(proxy: Proxy) -> Iterator[Missing]:
    """Filters that a rule of the same section turns to by name."""
    limits = tuple(
        line.values[1]
        for line in proxy.lines("filter")
        if len(line.arguments) > 1 and line.values[0] in _BANDWIDTH
    )
    spoe = list(proxy.lines("filter", "spoe"))
    engines = tuple(
        line.values[line.values.index("engine") + 1]
        for line in spoe
        if "engine" in line.values[:-1]
    )
    for keyword in _RULES:
        for line in proxy.own(keyword):
            values = line.values[1:] if keyword.startswith("tcp") else line.values
            words = line.arguments[1:] if keyword.startswith("tcp") else line.arguments
            if len(values) < 2:
                continue
            word, name = words[1], values[1]
            if values[0] == "set-bandwidth-limit" and _is_plain(word, name) and name not in limits:
                yield Missing(line, word, name, "bandwidth limit filter", limits)
            elif (
                values[0] == "send-spoe-group"
                and len(engines) == len(spoe)
                and _is_plain(word, name)
                and name not in engines
            ):
                yield Missing(line, word, name, "SPOE engine", engines)


def _of_sample(
    config: HaproxyConfig, proxy: Proxy, sample: SampleName, names: dict[str, Names | None]
) -> Iterator[Missing]:
    """Names in brackets of sample fetches: `nbsrv(app)`, `http_auth(staff)`."""
    line, word, name = sample.line, sample.word, sample.name
    if not _is_plain(word, name):
        return
    if sample.kind == "server":
        backend, slash, name = name.rpartition("/")
        backends = names["backend"]
        home = config.backend_by_name.get(backend) if slash else proxy
        if backends is not None and home is None:
            yield Missing(line, word, backend, "backend", tuple(backends))
        known = None if home is None else server_names(home)
        if known is not None and name not in known:
            yield Missing(line, word, name, "server", tuple(known))
        return
    known = names[sample.kind]
    is_elsewhere = sample.kind == "table" and "/" in name  # in a peers section
    if known is not None and name not in known and not is_elsewhere:
        yield Missing(line, word, name, _IN_SAMPLES[sample.kind], tuple(known))


def _members(section: Section) -> Iterator[Missing]:
    """Groups that users of a userlist belong to, and users that groups list."""
    for keyword, list_word, what in (("user", "groups", "group"), ("group", "users", "user")):
        known = tuple(
            line.values[0] for line in section.lines if line.keyword == what and line.arguments
        )
        for line in section.lines:
            if line.keyword != keyword or list_word not in line.values[:-1]:
                continue
            word = line.arguments[line.values.index(list_word) + 1]
            for name in word.value.split(","):
                if _is_plain(word, name) and name not in known:
                    yield Missing(line, word, name, what, known)


def _local_peer(config: HaproxyConfig, section: Section) -> Iterator[Missing]:
    """The name of `localpeer`: without it HAProxy would go by that of the host.

    Measured on 2.6.12 and 2.8.25: it starts with the warning "Removing incomplete section".
    """
    told = config.global_line("localpeer")
    if told is None or not told.arguments or told.conditions or section.header.conditions:
        return
    word = told.arguments[0]
    lines = section.lines
    if any(line.conditions or line.keyword in ("disabled", "enabled") for line in lines):
        return
    words = [
        line.arguments[0] for line in lines if line.keyword in ("peer", "server") and line.arguments
    ]
    known = tuple(one.value for one in words)
    if not any(one.references for one in (word, *words)) and word.value not in known:
        yield Missing(section.header, section.header.words[0], word.value, "peer", known, False)
