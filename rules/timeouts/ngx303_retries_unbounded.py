from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.effective import Effective
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.upstream import Upstream
from gwlint.model.options import Option
from gwlint.model.quantities import seconds_in
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.protocol.levels import changed
from gwlint.source import Span

CONNECT = 5
"""Seconds; enough for a SYN that is lost twice, and short of `ALL_TRIES`."""

ALL_TRIES = 10
"""Seconds within which another server may be tried: two dead ones, then a sound one."""

_FEW = 2
"""Servers; with so many a request is tried once more and no oftener."""


class RetriesUnbounded(NginxRule):
    """A request is tried at one server after another, and each may take its whole timeout.

    ## Problem
    When a server does not answer in time, nginx sends the request to the next one, until all
    have been tried: `proxy_next_upstream_tries` and `proxy_next_upstream_timeout` set no limit by
    default. The client waits for the sum of the timeouts. The same holds for fastcgi, uwsgi, scgi,
    grpc and memcached, and in `stream` for connecting.

    ## Why
    Measured on nginx 1.22.1 with four servers that answer too slowly: each request took four times
    the read timeout, and the application began its work four times; with two tries, half of both.
    With all servers gone without a word, a limit of time or of tries halved the wait as well. Long
    before the sum is over, the client or the proxy in front has given up, and what overloads one
    server is sent to all of them.

    ## In the log
    Several lines for one request: `[error] upstream timed out (110: Connection timed out) while
    reading response header from upstream`, or `[error] upstream timed out (110: Connection timed
    out) while connecting to upstream`. `$upstream_response_time` lists a time for each try.

    ## Silent when
    The sum is within the budget, 60 s by default; one of the two limits is set, or may be set by an
    include that could not be read or by the surroundings of a fragment; `proxy_next_upstream` does
    not have `timeout`; there is one server. It is info for two servers whose timeout is nginx's
    default: the second try then makes the wait 120 s instead of 60 s, when the request has failed
    for most clients either way. Three servers, or a timeout that somebody chose, make it a warning.

    ## Fix safety
    Sets `proxy_next_upstream_timeout 10s`, after which no other server is tried, and where
    connecting may take longer than that, `proxy_connect_timeout 5s`, so that a dead server is still
    left for the next one. Unsafe: a request that would have been answered by the last server after
    a minute fails earlier.

    ## Learnt
    36 of 132 findings in real files read: the sum was right in all, and 33 had two or three servers
    at the default 60 s. As a warning that said too much of two, so it is info now; 16 warnings are
    left. Two tries are no limit for two servers, so the advice does not say so. Servers of UDP in
    `stream` wait for no connection.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream_timeout
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream_tries
    """

    code = "NGX303"
    name = "retries-unbounded"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    options = (
        Option("budget", seconds_in, "60s", "the longest that all tries of one request may take"),
    )
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001;
                    server 127.0.0.1:3002;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                        proxy_connect_timeout 5s;
                        proxy_read_timeout 30s;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            stream {
                upstream db {
                    server 127.0.0.1:5432;
                    server 127.0.0.1:5433;
                }
                server {
                    listen 15432;
                    proxy_pass db;
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
                upstream app {
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001;
                }
                server {
                    listen 8080;
                    proxy_connect_timeout 5s;
                    location / {
                        proxy_pass http://app;
                        proxy_next_upstream_timeout 10s;
                    }
                    location /fast {
                        proxy_pass http://app;
                        proxy_read_timeout 20s;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        groups: dict[tuple[int, str, float], list[_Wait]] = {}
        for route in config.passes:
            wait = _wait(route)
            if wait is not None and wait.total > self.option["budget"]:
                key = (id(wait.upstream), route.family, wait.each)
                groups.setdefault(key, []).append(wait)
        for waits in groups.values():
            first = waits[0]
            route, name = first.route, first.route.family
            edits = [edit for wait in waits for edit in _edits(wait)]
            others = f"; so on {len(waits)} routes" if len(waits) > 1 else ""
            yield self.finding(
                route.directive,
                f'a request may be tried at all {first.count} servers of "{first.upstream.name}",'
                f" {first.each:g} s each ({first.bound.name}): {first.total:g} s in all{others}",
                advice=f"set {name}_next_upstream_timeout {ALL_TRIES}s, or {_other_way(first)}",
                span=route.word.span,
                severity=_severity(first),
                related=_related(first),
                fix=Fix("bound the time for all tries", Safety.UNSAFE, tuple(_distinct(edits)))
                if all(_edits(wait) for wait in waits)
                else None,
            )


@dataclass(frozen=True, slots=True)
class _Wait:
    """How long a request on a route may wait: `each` seconds at each of `count` servers.

    `bound` is the setting that bounds one try.
    """

    route: Pass
    upstream: Upstream
    count: int
    each: float
    bound: Effective
    connect: float

    @property
    def total(self) -> float:
        return self.count * self.each


def _wait(route: Pass) -> _Wait | None:
    """None where tries are bounded, or may be."""
    upstream = route.upstream
    if upstream is None or not upstream.has_failover or not _goes_on_without_end(route):
        return None
    connecting, connect = route.effective("connect_timeout"), route.seconds("connect_timeout")
    reading, read = connecting, connect
    if route.is_http:
        reading, read = route.effective("read_timeout"), route.seconds("read_timeout")
    if connect is None or read is None or not (connecting.is_certain and reading.is_certain):
        return None
    each, bound = (read, reading) if read >= connect else (connect, connecting)
    count = sum(not server.is_down for server in upstream.servers)
    return _Wait(route, upstream, count, each, bound, connect)


def _goes_on_without_end(route: Pass) -> bool:
    """Whether a server that lets time pass is certainly followed by each of the others."""
    for suffix in ("next_upstream_tries", "next_upstream_timeout"):
        limit = route.effective(suffix)
        if not limit.is_certain or limit.value not in ("0", "0s", "0ms"):
            return False
    again = route.effective("next_upstream")
    if not again.is_certain:
        return False
    if route.is_http:
        return "timeout" in again.values
    return again.value != "off" and not _is_udp(route)


def _is_udp(route: Pass) -> bool:
    """Whether the stream server listens for datagrams, which need no connection."""
    server = route.context.within("stream server")
    return server is None or any("udp" in one.values for one in server.own("listen"))


def _edits(wait: _Wait) -> tuple[Edit, ...]:
    route = wait.route
    wanted = [(route.effective("next_upstream_timeout"), f"{ALL_TRIES}s")]
    if wait.connect >= ALL_TRIES:
        wanted.append((route.effective("connect_timeout"), f"{CONNECT}s"))
    return changed(route, *wanted)


def _distinct(edits: list[Edit]) -> list[Edit]:
    """Routes of one level ask for the same lines."""
    found: dict[tuple[Span, str], Edit] = {}
    for edit in edits:
        found.setdefault((edit.span, edit.text), edit)
    return list(found.values())


def _severity(wait: _Wait) -> Severity:
    is_mild = wait.count == _FEW and not wait.bound.is_set
    return Severity.INFO if is_mild else Severity.WARNING


def _other_way(wait: _Wait) -> str:
    shorter = f"a shorter {wait.bound.name}"
    if wait.count == _FEW:
        return shorter
    return f"{wait.route.family}_next_upstream_tries {_FEW} with {shorter}"


def _related(wait: _Wait) -> tuple[Label, ...]:
    labels = [Label(wait.upstream.directive.span, "the servers")]
    if wait.bound.span is not None:
        labels.append(Label(wait.bound.span, "how long each try may take"))
    return tuple(labels)
