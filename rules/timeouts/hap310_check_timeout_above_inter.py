from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.checks import CheckTimes, check_times, protocol_check
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import (
    balanced_backends,
    has_failover,
    working_servers,
)
from gwlint.syntax.haproxy.amend import line_after, line_before, replaced
from gwlint.syntax.values.times import time_text

_TOLERABLE_SECONDS = 15


class CheckTimeoutAboveInter(HaproxyRule):
    """A check that hangs is waited for longer than checks are apart, so detection slows down.

    ## Problem
    A check has to end before the next one begins. Without `timeout check` it ends after `inter` at
    the latest; a longer `timeout check` stretches the time just when the application hangs.

    ## Why
    Measured on HAProxy 2.6.12 and 2.8.25 with one of two applications that begins to hang and
    `inter 200ms fall 3`: it was out after 1.1 s, and with `timeout check 1s` after 3.5 s. Until
    then its share of the requests ends as 504.

    ## In the log
    `app/s1 ... 504 ... sH--` for one server, then `Server app/s1 is DOWN, reason: Layer7 timeout`
    with a check duration as long as the check timeout.

    ## Silent when
    The check only opens a connection, for which `timeout check` does not count; the backend has a
    single server; the value is not longer than `inter`, not readable, or under `.if`; the file
    holds neither global nor defaults, so that others complete it.

    ## Fix safety
    Sets `timeout check` of this backend to `inter`. Unsafe: an application that answers its check
    later than that, and was well, is then taken out (measured). Raising `inter` is the other way.

    ## Learnt
    Red Hat's file ships `timeout check 10s` over the default `inter` of 2 seconds. Where detection
    takes 15 seconds or less it is info. 20 of 60 findings in real files read, drawn: all right.
    They fire on a third of the files because one collection of 74 shares its defaults.

    ## References
    - HAProxy configuration manual, section 4.2, timeout check; section 5.2, inter
    """

    code = "HAP310"
    name = "check-timeout-above-inter"
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
                timeout check 10s

            backend app
                option httpchk GET /health
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
                option httpchk GET /health
                timeout check 3s
                server one 127.0.0.1:3000 check inter 1s
                server two 127.0.0.1:3001 check inter 1s
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
                timeout check 10s

            backend app
                option httpchk GET /health
                server one 127.0.0.1:3000 check inter 10s
                server two 127.0.0.1:3001 check inter 10s

            backend plain
                server one 127.0.0.1:3000 check
                server two 127.0.0.1:3001 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            setting = backend.effective("timeout", "check")
            timeout = backend.timeout("check")
            kind = protocol_check(backend)
            if setting.line is None or timeout is None or not setting.is_certain or kind is None:
                continue
            quickest = _quickest(backend) if has_failover(backend) else None
            if quickest is None or timeout.seconds <= quickest.inter:
                continue
            hung = quickest.hung_detection(timeout.seconds)
            sound = quickest.hung_detection(quickest.inter)
            wanted = time_text(quickest.inter)
            own = setting.section is backend.section
            yield self.finding(
                setting.line if own else backend.header,
                f"a server of {backend.name} that hangs is taken out after about"
                f" {time_text(hung)}, not {time_text(sound)}: each check waits"
                f" {time_text(timeout.seconds)}, longer than inter {wanted}",
                advice="let timeout check be at most inter, or raise inter",
                severity=Severity.WARNING if hung > _TOLERABLE_SECONDS else Severity.INFO,
                related=() if own else (Label(setting.line.span, "so long waits a check"),),
                fix=Fix(
                    "end a check before the next one",
                    Safety.UNSAFE,
                    (_timeout_set(backend, wanted),),
                ),
            )


def _quickest(backend: Proxy) -> CheckTimes | None:
    """The times of the server that is checked most often."""
    known = [times for one in working_servers(backend) if (times := check_times(one)) is not None]
    return min(known, key=lambda times: times.inter) if known else None


def _timeout_set(backend: Proxy, value: str) -> Edit:
    """In the backend itself: the defaults serve others, whose checks are further apart."""
    setting = backend.effective("timeout", "check")
    assert setting.line is not None
    if setting.section is backend.section:
        return replaced(setting.line.arguments[1], value)
    option = protocol_check(backend)
    beside = option if option is not None and option.section is backend.section else backend.header
    statement = f"timeout check {value}"
    if beside is backend.header:
        return line_before(backend.servers[0].line, statement)
    return line_after(beside, statement)
