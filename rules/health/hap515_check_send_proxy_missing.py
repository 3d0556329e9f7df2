from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.checks import checks_by_tls, protocol_check
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.health.haproxy_backends import (
    balanced_backends,
    lacks_proxy_line,
    working_servers,
)
from gwlint.syntax.haproxy.amend import words_added


class CheckSendProxyMissing(HaproxyRule):
    """The check goes to a port that expects the PROXY protocol, and does not speak it.

    ## Problem
    `send-proxy` holds for checks too, but no longer once the line has `port`, even when that names
    the port of the server itself.

    ## Why
    Measured on HAProxy 2.6.12 and 2.8.25 with a server that expects the PROXY line: with `port` its
    HTTP check failed and every request got 503; with `check-send-proxy` all got 200.

    ## In the log
    `Server app/s1 is DOWN`, then `app/<NOSRV> ... 503 ... SC--`.

    ## Silent when
    The check goes to another port or address, which need not speak the protocol; it only opens a
    connection; `check-send-proxy` is set or refused; rules such as `http-check connect` say how it
    connects; the file holds neither global nor defaults, so that others complete it.

    ## Fix safety
    Adds `check-send-proxy`. Requests already begin with that line on this port, so it is safe.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 5.2, check-send-proxy, port
    """

    code = "HAP515"
    name = "check-send-proxy-missing"
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
                option httpchk GET /health
                server one 127.0.0.1:3000 send-proxy check port 3000
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
                server one 127.0.0.1:3000 send-proxy check
                server two 127.0.0.1:3000 send-proxy check port 3001
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            asks = protocol_check(backend) is not None
            if any(any(backend.lines(kind, "connect")) for kind in ("http-check", "tcp-check")):
                continue
            for server in working_servers(backend):
                if not server.has("check") or not lacks_proxy_line(server):
                    continue
                if asks or checks_by_tls(server):
                    own = server.parsed.last("port")
                    yield self.finding(
                        server.line,
                        f"the check of {server.name} goes to the port that expects the PROXY"
                        " protocol, but without its line, so it fails and the server is taken out",
                        advice="add check-send-proxy, or leave port out",
                        span=None if own is None else own.keyword.span,
                        fix=Fix(
                            "speak the PROXY protocol in the check",
                            Safety.SAFE,
                            (words_added(server.line, "check-send-proxy"),),
                        ),
                    )
