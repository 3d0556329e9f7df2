from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends
from gwlint.rules.timeouts.haproxy_placement import names
from gwlint.syntax.haproxy.amend import line_removed
from gwlint.syntax.haproxy.tree import Line


class RetryOnInTcpMode(HaproxyRule):
    """`retry-on` stands where it is ignored, in mode tcp.

    ## Problem
    `retry-on` repeats HTTP requests. In mode tcp HAProxy has none to repeat, ignores the line and
    says nothing about it, so that the author believes in a protection that is not there.

    ## Why
    Measured on HAProxy 2.6.12 and 2.8.25: the configuration is accepted without a word. The manual
    says that the line is ignored in mode tcp.

    ## In the log
    Nothing.

    ## Silent when
    A backend of mode http uses the line; a line about the mode or the retries stands under `.if`;
    the file holds neither global nor defaults, so that others complete it.

    ## Fix safety
    Removes the line. It did nothing, so the fix is safe. If HTTP is spoken here, `mode http` is
    what was meant.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 4.2, retry-on
    """

    code = "HAP512"
    name = "retry-on-in-tcp-mode"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode tcp
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                retry-on conn-failure empty-response
                server one 127.0.0.1:3000 check
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode tcp
                retry-on conn-failure empty-response
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                mode http
                server one 127.0.0.1:3000 check

            backend database
                server one 127.0.0.1:3306 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        users: dict[Line, list[Proxy]] = {}
        for backend in balanced_backends(config):
            setting = backend.effective("retry-on")
            if setting.line is not None and setting.is_certain:
                users.setdefault(setting.line, []).append(backend)
        for line, backends in users.items():
            if all(_is_tcp(backend) for backend in backends):
                yield self.finding(
                    line,
                    f"retry-on is ignored: {names(backends)} is in mode tcp",
                    advice="remove the line, or set mode http if HTTP is spoken here",
                    fix=Fix("remove what is ignored", Safety.SAFE, (line_removed(line),)),
                )


def _is_tcp(backend: Proxy) -> bool:
    return backend.mode == "tcp" and backend.effective("mode").is_certain
