from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.checks import protocol_check
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import (
    balanced_backends,
    checks_added,
    names,
    unchecked,
    working_servers,
)
from gwlint.source import Span


class HealthSettingWithoutCheck(HaproxyRule):
    """`observe`, `slowstart` or `on-error` is set on a server without what it needs.

    ## Problem
    `observe` watches the traffic of a server and needs `check` to bring it back; `slowstart` counts
    from when a check has found the server well again. Without `check` both are ignored, and HAProxy
    says nothing. `on-error` says what is to happen after the errors that `observe` counts: without
    `observe` nobody counts.

    ## Why
    Measured on HAProxy 2.6.12 and 2.8.25 with one of two servers answering 500, `observe layer7
    error-limit 2 on-error mark-down`: without `check` half of 20 requests got 500, with it two.
    With `check`, but without `observe`, it was half of twelve again, and two with both.

    ## In the log
    `app/s1 ... 500 ... ----` for one server, and no line that it is DOWN.

    ## Silent when
    The server is checked, tracked, has an agent check, or comes from DNS; the file holds neither
    global nor defaults, so that others complete it.

    ## Fix safety
    Adds `check`. For `observe` unsafe, because what it says is then done for the first time: errors
    take servers out. For `slowstart` safe, unless an option such as httpchk makes the check ask for
    more than a connection. For `on-error` none: layer4 or layer7 is a decision.

    ## Learnt
    `slowstart` also counts after maintenance by hand, over the socket, so alone it is info. One
    finding in published files, and right.

    ## References
    - HAProxy configuration manual, section 5.2, observe, slowstart, on-error,
      check
    """

    code = "HAP510"
    name = "health-setting-without-check"
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
                default-server observe layer7 error-limit 5 on-error mark-down
                server one 127.0.0.1:3000
                server two 127.0.0.1:3001
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
                server one 127.0.0.1:3000 slowstart 30s
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
                server one 127.0.0.1:3000 check on-error mark-down
                server two 127.0.0.1:3001 check on-error mark-down
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
                default-server observe layer7 error-limit 5 on-error fastinter check
                server one 127.0.0.1:3000 slowstart 30s
                server two 127.0.0.1:3001
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            blind = unchecked(backend)
            protocol = protocol_check(backend)
            for setting in ("observe", "slowstart"):
                servers = [server for server in blind if server.has(setting)]
                if not servers:
                    continue
                edits = checks_added(servers)
                is_observe = setting == "observe"
                safety = Safety.UNSAFE if is_observe or protocol is not None else Safety.SAFE
                first, *others = servers
                yield self.finding(
                    first.line,
                    f"{setting} of {names(servers)} in {backend.name} does nothing, since no check"
                    " runs there",
                    advice=f'add "check", or leave {setting} out',
                    severity=Severity.WARNING if is_observe else Severity.INFO,
                    span=_own_span(first, setting),
                    related=tuple(Label(one.line.span, "not checked either") for one in others),
                    fix=None if edits is None else Fix("check the servers", safety, edits),
                )
            yield from self._uncounted(backend)

    def _uncounted(self, backend: Proxy) -> Iterator[Finding]:
        servers = [
            server
            for server in working_servers(backend)
            if server.has("on-error") and not server.has("observe") and server.is_certain
        ]
        if not servers:
            return
        first, *others = servers
        yield self.finding(
            first.line,
            f"on-error of {names(servers)} in {backend.name} does nothing: without observe, nobody"
            " counts errors",
            advice='add "observe layer7" (or layer4), or leave on-error out',
            span=_own_span(first, "on-error"),
            related=tuple(Label(one.line.span, "has no observe either") for one in others),
        )


def _own_span(server: Server, setting: str) -> Span | None:
    """The setting on the server line itself; None where a default-server line has it."""
    parameter = server.parsed.last(setting)
    return None if parameter is None else parameter.keyword.span
