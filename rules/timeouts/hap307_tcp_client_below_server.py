from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.timeouts.haproxy_placement import is_written_conditionally
from gwlint.syntax.haproxy.amend import added_to_section, line_after, replaced
from gwlint.syntax.values.times import time_text


class TcpClientBelowServer(HaproxyRule):
    """In mode tcp, a client that waits for an answer counts as gone before the server times out.

    ## Problem
    In mode tcp HAProxy does not know requests from answers: while the server works, the client is
    silent. When `timeout client` has passed, HAProxy tells the server that the client is done, and
    a server that takes this for a client that left closes instead of answering.

    ## Why
    Measured on HAProxy 2.6.12 with `timeout client` 1 s, `timeout server` longer and an answer
    after 2 s: every client lost its connection after 1 s; with equal timeouts all got their answer.
    2.8.25 does the same. A server that answers all the same, without noticing, was not cut off. In
    mode http nothing of the kind happened: there the client may be silent while it waits.

    ## In the log
    In the TCP log: `app/s1 ... cD`.

    ## Silent when
    The mode is http; `timeout tunnel` is set, which replaces both; one of the two is infinite, not
    set, not readable, or under `.if`; the file holds neither global nor defaults, so that others
    complete it.

    ## Fix safety
    Raises `timeout client` of this frontend to the server's value, as the manual recommends for
    TCP. Unsafe, because clients that vanished keep their slot for longer.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 4.2, timeout client, timeout server, timeout tunnel
    """

    code = "HAP307"
    name = "tcp-client-below-server"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode tcp
                timeout connect 5s
                timeout client 30s
                timeout server 5m

            listen database
                bind :3306
                server one 127.0.0.1:3307 check
            """
        ),
        Example.haproxy(
            """
            defaults
                mode tcp
                timeout connect 5s
                timeout server 1m

            frontend mail
                bind :1143
                timeout client 10s
                default_backend imap

            backend imap
                server one 127.0.0.1:1144 check
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode tcp
                timeout connect 5s
                timeout client 1m
                timeout server 1m

            listen database
                bind :3306
                server one 127.0.0.1:3307 check

            listen web
                mode http
                bind :8080
                timeout client 10s
                server one 127.0.0.1:3000 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole:
            return
        for frontend in config.frontends:
            client = _seconds(frontend, "client")
            if frontend.mode != "tcp" or not frontend.binds or client is None:
                continue
            slower = [
                (server, backend)
                for backend in _backends_of(config, frontend)
                if (server := _seconds(backend, "server")) is not None and server > client
            ]
            if not slower:
                continue
            server, backend = max(slower, key=lambda one: one[0])
            own, inner = (
                frontend.effective("timeout", "client"),
                backend.effective("timeout", "server"),
            )
            assert own.line is not None
            assert inner.line is not None
            is_own = own.section is frontend.section
            yield self.finding(
                own.line if is_own else frontend.header,
                f"a client of {frontend.name} that waits for an answer counts as gone after"
                f" {time_text(client)}, though the server may take {time_text(server)}",
                advice="in mode tcp, give timeout client the value of timeout server",
                related=(
                    Label(inner.line.span, "the longer timeout"),
                    *(() if is_own else (Label(own.line.span, "the shorter timeout"),)),
                ),
                fix=Fix(
                    "let clients wait as long as servers may take",
                    Safety.UNSAFE,
                    (_client_raised(frontend, inner.value or time_text(server)),),
                ),
            )


def _seconds(proxy: Proxy, side: str) -> float | None:
    """A finite timeout that is in force for certain."""
    if any(proxy.lines("timeout", "tunnel")) or is_written_conditionally(proxy, "timeout", side):
        return None
    timeout = proxy.timeout(side)
    return None if timeout is None or timeout.seconds == 0 else timeout.seconds


def _backends_of(config: HaproxyConfig, frontend: Proxy) -> Iterator[Proxy]:
    """The backends in mode tcp with servers that the frontend names."""
    if frontend.is_backend:
        yield frontend
    for route in frontend.routes:
        backend = config.backend_by_name.get(route.backend.value)
        if backend is not None and backend.mode == "tcp" and backend.servers:
            yield backend


def _client_raised(frontend: Proxy, value: str) -> Edit:
    """In the frontend itself: the defaults serve others too."""
    setting = frontend.effective("timeout", "client")
    if setting.line is not None and setting.section is frontend.section:
        return replaced(setting.line.arguments[1], value)
    binds = [line for line in frontend.own("bind") if not line.conditions]
    statement = f"timeout client {value}"
    return (
        line_after(binds[-1], statement) if binds else added_to_section(frontend.section, statement)
    )
