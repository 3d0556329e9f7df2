from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.syntax.haproxy.tree import Line, Section

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
    the way in which connections are kept, which three options set. Names of proxies of one kind,
    and of the servers of a backend, may not be given twice at all.

    ## Why
    The earlier line reads as if it were in force. Measured on HAProxy 2.6.12 and 2.8.25: the server
    accepts both without a word (with a warning for timeouts and rate-limit) and uses the last. A
    name that stands twice keeps it from starting; a frontend and a backend of the same name are
    accepted silently up to 3.0, with a warning by 3.2, and refused from 3.3 on.

    ## In the log
    Only for timeouts: [WARNING] overwriting 'timeout server' which was already specified

    ## Silent when
    One of the lines stands under `.if`, or has a modifier such as `no`; the other value is in a
    defaults section, which is there to be overridden; the same name stands in two files, which may
    be there to choose from.

    ## Fix safety
    None: which of the two was meant is not known. Where both say the same, it is information, and
    so is a name of a frontend and a backend, unless the target is 3.2 or newer.

    ## Learnt
    Whole collections of published files name each frontend like its backend: they work until 3.3.

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
        for backend in config.backends:
            yield from self._servers(backend)

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
