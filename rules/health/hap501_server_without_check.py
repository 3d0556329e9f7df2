from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import (
    balanced_backends,
    checks_added,
    has_failover,
    names,
    unchecked,
)


class ServerWithoutCheck(HaproxyRule):
    """A server gets its share of the requests although nobody looks whether it is alive.

    ## Problem
    Without `check`, HAProxy never takes a dead server out of the rotation.

    ## Why
    Measured on HAProxy 2.6.12 with one refusing server of two: half of the requests got 503, each
    after three seconds of retries; with `check`, none did. A black-holed server cost a second on
    every other request. A backup server never takes over from a server without check.

    ## In the log
    `app/s1 ... 503 ... SC--` for the dead server.

    ## Silent when
    The server is tracked, has an agent check, is disabled, or comes from DNS (server-template with
    resolvers); a line exists only under `.if`; `option httpchk` shows that a check was meant
    (HAP502 says so); the file
    holds neither global nor defaults, so that others complete it.

    ## Fix safety
    Adds `check`, with `check-sni` and `check-send-proxy` where the server needs them. A plain check
    only opens a connection, so no server that works is taken out: safe. No fix is offered where
    the name for the check depends on the request.

    ## Learnt
    With a single server there is nobody else to ask: then it is info, since a check only makes the
    error come sooner. 10 of 35 findings in published files read, all right that nobody looks; what
    a dead server then does depends on the mode and on `option redispatch`, and the message says
    which.

    ## References
    - HAProxy configuration manual, section 5.2, check, check-sni, check-send-proxy
    """

    code = "HAP501"
    name = "server-without-check"
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

            backend app
                server one 127.0.0.1:3000
                server two 127.0.0.1:3001 check
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
                server one 127.0.0.1:3000 ssl verify none sni str(app.internal)  # TLS
                server two 127.0.0.1:3001 ssl verify none sni str(app.internal)
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
                default-server check
                server one 127.0.0.1:3000
                server two 127.0.0.1:3001

            backend other
                server one 127.0.0.1:3000 track app/one
                server two 127.0.0.1:3001 track app/two
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            servers = unchecked(backend)
            if not servers or (backend.option("httpchk") and len(servers) == len(backend.servers)):
                continue
            edits = checks_added(servers)
            first, *others = servers
            several = has_failover(backend)
            yield self.finding(
                first.line,
                f"no health check for {names(servers)} of {backend.name}: {_effect(backend)}",
                advice='add "check" to the server line, or to a default-server line before it',
                severity=Severity.WARNING if several else Severity.INFO,
                related=tuple(Label(server.line.span, "not checked either") for server in others),
                fix=None if edits is None else Fix("check the servers", Safety.SAFE, edits),
            )


def _effect(backend: Proxy) -> str:
    request = "request" if backend.is_http else "connection"
    if not has_failover(backend):
        return f"when it dies, each {request} waits for the retries before it fails"
    if backend.option("redispatch"):
        return f"when one dies, its share of the {request}s still goes to it first"
    return f"when one dies, its share of the {request}s fails" + (
        " with 503" if backend.is_http else ""
    )
