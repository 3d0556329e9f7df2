from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy, bind_addresses
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.syntax.haproxy.tree import Line, Section
from gwlint.syntax.values.bind_line import BindLine

_SINGLE = frozenset(
    {
        "balance", "backlog", "cookie", "default_backend", "fullconn", "hash-type", "http-reuse",
        "log-format", "maxconn", "mode", "monitor-uri", "rate-limit", "retries", "retry-on",
        "timeout", "unique-id-format",
    }
)  # fmt: skip
"""Measured on 2.6.12 and 2.8.25: accepted twice, without a word but for timeout and rate-limit."""

_OF_TWO_WORDS = frozenset({"rate-limit", "timeout"})
_WARNED = frozenset({"rate-limit", "timeout"})
_CONNECTION_MODES = frozenset({"httpclose", "http-keep-alive", "http-server-close"})
_SECTIONS = frozenset({"backend", "defaults", "frontend", "listen"})


class DuplicateStatement(HaproxyRule):
    """A setting stands twice in one section, where only the last one counts, or a name twice.

    ## Problem
    `balance`, `default_backend`, `mode`, `maxconn`, a timeout and the like have one value; so has
    way in which connections are kept, which three options set, and the version of the PROXY
    protocol. Names of proxies of one kind, and of the servers of a backend, may not be given twice
    at all. Two frontends cannot share an address, nor two servers the value of a cookie.

    ## Why
    The earlier line reads as if it were in force. Measured on HAProxy 2.6.12 and 2.8.25: the server
    accepts both without a word (with a warning for timeouts and rate-limit) and uses the last. A
    name that stands twice keeps it from starting; a frontend and a backend of the same name are
    accepted silently up to 3.0, with a warning by 3.2, and refused from 3.3 on. Of two frontends
    on one address each got some of forty requests, as it came. Of two servers with one cookie value
    the first got all requests that had it. send-proxy beside send-proxy-v2 sends version 2.

    ## In the log
    Only for timeouts: `[WARNING] ... overwriting 'timeout server' which was already specified`.

    ## Silent when
    One of the lines stands under `.if`, or has a modifier such as `no`; the other value is in a
    defaults section, which is there to be overridden; the same name stands in two files, which may
    be there to choose from; addresses that differ in the interface or namespace; backup servers
    and servers of a template that share a cookie.

    ## Fix safety
    None: which of the two was meant is not known. Where both say the same, it is information, and
    so is a name of a frontend and a backend, unless the target is 3.2 or newer.

    ## Versions
    One name for a frontend and a backend is refused from HAProxy 3.3 on, and warned of by 3.2: an
    error and a warning for such a target, info for an older or unknown one.

    ## Learnt
    Whole collections of published files name each frontend like its backend: they work until 3.3.
    All 100 findings in published files read, all right, 94 of them in one collection.

    ## References
    - HAProxy configuration manual, section 4.2, keywords balance, default_backend, option httpclose
    """

    code = "HAP905"
    name = "duplicate-statement"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s
                timeout server 60s

            frontend web
                bind 127.0.0.1:8080
                default_backend old
                default_backend new

            backend old
                server s1 127.0.0.1:3000

            backend new
                balance roundrobin
                balance leastconn
                option http-server-close
                option http-keep-alive
                server s1 127.0.0.1:3001
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                server s1 127.0.0.1:3000
                server s1 127.0.0.1:3001

            backend app
                server s1 127.0.0.1:3002
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            frontend web
                bind 127.0.0.1:8080
                default_backend app

            frontend shop
                bind 127.0.0.1:8080
                default_backend app

            backend app
                cookie S insert indirect nocache
                server s1 127.0.0.1:3000 cookie a
                server s2 127.0.0.1:3001 cookie a send-proxy send-proxy-v2
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                balance roundrobin
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            listen web
                bind 127.0.0.1:8080
                balance leastconn
                timeout server 60s
                timeout queue 10s
                server s1 127.0.0.1:3000
                server s2 127.0.0.1:3001
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for section in config.sections:
            if section.kind in _SECTIONS:
                yield from self._section(section)
        yield from self._proxies(config)
        yield from self._addresses(config)
        for backend in config.backends:
            yield from self._servers(backend)
            yield from self._cookies(backend)
            yield from self._proxy_versions(backend)

    def _proxies(self, config: HaproxyConfig) -> Iterator[Finding]:
        """Names that two proxies of one file have: files in a folder may be there to choose from,
        so two of them need never be loaded together."""
        frontends: dict[tuple[str, str], Proxy] = {}
        backends: dict[tuple[str, str], Proxy] = {}
        for proxy in config.proxies:
            if proxy.header.conditions or not proxy.name:
                continue
            key = (proxy.header.source.path, proxy.name)
            same = frontends.get(key) if proxy.is_frontend else None
            if same is None and proxy.is_backend:
                same = backends.get(key)
            other = frontends.get(key) or backends.get(key)
            if same is not None:
                yield self._name(
                    proxy.header, same.header, "so HAProxy does not start", Severity.ERROR
                )
            elif other is not None:
                yield self._name(
                    proxy.header,
                    other.header,
                    "which HAProxy refuses from 3.3 on",
                    _shared_name_severity(config),
                )
            if proxy.is_frontend:
                frontends.setdefault(key, proxy)
            if proxy.is_backend:
                backends.setdefault(key, proxy)

    def _servers(self, backend: Proxy) -> Iterator[Finding]:
        seen: dict[str, Line] = {}
        for server in backend.servers:
            line, word = server.line, server.parsed.name
            if line.keyword != "server" or line.conditions or word is None or word.references:
                continue
            first = seen.setdefault(word.value, line)
            if first is not line:
                yield self._name(line, first, "so HAProxy does not start", Severity.ERROR)

    def _addresses(self, config: HaproxyConfig) -> Iterator[Finding]:
        """Addresses that two frontends of one file bind."""
        seen: dict[tuple[object, ...], tuple[Proxy, Line]] = {}
        for proxy in config.frontends:
            if proxy.is_disabled or proxy.header.conditions:
                continue
            for line, bind in proxy.binds:
                for key in _listened(line, bind):
                    other, first = seen.setdefault((line.source.path, *key), (proxy, line))
                    if other is proxy or bind.address is None:
                        continue
                    yield self.finding(
                        line,
                        f'"{other.name}" listens here as well: each connection goes to one of the'
                        " two, as it comes",
                        advice="choose another address, or join the frontends",
                        severity=Severity.WARNING,
                        span=bind.address.span,
                        related=(Label(first.span, "the same address"),),
                    )

    def _cookies(self, backend: Proxy) -> Iterator[Finding]:
        if not backend.is_http or backend.effective("cookie").line is None:
            return
        seen: dict[str, Line] = {}
        for server in backend.servers:
            line, value = server.line, server.value("cookie")
            if value is None or value.references or line.keyword != "server" or line.conditions:
                continue
            if server.is_backup or server.is_disabled:
                continue
            first = seen.setdefault(value.value, line)
            if first is line:
                continue
            yield self.finding(
                line,
                f'the cookie value "{value.value}" is given twice: clients of this server come back'
                " to the first",
                advice="give each server a value of its own",
                severity=Severity.WARNING,
                span=value.span if value in line.words else line.span,
                related=(Label(first.span, "has the value already"),),
            )

    def _proxy_versions(self, backend: Proxy) -> Iterator[Finding]:
        for server in backend.servers:
            old = server.parsed.get("send-proxy")
            if old is None or "send-proxy-v2" not in server.parsed:
                continue
            yield self.finding(
                server.line,
                '"send-proxy" does not count: HAProxy sends version 2 of the PROXY protocol, as'
                ' "send-proxy-v2" says, without a word',
                advice="keep the one that the server understands",
                severity=Severity.WARNING,
                span=old.keyword.span,
            )

    def _name(self, line: Line, first: Line, effect: str, severity: Severity) -> Finding:
        word = line.arguments[0]
        return self.finding(
            line,
            f'the name "{word.value}" is given twice, {effect}',
            advice="choose another name",
            severity=severity,
            span=word.span,
            related=(Label(first.span, "has the name already"),),
        )

    def _section(self, section: Section) -> Iterator[Finding]:
        seen: dict[str, Line] = {}
        for line in section.lines:
            setting = _setting(line)
            if setting is None:
                continue
            first = seen.get(setting)
            seen[setting] = line
            if first is None:
                continue
            is_same = first.normalised == line.normalised
            how = "with a warning" if line.keyword in _WARNED else "without a word"
            yield self.finding(
                first,
                f'"{first.normalised}" is repeated below'
                if is_same
                else f'"{first.normalised}" does not count: HAProxy uses the later'
                f' "{line.normalised}", {how}',
                advice="keep one of the two",
                severity=Severity.INFO if is_same else Severity.WARNING,
                span=first.words[0].span,
                related=(Label(line.span, "this one counts"),),
            )


def _listened(line: Line, bind: BindLine) -> Iterator[tuple[object, ...]]:
    """What is bound, for addresses that are certain: equal ones collide."""
    if line.conditions or bind.address is None or bind.address.references:
        return
    if any(parameter.uncertain for parameter in bind.parameters):
        return
    place = (bind.value("interface"), bind.value("namespace"))
    for address in bind_addresses(bind):
        if address.family.is_network and address.port:
            host = address.canonical_host
            yield (address.transport, address.family, host, address.port, address.port_end, *place)


def _shared_name_severity(config: HaproxyConfig) -> Severity:
    """Of a frontend and a backend with one name: many have it, and nothing is wrong before 3.2."""
    if config.is_at_least("3.3"):
        return Severity.ERROR
    return Severity.WARNING if config.is_at_least("3.2") else Severity.INFO


def _setting(line: Line) -> str | None:
    """What a line sets; None when several lines may set it together."""
    if line.modifier is not None or line.conditions or not line.arguments:
        return None
    first = line.values[0]
    if line.keyword == "option" and first in _CONNECTION_MODES:
        return "connection mode"
    if line.keyword not in _SINGLE:
        return None
    return f"{line.keyword} {first}" if line.keyword in _OF_TWO_WORDS else line.keyword
