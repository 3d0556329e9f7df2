from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.syntax.haproxy.amend import line_removed
from gwlint.syntax.haproxy.tree import Line

_OPTIONS = {"httpclose": Severity.WARNING, "http-server-close": Severity.INFO}


class ReuseDisabled(HaproxyRule):
    """An option or a header closes the connection to the server after each request.

    ## Problem
    `option httpclose` closes both sides after each answer, `option http-server-close` the side of
    the server. Since HAProxy 1.9 neither is needed to see each request. `http-request set-header
    Connection close` asks the server to close, each time.

    ## Why
    Measured on HAProxy 2.6.12: 1200 requests opened 400 connections to the server instead of 4, at
    less than a third of the requests per second. Under load, ports run out and answers become 503.
    With the header, ten requests of one client opened ten connections instead of one (2.6.12 and
    2.8.25).

    ## In the log
    Nothing. The application sees a new connection for each request.

    ## Silent when
    No proxy of mode http is under its effect; the option is turned off again; the header is set
    under a condition.

    ## Fix safety
    Removes the line. Unsafe, because an application that does not bear kept connections, or closes
    them within milliseconds, was shielded by it. `http-server-close` and the header are info: they
    are also a remedy against servers that close idle connections.

    ## Learnt
    10 of 52 findings in published files read, all right; most are `http-server-close` out of the
    file that Red Hat ships: info.

    ## References
    - HAProxy configuration manual, section 4.2, option httpclose, option http-server-close
    """

    code = "HAP401"
    name = "reuse-disabled"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                option httpclose
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            frontend www
                bind :8080
                default_backend app

            backend app
                server one 127.0.0.1:3000 check
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
                http-request set-header Connection close
                server one 127.0.0.1:3000 check
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                option http-keep-alive
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            frontend www
                bind :8080
                default_backend app

            backend app
                server one 127.0.0.1:3000 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        seen: set[Line] = set()
        for proxy in config.proxies:
            if not proxy.is_http:
                continue
            for option, severity in _OPTIONS.items():
                line = proxy.option(option)
                if line is None or line in seen or line.conditions:
                    continue
                seen.add(line)
                sides = "both sides" if option == "httpclose" else "the connection to the server"
                yield self.finding(
                    line,
                    f"option {option} closes {sides} after each request, so no connection to a"
                    " server is used twice",
                    advice="remove the line: http-keep-alive is the default",
                    severity=severity,
                    fix=Fix("keep connections", Safety.UNSAFE, (line_removed(line),)),
                )
            for line in proxy.lines("http-request"):
                if line not in seen and _asks_to_close(line):
                    seen.add(line)
                    yield self.finding(
                        line,
                        "this header makes the server close the connection after each request, so"
                        " none is used twice",
                        advice="remove the line",
                        severity=Severity.INFO,
                        fix=Fix("keep connections", Safety.UNSAFE, (line_removed(line),)),
                    )


def _asks_to_close(line: Line) -> bool:
    """Whether it sets `Connection: close` for every request."""
    if line.conditions or line.modifier is not None or len(line.arguments) != 3:
        return False
    action, header, value = line.values
    return (
        action in ("set-header", "add-header")
        and header.lower() == "connection"
        and value.strip().lower() == "close"
    )
