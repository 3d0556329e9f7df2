from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends
from gwlint.rules.timeouts.haproxy_placement import names
from gwlint.syntax.haproxy.amend import replaced
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.values.times import time_text
from gwlint.syntax.values.whole_numbers import whole_number

_DEFAULT_RETRIES = 3
_PATIENT_SECONDS = 30
_LOST_SECONDS = 60
_SHORTER_SECONDS = 5
_SLIPPED_SECONDS = 5000
"""From here on HAP302 takes the value for a slip of the unit."""


class ConnectBudget(HaproxyRule):
    """Connecting to a server that drops packets takes longer than a client waits.

    ## Problem
    Each attempt to connect may take `timeout connect`, and `retries` says how many more there are:
    together they are how long a request hangs when a server or its firewall drops packets.

    ## Why
    Measured on HAProxy 2.6.12: with `timeout connect 1500ms`, a server that drops packets cost
    1.5 s without retries and 4.5 s with two, and then 503. With a long `timeout connect`, clients
    gave up before anything was answered; with a short one all got 200 from the other server.

    ## In the log
    `app/s1 ... 503 ... sC--`, or nothing while clients give up first.

    ## Silent when
    All attempts together take 30 seconds or less; the timeout is infinite (HAP309), looks like a
    slip of the unit (HAP302), or stands under `.if`; the file holds neither global nor defaults, so
    that others complete it.

    ## Fix safety
    Sets `timeout connect 5s`, where that is enough. Unsafe: a server that takes longer to accept a
    connection, far away or overloaded, is given up sooner.

    ## Learnt
    `timeout connect 10s` with three retries stands in the file that Red Hat ships, and so in many:
    its 40 seconds are info. Above 60 seconds, when most clients and load balancers have left, it is
    a warning. 10 of 23 findings in published files read, all right.

    ## References
    - HAProxy configuration manual, section 4.2, timeout connect, retries
    """

    code = "HAP306"
    name = "connect-budget"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 20s
                timeout client 30s
                timeout server 30s

            backend app
                server one 127.0.0.1:3000 check
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                retries 3
                timeout connect 10s  # as shipped
                timeout client 30s
                timeout server 30s

            backend app
                server one 127.0.0.1:3000 check
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
                server one 127.0.0.1:3000 check

            backend far
                retries 1
                timeout connect 15s
                server one 192.0.2.1:3000 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        faulty: dict[tuple[Line, int], list[Proxy]] = {}
        for backend in balanced_backends(config):
            setting = backend.effective("timeout", "connect")
            retries = _retries(backend)
            if setting.line is not None and setting.is_certain and retries is not None:
                faulty.setdefault((setting.line, retries), []).append(backend)
        worst: dict[Line, int] = {}
        for line, retries in faulty:
            worst[line] = max(retries, worst.get(line, 0))
        for line, retries in worst.items():
            yield from self._judged(line, retries, faulty[line, retries])

    def _judged(self, line: Line, retries: int, backends: list[Proxy]) -> Iterator[Finding]:
        timeout = backends[0].timeout("connect")
        if timeout is None or timeout.seconds >= _SLIPPED_SECONDS:
            return
        budget = timeout.seconds * (retries + 1)
        if budget <= _PATIENT_SECONDS:
            return
        said = backends[0].effective("retries").line
        attempts = f"{retries + 1} attempts of {time_text(timeout.seconds)}"
        shorter = _SHORTER_SECONDS * (retries + 1) <= _PATIENT_SECONDS
        yield self.finding(
            line,
            f"a server that drops packets holds a client for up to {time_text(budget)}:"
            f" {attempts if retries else 'one attempt'} at {names(backends)}",
            advice=f"lower timeout connect, to {_SHORTER_SECONDS}s for instance"
            if shorter
            else "lower timeout connect or retries",
            severity=Severity.WARNING if budget > _LOST_SECONDS else Severity.INFO,
            related=() if said is None else (Label(said.span, "so many retries"),),
            fix=Fix(
                "connect or give up sooner",
                Safety.UNSAFE,
                (replaced(line.arguments[1], f"{_SHORTER_SECONDS}s"),),
            )
            if shorter
            else None,
        )


def _retries(backend: Proxy) -> int | None:
    """How often HAProxy tries again; None when that is not known."""
    setting = backend.effective("retries")
    if not setting.is_certain:
        return None
    if setting.value is None:
        return _DEFAULT_RETRIES
    return whole_number(setting.value) if setting.value.isdecimal() else None
