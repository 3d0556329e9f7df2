from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy, Route
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.timeouts.haproxy_placement import is_written_conditionally, setting_added
from gwlint.source import Span
from gwlint.syntax.haproxy.tree import Line

_LONG_ENOUGH_SECONDS = 600
_NAME = re.compile(r"(?:^|[_.-])(?:wss?|websockets?|socket[._-]?io)(?:$|[_.-])", re.IGNORECASE)
_UPGRADE = re.compile(r"hdr[a-z_]*\((?:upgrade|sec-websocket-[a-z]+)", re.IGNORECASE)


class TunnelTimeoutMissing(HaproxyRule):
    """Web sockets are cut as soon as nobody speaks for the ordinary timeouts, or sooner.

    ## Problem
    Once a connection is upgraded, `timeout client` and `timeout server` go on counting unless
    `timeout tunnel` takes their place. One that is shorter than `timeout server` makes it worse.

    ## Why
    Measured on HAProxy 2.6.12: a web socket idle for longer than `timeout client` was cut, and one
    with `timeout tunnel 1h` stayed. Users see a reconnect every half a minute. With both at 3 s and
    a tunnel timeout of 1 s it was cut after 1 s (2.6.12 and 2.8.25).

    ## In the log
    `app/s1 ... 101 ... cD--` or `app/s1 ... 101 ... sD--` after exactly the client's or the
    server's timeout.

    ## Silent when
    Nothing shows that a backend carries web sockets: a route by the Upgrade or Sec-WebSocket
    headers, or a backend with ws, websocket or socket.io in its name; both timeouts are ten minutes
    or longer anyway; `timeout tunnel` is set, also under `.if`. Where it is set, but shorter than
    the timeout of the server, and nothing shows web sockets, it is info; so it is in mode tcp,
    where it counts as soon as both sides have spoken.

    ## Fix safety
    Adds `timeout tunnel 1h` to the backend. It counts only after an upgrade, so the fix is safe.

    ## Learnt
    Both findings in published files read, right.

    ## References
    - HAProxy configuration manual, section 4.2, timeout tunnel
    """

    code = "HAP304"
    name = "tunnel-timeout-missing"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            frontend www
                bind :8080
                acl is_upgrade hdr(Upgrade) -i websocket
                use_backend chat if is_upgrade
                default_backend app

            backend chat
                server one 127.0.0.1:3000

            backend app
                server one 127.0.0.1:3001
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s
                timeout tunnel 5s

            listen app
                bind :8080
                server one 127.0.0.1:3000
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            frontend www
                bind :8080
                use_backend chat if { hdr(Upgrade) -i websocket }
                default_backend app

            backend chat
                timeout tunnel 1h
                server one 127.0.0.1:3000

            backend app
                server one 127.0.0.1:3001
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        signs = _signs_by_backend(config)
        told: set[Line] = set()
        for backend in config.backends:
            sign = signs.get(backend.name)
            if sign is None and _NAME.search(backend.name):
                sign = backend.header.span
            short = _shorter_tunnel(backend) if backend.servers else None
            if short is not None and short not in told:
                told.add(short)
                is_seen = sign is not None and backend.is_http
                yield self._short(backend, short, Severity.WARNING if is_seen else Severity.INFO)
            if sign is None or not backend.is_http or not backend.servers:
                continue
            if _lasts(backend) or is_written_conditionally(backend, "timeout", "tunnel"):
                continue
            yield self.finding(
                backend.header,
                f"{backend.name} carries web sockets, which are cut when they are idle for longer"
                " than the client or server timeout",
                advice="set timeout tunnel to as long as a silent connection may live, such as 1h",
                related=(Label(sign, "web sockets are meant here"),),
                fix=Fix(
                    "let web sockets be idle",
                    Safety.SAFE,
                    (setting_added(backend.section, "timeout tunnel 1h"),),
                ),
            )

    def _short(self, backend: Proxy, line: Line, severity: Severity) -> Finding:
        server = backend.effective("timeout", "server")
        return self.finding(
            line,
            f"timeout tunnel {line.values[1]} is below timeout server {server.value}: it takes its"
            " place once a connection is upgraded, and cuts sooner",
            advice="set it to as long as a silent connection may live, such as 1h",
            severity=severity,
            span=line.arguments[1].span,
            related=() if server.span is None else (Label(server.span, "the longer timeout"),),
        )


def _shorter_tunnel(backend: Proxy) -> Line | None:
    """The line of the tunnel timeout, where that is certainly shorter than that of the server."""
    found = [backend.effective("timeout", name) for name in ("tunnel", "server")]
    tunnel, server = (backend.timeout(name) for name in ("tunnel", "server"))
    if tunnel is None or server is None or not all(one.is_certain for one in found):
        return None
    is_short = 0 < tunnel.seconds < min(server.seconds, _LONG_ENOUGH_SECONDS)
    return found[0].line if is_short else None


def _lasts(backend: Proxy) -> bool:
    if backend.effective("timeout", "tunnel").is_set:
        return True
    timeouts = [backend.timeout("client"), backend.timeout("server")]
    return all(one is None or one.seconds >= _LONG_ENOUGH_SECONDS for one in timeouts)


def _signs_by_backend(config: HaproxyConfig) -> dict[str, Span]:
    """Backend name -> the place that shows that upgraded requests are sent there."""
    found: dict[str, Span] = {}
    for frontend in config.frontends:
        if not frontend.is_http:
            continue
        acls = {
            line.arguments[0].value
            for line in frontend.own("acl")
            if len(line.arguments) > 1 and _UPGRADE.match(line.arguments[1].value)
        }
        for route in frontend.routes:
            if _asks_for_upgrade(route, acls):
                found.setdefault(route.backend.value, route.line.span)
    return found


def _asks_for_upgrade(route: Route, acls: set[str]) -> bool:
    """Whether the condition holds only for upgraded requests; a negated one does not."""
    return any(
        word.value in acls or _UPGRADE.match(word.value) is not None for word in route.condition
    )
