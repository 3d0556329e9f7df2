from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends, checks_added, unchecked


class HttpchkWithoutCheck(HaproxyRule):
    """`option httpchk` is there, but no server is checked.

    ## Problem
    `option httpchk` says how to check. Whether a server is checked at all is said by `check` on its
    line, and here no server has it.

    ## Why
    Measured on HAProxy 2.6.12: no check is sent. A dead server keeps its share of the requests,
    which get 503 after the retries.

    ## In the log
    `app/s1 ... 503 ... SC--` for the dead server, and no line about its health ever.

    ## Silent when
    One server of the backend is checked or tracked; the option stands only in a defaults section
    and the backend is not in mode http; the file
    holds neither global nor defaults, so that others complete it.

    ## Fix safety
    Adds `check` to the servers. Unsafe, because the check then runs for the first time: servers
    that answer it with an error are taken out.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 4.2, option httpchk; section 5.2, check
    """

    code = "HAP502"
    name = "httpchk-without-check"
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
                option httpchk GET /health
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
                option httpchk GET /health
                server one 127.0.0.1:3000 check
                server two 127.0.0.1:3001 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            option = backend.option("httpchk")
            servers = unchecked(backend)
            if option is None or not servers or len(servers) < len(backend.servers):
                continue
            own = option.section is backend.section
            if not own and not backend.is_http:
                continue
            edits = checks_added(servers)
            yield self.finding(
                option if own else servers[0].line,
                f"no server of {backend.name} is checked, so option httpchk does nothing",
                advice='add "check" to each server line',
                related=() if own else (Label(option.span, "the check that is not run"),),
                fix=None if edits is None else Fix("run the check", Safety.UNSAFE, edits),
            )
