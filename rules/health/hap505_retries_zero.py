from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends
from gwlint.rules.health.retries import repeats_requests
from gwlint.rules.timeouts.haproxy_placement import names
from gwlint.syntax.haproxy.amend import replaced
from gwlint.syntax.haproxy.tree import Line

_DEFAULT = "3"


class RetriesZero(HaproxyRule):
    """A connection that fails once is given up, so each restart of the application shows.

    ## Problem
    `retries 0` turns off the three further attempts that HAProxy makes when a server does not
    accept a connection.

    ## Why
    Measured on HAProxy 2.6.12 and 2.8.25 with an application that is away for a moment: with
    `retries 0` a request got 503 at once, with the default it waited a second and got 200.
    `option redispatch` does nothing either, since it decides where a retry goes.

    ## In the log
    `app/s1 ... 503 ... SC--` with a time of a few milliseconds.

    ## Silent when
    `retries` is 1 or more, or stands under `.if`; no backend with servers uses the value; the file
    holds neither global nor defaults, so that others complete it.

    ## Fix safety
    Writes the default of 3. Only what could not be sent is tried again, so the fix is safe; none is
    offered where `retry-on` would begin to repeat requests that the application may have executed.

    ## Learnt
    One finding in published files, and right.

    ## References
    - HAProxy configuration manual, section 4.2, retries
    """

    code = "HAP505"
    name = "retries-zero"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                retries 0
                timeout connect 5s
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
                retries 1
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                server one 127.0.0.1:3000 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        faulty: dict[Line, list[Proxy]] = {}
        for backend in balanced_backends(config):
            setting = backend.effective("retries")
            if setting.line is not None and setting.value == "0" and setting.is_certain:
                faulty.setdefault(setting.line, []).append(backend)
        for line, backends in faulty.items():
            word = line.arguments[0]
            repeated = any(repeats_requests(backend) for backend in backends)
            yield self.finding(
                line,
                f"a request to {names(backends)} whose connection fails once is given up at once,"
                " so a restart of a server shows",
                advice=f"remove the line: {_DEFAULT} retries are the default",
                fix=None
                if repeated
                else Fix("try again", Safety.SAFE, (replaced(word, _DEFAULT),)),
            )
