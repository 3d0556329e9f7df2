from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends, has_failover, working_servers
from gwlint.source import Span
from gwlint.syntax.haproxy.amend import replaced


class BreakerOnEveryServer(HaproxyRule):
    """A burst of errors that concerns the whole application takes all of its servers out.

    ## Problem
    `observe layer7` with `on-error mark-down` takes a server out after `error-limit` answers of 5xx
    in a row. When every server has it, and the errors come from what they share, such as a
    database, the last one goes as well.

    ## Why
    Measured on HAProxy 2.6.12 with a burst of errors from both of two servers: with `mark-down` on
    both, 150 of 180 requests got 503 from HAProxy and the servers stayed out after the burst was
    over; without it, 132 got 200. Against errors of a single server the breaker works.

    ## In the log
    `Server app/s1 is DOWN, reason: Health analyze, info: "Detected 5 consecutive errors"` for each
    server, then `app/<NOSRV> ... 503 ... SC--`.

    ## Silent when
    One server of the backend has no such breaker, or is a backup; the backend has a single server;
    no check runs, so that nothing is observed (HAP510); the file holds neither global nor defaults,
    so that others complete it.

    ## Fix safety
    Writes `on-error fastinter`: the errors make the checks run sooner, and the checks decide.
    Unsafe, because a server whose check succeeds while its requests fail stays in.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 5.2, observe, on-error, error-limit
    """

    code = "HAP511"
    name = "breaker-on-every-server"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                default-server check observe layer7 error-limit 5 on-error mark-down
                server one 127.0.0.1:3000
                server two 127.0.0.1:3001
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

            backend app
                default-server check observe layer7 error-limit 5 on-error mark-down
                server one 127.0.0.1:3000
                server two 127.0.0.1:3001
                server last 127.0.0.1:3002 backup on-error fastinter

            backend other
                default-server check observe layer7 on-error fastinter
                server one 127.0.0.1:3000
                server two 127.0.0.1:3001
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            servers = working_servers(backend)
            if not has_failover(backend) or not all(map(_breaks, servers)):
                continue
            first, *others = servers
            edits: dict[Edit, None] = {}
            for server in servers:
                action = server.value("on-error")
                assert action is not None
                edits[replaced(action, "fastinter")] = None
            yield self.finding(
                first.line,
                f"every server of {backend.name} is taken out after a few errors in a row, so"
                " errors of what they share empty the backend: 503 for all requests",
                advice="use on-error fastinter, so that the health check decides",
                span=_own_action(first),
                related=tuple(Label(server.line.span, "taken out too") for server in others),
                fix=Fix("let the check decide", Safety.UNSAFE, tuple(edits)),
            )


def _breaks(server: Server) -> bool:
    """Whether a few errors in a row take it out at once."""
    observed, action = server.value("observe"), server.value("on-error")
    if observed is None or action is None or not server.has("check"):
        return False
    return observed.value == "layer7" and action.value == "mark-down"


def _own_action(server: Server) -> Span | None:
    """The `on-error` on the server line itself; None where a default-server line has it."""
    parameter = server.parsed.last("on-error")
    return None if parameter is None else parameter.keyword.span
