from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.checks import CheckTimes, check_times
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import (
    balanced_backends,
    has_failover,
    names,
    working_servers,
)
from gwlint.source import Span
from gwlint.syntax.haproxy.amend import replaced
from gwlint.syntax.values.times import time_text

_LONGEST_SECONDS = 30


class SlowDetection(HaproxyRule):
    """A dead server keeps its share of the requests for more than half a minute.

    ## Problem
    A server is taken out after `fall` failed checks in a row, `inter` apart (`fastinter` once one
    has failed).

    ## Why
    Measured on HAProxy 2.6.12 with one of two servers that begins to hang: with `inter 2s fall 3`
    requests ended as 504 for 5.9 s, with `inter 200ms fall 2` for 1.1 s. The time grows with both
    factors. HAProxy 3.4, which balances at random and redispatches at once, showed less of it.

    ## In the log
    `app/s1 ... 503 ... SC--` or `app/s1 ... 504 ... sH--` for the dead server, until the line that
    it is DOWN.

    ## Silent when
    Detection takes 30 seconds or less; the backend has a single server, so that nobody could take
    over; a time comes from the environment; `observe` watches the traffic, which is faster; the
    file holds neither global nor defaults, so that others complete it.

    ## Fix safety
    Lowers `inter` so that all `fall` checks fit into 30 seconds. Unsafe: servers are asked more
    often, and where `timeout check` is not set, `inter` is also all the time that an answer to a
    check may take.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 5.2, inter, fastinter, fall; section 4.2, timeout check
    """

    code = "HAP308"
    name = "slow-detection"
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
                default-server inter 30s fall 5
                server one 127.0.0.1:3000 check
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
                server one 127.0.0.1:3000 check inter 20000 fall 3 # every 20 s
                server two 127.0.0.1:3001 check inter 20000 fall 3
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
                default-server inter 5s fall 3
                server one 127.0.0.1:3000 check
                server two 127.0.0.1:3001 check inter 20s fastinter 1s
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            slow = _slow_servers(backend) if has_failover(backend) else []
            if not slow:
                continue
            server, times = max(slow, key=lambda one: one[1].detection)
            servers = [one for one, _ in slow]
            edits = _checked_more_often(slow)
            yield self.finding(
                server.line,
                f"when {names(servers)} of {backend.name} dies, requests go on being sent there"
                f" for up to {time_text(times.detection)}: fall {times.fall}, inter"
                f" {time_text(times.inter)}",
                advice="lower inter or fall, or set fastinter, so that"
                f" {_LONGEST_SECONDS} seconds are enough",
                span=_own_interval(server),
                related=tuple(
                    Label(one.line.span, "as slow") for one in servers if one is not server
                ),
                fix=None
                if edits is None
                else Fix("check more often", Safety.UNSAFE, tuple(dict.fromkeys(edits))),
            )


def _slow_servers(backend: Proxy) -> list[tuple[Server, CheckTimes]]:
    return [
        (server, times)
        for server in working_servers(backend)
        if (times := check_times(server)) is not None
        and times.detection > _LONGEST_SECONDS
        and not server.has("observe")
    ]


def _own_interval(server: Server) -> Span | None:
    parameter = server.parsed.last("inter") or server.parsed.last("fall")
    return None if parameter is None else parameter.keyword.span


def _checked_more_often(slow: list[tuple[Server, CheckTimes]]) -> list[Edit] | None:
    """Another value for each `inter`; None where that alone is not enough."""
    edits: list[Edit] = []
    for server, times in slow:
        inter = server.value("inter")
        wanted = _LONGEST_SECONDS // times.fall
        if inter is None or wanted == 0:
            return None
        # A fastinter of its own counts for all but the first check.
        if server.has("fastinter") and wanted + (times.fall - 1) * times.fastinter > (
            _LONGEST_SECONDS
        ):
            return None
        edits.append(replaced(inter, f"{wanted}s"))
    return edits
