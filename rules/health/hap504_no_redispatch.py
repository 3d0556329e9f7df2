from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends, has_failover
from gwlint.syntax.haproxy.amend import added_to_section
from gwlint.syntax.haproxy.tree import Section


class NoRedispatch(HaproxyRule):
    """All retries of a failed connection go to the same dead server.

    ## Problem
    HAProxy tries a server that refuses three more times, a second apart, and then answers 503,
    although other servers are well. `option redispatch` lets it choose another one.

    ## Why
    Measured on HAProxy 2.6.12 with one refusing server of two: half of the requests got 503 after
    three seconds; with `option redispatch` all got 200 at once. A check shortens the time in which
    it happens; it does not end it. A cookie that names a dead server fails the same way.

    ## In the log
    `app/s1 ... 503 ... SC--` for the dead server.

    ## Silent when
    The backend has a single server; `retries 0`; the option is set or refused (`no option
    redispatch`) here or in the defaults, also under `.if`; the file holds neither global nor
    defaults, so that others complete it.

    ## Fix safety
    Adds the option to the defaults section that the backend inherits from, else to the backend.
    Only requests that could not be sent are sent elsewhere, so the fix is safe.

    ## Learnt
    20 of 44 findings in real files read, drawn: all right. More than a quarter of the real files
    lack the option, entries of a contest above all.

    ## References
    - HAProxy configuration manual, section 4.2, option redispatch, retries
    """

    code = "HAP504"
    name = "no-redispatch"
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
                server one 127.0.0.1:3000 check
                server two 127.0.0.1:3001 check
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                option redispatch
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                server one 127.0.0.1:3000 check
                server two 127.0.0.1:3001 check

            backend single
                no option redispatch
                server one 127.0.0.1:3000 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            if not has_failover(backend) or _is_settled(backend):
                continue
            section = backend.nearest_defaults or backend.section
            yield self.finding(
                backend.header,
                f"a connection of {backend.name} that fails is retried at the same dead server,"
                f" and then {'answered with 503' if backend.is_http else 'closed'}",
                advice="add option redispatch",
                fix=Fix("retry at another server", Safety.SAFE, (_option_added(section),)),
            )


def _is_settled(backend: Proxy) -> bool:
    return any(backend.lines("option", "redispatch")) or (backend.effective("retries").value == "0")


def _option_added(section: Section) -> Edit:
    """Behind the last option of the section if it has one, else behind its mode."""
    plain = [line for line in section.lines if not line.conditions]
    for keyword in ("option", "mode"):
        lines = [line for line in plain if line.keyword == keyword]
        if lines:
            return added_to_section(section, "option redispatch", beside=lines[-1])
    return added_to_section(section, "option redispatch")
