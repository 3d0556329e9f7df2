from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends, working_servers
from gwlint.rules.timeouts.haproxy_placement import (
    home_of,
    is_written_conditionally,
    setting_added,
)
from gwlint.source import Span
from gwlint.syntax.values.times import time_text

_QUEUE_SECONDS = 30


class QueueTimeoutDefaultsToConnect(HaproxyRule):
    """Requests that wait for a slot at a server are given up after the connect timeout.

    ## Problem
    `maxconn` on a server lets requests wait in a queue. How long is said by `timeout queue`; where
    it is not set, `timeout connect` counts, which is meant for something else and short.

    ## Why
    Measured on HAProxy 2.6.12 with a burst of 20 requests at a server with a small `maxconn`:
    three in five got 503 after `timeout connect`; with a longer `timeout queue` all got 200.

    ## In the log
    `503 sQ` with `<NOSRV>` in place of the server.

    ## Silent when
    No server of the backend has `maxconn`, so that nothing waits; `timeout queue` is set, here or
    in the defaults, also under `.if`; `timeout connect` is 30 seconds or more; the file holds
    neither global nor defaults, so that others complete it.

    ## Fix safety
    Sets `timeout queue 30s` beside the other timeouts. Requests that were refused wait instead, and
    no other request sees a difference, so the fix is safe.

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
        for backend in balanced_backends(config):
            limited = [server for server in working_servers(backend) if _is_limited(server)]
            connect = backend.timeout("connect")
            if not limited or connect is None or not 0 < connect.seconds < _QUEUE_SECONDS:
                continue
            if backend.effective("timeout", "queue").is_set or is_written_conditionally(
                backend, "timeout", "queue"
            ):
                continue
            line = backend.effective("timeout", "connect").line
            assert line is not None
            ends = "answered with 503" if backend.is_http else "closed"
            yield self.finding(
                limited[0].line,
                f"what waits for one of the slots of {backend.name} is {ends} after"
                f" {time_text(connect.seconds)}: timeout queue is not set, so timeout connect"
                " counts",
                advice=f"set timeout queue to what a client would wait, such as {_QUEUE_SECONDS}s",
                span=_own_limit(limited[0]),
                related=(Label(line.span, "counts for the queue too"),),
                fix=Fix(
                    "wait longer for a slot",
                    Safety.SAFE,
                    (setting_added(home_of(backend), f"timeout queue {_QUEUE_SECONDS}s"),),
                ),
            )


def _is_limited(server: Server) -> bool:
    """Whether it has a `maxconn` that is not 0, which means no limit."""
    word = server.value("maxconn")
    return word is not None and word.value != "0" and not word.references


def _own_limit(server: Server) -> Span | None:
    """The `maxconn` on the server line itself; None where a default-server line has it."""
    parameter = server.parsed.last("maxconn")
    return None if parameter is None else parameter.keyword.span
