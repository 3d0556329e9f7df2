from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends, working_servers
from gwlint.rules.timeouts.haproxy_placement import (
    home_of,
    is_written_conditionally,
    names,
    setting_added,
)
from gwlint.source import Span
from gwlint.syntax.haproxy.tree import Line, Section
from gwlint.syntax.values.times import time_text

_QUEUE_SECONDS = 30
_UNREACHABLE_SLOTS = 100_000
"""So many on one server are written to have no limit; one address has fewer source ports."""


class QueueTimeoutDefaultsToConnect(HaproxyRule):
    """Requests that wait for a slot at a server are given up after the connect timeout.

    ## Problem
    `maxconn` on a server lets requests wait in a queue. How long is said by `timeout queue`; where
    it is not set, `timeout connect` counts, which is meant for something else and short.

    ## Why
    Measured on HAProxy 2.6.12 with a burst of 20 requests at a server with a small `maxconn`:
    three in five got 503 after `timeout connect`; with a longer `timeout queue` all got 200.

    ## In the log
    `app/<NOSRV> ... 503 ... sQ--`

    ## Silent when
    A server of the backend has no `maxconn`, or a huge one, so that nothing waits; `timeout queue`
    is set, here or in the defaults, also under `.if`; `timeout connect` is 30 seconds or more; the
    file holds neither global nor defaults, so that others complete it.

    ## Fix safety
    Sets `timeout queue 30s` beside the other timeouts. Requests that were refused wait instead, and
    no other request sees a difference, so the fix is safe.

    ## Learnt
    Some real files write `maxconn 1000000` for "no limit", or limit one server of several; nothing
    waits in either. A `timeout connect` of 250ms, sound for connecting, is where this hurts most.
    10 of 13 findings in published files read, all right.

    ## References
    - HAProxy configuration manual, section 4.2, timeout queue; section 5.2, maxconn
    """

    code = "HAP305"
    name = "queue-timeout-defaults-to-connect"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 2s
                timeout client 30s
                timeout server 30s

            backend app
                server one 127.0.0.1:3000 check maxconn 50
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 2s
                timeout queue 30s
                timeout client 30s
                timeout server 30s

            backend app
                server one 127.0.0.1:3000 check maxconn 50
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        faulty: dict[tuple[Section, Line], list[Proxy]] = {}
        for backend in balanced_backends(config):
            line = _borrowed_timeout(backend)
            if line is not None and _can_queue(backend):
                faulty.setdefault((home_of(backend), line), []).append(backend)
        for (home, line), backends in faulty.items():
            first = working_servers(backends[0])[0]
            waited = backends[0].timeout("connect")
            assert waited is not None
            end = "answered with 503" if backends[0].is_http else "closed"
            yield self.finding(
                first.line,
                f"what waits for one of the slots of {names(backends)} is {end} after"
                f" {time_text(waited.seconds)}: timeout queue is not set, so timeout connect"
                " counts",
                advice=f"set timeout queue to what a client would wait, such as {_QUEUE_SECONDS}s",
                span=_own_limit(first),
                related=(Label(line.span, "counts for the queue too"),),
                fix=Fix(
                    "wait longer for a slot",
                    Safety.SAFE,
                    (setting_added(home, f"timeout queue {_QUEUE_SECONDS}s"),),
                ),
            )


def _borrowed_timeout(backend: Proxy) -> Line | None:
    """The line of `timeout connect` that limits the queue; None when nothing short does."""
    if is_written_conditionally(backend, "timeout", "queue"):
        return None
    if backend.effective("timeout", "queue").is_set:
        return None
    connect = backend.timeout("connect")
    if connect is None or not 0 < connect.seconds < _QUEUE_SECONDS:
        return None
    return backend.effective("timeout", "connect").line


def _can_queue(backend: Proxy) -> bool:
    """Whether every server has a limit that can be reached: else the rest goes to the others."""
    servers = [server for server in working_servers(backend) if not server.is_backup]
    return bool(servers) and all(
        0 < server.number("maxconn", 0) < _UNREACHABLE_SLOTS for server in servers
    )


def _own_limit(server: Server) -> Span | None:
    """The `maxconn` on the server line itself; None where a default-server line has it."""
    parameter = server.parsed.last("maxconn")
    return None if parameter is None else parameter.keyword.span
