from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.units import seconds_of
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.syntax.nginx.tree import Directive

LONGEST = 300
"""Seconds; five times the default."""

_LEVELS = frozenset({"http", "http server", "location"})


class ClientTimeoutExtreme(NginxRule):
    """nginx waits for a client not at all, or nearly for ever.

    ## Problem
    `client_header_timeout` and `client_body_timeout` bound how long nginx waits for the next part
    of a request. A value of 0 is no time, not an unlimited one; a value above 5 minutes lets a
    client that sends nothing hold a connection as long. `keepalive_timeout 0` closes the connection
    after each request.

    ## Why
    Measured on nginx 1.22.1: with `client_header_timeout 0` every connection was reset before its
    request was read; with `client_body_timeout 0`, one whose body came in two parts was closed
    without an answer. With `keepalive_timeout 0` each request costs a connection and, with TLS, a
    handshake; a proxy in front that reuses connections cannot.

    ## In the log
    `[info] client timed out (110: Connection timed out) while waiting for request`, at level info
    only. The access log has nothing, or 408.

    ## Silent when
    The value is between 1 ms and 5 minutes, or not set; `keepalive_timeout` of an upstream, which
    is about connections to the application.

    ## Fix safety
    None: the default, 60 s (75 s for `keepalive_timeout`), suits most.

    ## Learnt
    Found in published files: `keepalive_timeout 0` in contest entries, and 10 minutes in a manual.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#client_header_timeout
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout
    """

    code = "NGX305"
    name = "client-timeout-extreme"
    severity = Severity.INFO
    bad = (
        Example.nginx("events {}\nhttp {\n    client_header_timeout 0;\n}\n"),
        Example.nginx(
            """
            events {}
            http {
                keepalive_timeout 0;
                server {
                    listen 8080;
                    client_body_timeout 1h;
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
                client_header_timeout 10s;
                client_body_timeout 2m;
                keepalive_timeout 65;
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for context, directive in config.find(
            "client_header_timeout", "client_body_timeout", "keepalive_timeout"
        ):
            seconds = seconds_of(directive.values[0]) if directive.values else None
            if context.kind in _LEVELS and seconds is not None:
                yield from self._judged(directive, seconds)

    def _judged(self, directive: Directive, seconds: float) -> Iterator[Finding]:
        if directive.name == "keepalive_timeout":
            if seconds == 0:
                yield self.finding(
                    directive,
                    "each request of a client costs a new connection, and with TLS a handshake",
                    advice="leave the default, 75s; a proxy in front must give up idle"
                    " connections first",
                )
            return
        part = "body" if "body" in directive.name else "request"
        if seconds == 0:
            yield self.finding(
                directive,
                f"0 is no time at all: a connection whose {part} is not there at once is closed",
                advice="write how long to wait; the default is 60s",
            )
        elif seconds > LONGEST:
            yield self.finding(
                directive,
                f"a client that sends nothing holds its connection for {seconds:g} s",
                advice="the default of 60s is from one read to the next, not for the whole"
                f" {part}; 5m is plenty",
            )
