from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.upstream import Upstream
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.addresses.destinations import server_hosts, upstreams_are_known
from gwlint.source import Span, encode
from gwlint.syntax.nearest import nearest

_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+")
_DIGITS = re.compile(r"[0-9]+")
_LONGEST_HOST_NAME = 253
"""Characters of a name in DNS (RFC 1035, section 2.3.4)."""

_SHORTEST = 4
"""Shorter names, such as api and app, are near to each other by chance."""


class UpstreamNameMisspelt(NginxRule):
    """The destination is no upstream, but nearly the name of one.

    ## Problem
    nginx takes the host of `proxy_pass` for an upstream only when one has exactly this name. Any
    other name is a host name, which it looks up when it starts.

    ## Why
    Measured on nginx 1.22.1: it does not start, because the name cannot be resolved. Should a
    machine of that name exist, requests go there, past the pool with its servers and settings.

    ## In the log
    `[emerg] host not found in upstream "apps" in ...`

    ## Silent when
    The name has a dot or a port, or is a server of some upstream, so it is a host name; it has
    fewer than four letters; the names differ in a number; more than one upstream is as near; the
    upstream that is near has routes of its own; the configuration is a fragment, or includes a file
    that could not be read, so that the upstream may be elsewhere.

    ## Fix safety
    Unsafe: the name could be that of a machine.

    ## Learnt
    Sites whose services have similar names (`auth`, `oauth`) use both; so only an upstream to which
    nothing else leads counts.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#upstream
    """

    code = "NGX101"
    name = "upstream-name-misspelt"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream backend {
                    server 127.0.0.1:3000;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://bakend;
                    }
                }
            }
            """
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                upstream backend {
                    server 127.0.0.1:3000;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://backend;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        if not upstreams_are_known(config):
            return
        unused = {True: _Names(), False: _Names()}
        for upstream in config.upstreams:
            if upstream.name and not config.passes_to(upstream):
                unused[upstream.is_http].add(upstream)
        hosts = server_hosts(config)
        found: dict[tuple[bool, str], Upstream | None] = {}
        for route in config.passes:
            name = route.destination.authority
            if route.upstream is not None or not _is_host_name(name) or name in hosts:
                continue
            key = route.is_http, name
            if key not in found:
                found[key] = unused[route.is_http].near(name)
            meant = found[key]
            if meant is not None:
                yield self._misspelt(route, name, meant)

    def _misspelt(self, route: Pass, name: str, meant: Upstream) -> Finding:
        span = _host_span(route, name)
        fix = None
        if span is not None:
            fix = Fix(f"pass to upstream {meant.name}", Safety.UNSAFE, (Edit(span, meant.name),))
        return self.finding(
            route.directive,
            f'"{name}" is no upstream, so nginx looks it up in DNS; nothing uses upstream'
            f' "{meant.name}"',
            advice=f"write {meant.name}, if that is what was meant",
            span=span,
            related=(Label(meant.directive.span, "the upstream that is nearly called so"),),
            fix=fix,
        )


def _is_host_name(text: str) -> bool:
    return len(text) <= _LONGEST_HOST_NAME and _HOST_NAME.fullmatch(text) is not None


class _Names:
    """Upstreams by name, so that near ones are found without comparing with all.

    Two words of which one letter was changed, added, left out or swapped with its neighbour become
    equal when one letter, or none, is taken from each.
    """

    def __init__(self) -> None:
        self._upstreams: dict[str, Upstream] = {}
        self._shortened: dict[str, list[str]] = {}

    def add(self, upstream: Upstream) -> None:
        self._upstreams[upstream.name] = upstream
        for key in _shortened(upstream.name):
            self._shortened.setdefault(key, []).append(upstream.name)

    def near(self, name: str) -> Upstream | None:
        """The one upstream that is nearest; None unless their numbers are the same."""
        if len(name) < _SHORTEST:
            return None
        candidates = {one for key in _shortened(name) for one in self._shortened.get(key, ())}
        near = nearest(name, candidates)
        if len(near) != 1 or _DIGITS.findall(near[0]) != _DIGITS.findall(name):
            return None
        return self._upstreams[near[0]]


def _shortened(name: str) -> set[str]:
    """The name, and what is left of it without any one letter."""
    return {name, *(name[:index] + name[index + 1 :] for index in range(len(name)))}


def _host_span(route: Pass, name: str) -> Span | None:
    """Where the name stands in the argument; None when it is written with escapes."""
    word = route.word
    after_scheme = max(word.raw.find(b"://"), 0)
    at = word.raw.find(encode(name), after_scheme)
    if at == -1:
        return None
    return Span(word.source, word.start + at, word.start + at + len(encode(name)))
