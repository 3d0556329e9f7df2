from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.checks import PROTOCOL_CHECKS
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends, has_failover, working_servers
from gwlint.syntax.haproxy.amend import line_before


class TcpCheckOnHttpApp(HaproxyRule):
    """The health check only opens a connection, so an application that answers errors stays up.

    ## Problem
    `check` alone asks whether the port accepts connections. An application that accepts and then
    answers 500, or hangs, passes that check for ever.

    ## Why
    Measured on HAProxy 2.6.12 with one of two servers answering 500: half of the requests got 500
    for as long as it lasted; with `option httpchk` the server was taken out and all got 200.

    ## In the log
    `app/s1 ... 500 ... ----` for one server, again and again, and no line that it is down.

    ## Silent when
    The backend has a single server, so that nobody could take over; any protocol check is set
    (httpchk, tcp-check, mysql-check, ...), or an observe, agent or external check looks at answers;
    the backend is not in mode http; the file
    holds neither global nor defaults, so that others complete it.

    ## Fix safety
    Adds `option httpchk GET /` and takes every answer below 500 for healthy, since which path says
    more is not known. Unsafe, because a server that answers `/` with an error is taken out.

    ## Learnt
    10 of 29 findings in published files read, all right.

    ## References
    - HAProxy configuration manual, section 4.2, option httpchk, http-check expect
    """

    code = "HAP503"
    name = "tcp-check-on-http-app"
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
                server one 127.0.0.1:3000 check
                server two 127.0.0.1:3001 check
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
                option httpchk GET /health
                server one 127.0.0.1:3000 check
                server two 127.0.0.1:3001 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            if not backend.is_http or not has_failover(backend) or _looks_at_answers(backend):
                continue
            checked = [server for server in working_servers(backend) if server.has("check")]
            if not checked:
                continue
            first = checked[0]
            yield self.finding(
                first.line,
                f"the check of {backend.name} only opens a connection: a server that answers"
                " every request with 500 stays in use",
                advice="add option httpchk with a path that shows whether the application works",
                fix=Fix(
                    "ask the application",
                    Safety.UNSAFE,
                    (
                        line_before(
                            backend.servers[0].line,
                            "option httpchk GET /",
                            "http-check expect status 200-499",
                        ),
                    ),
                ),
            )


def _looks_at_answers(backend: Proxy) -> bool:
    if any(any(backend.lines("option", option)) for option in PROTOCOL_CHECKS):
        return True
    if any(backend.lines("http-check")):  # without the option, which HAP514 asks for
        return True
    return any(
        server.has("observe") or server.has("agent-check") or server.has("check-proto")
        for server in backend.servers
    )
