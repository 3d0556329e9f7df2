from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.gateway import BEFORE_SENDING
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends
from gwlint.rules.health.retries import guard_added, is_guarded


class RetryOnDuplicatesPosts(HaproxyRule):
    """Requests that the application may have executed are sent again, POST among them.

    ## Problem
    `retry-on` with anything beyond conn-failure repeats a request whose answer failed to come, was
    broken, or had a certain status, whatever its method is.

    ## Why
    Measured on HAProxy 2.6.12: with `all-retryable-errors`, 12 POST requests were executed twice,
    with 200 for the client; with `response-timeout`, every slow POST was sent again and still
    ended as 504.

    ## In the log
    Nothing for the client's part; the retries stand in the field `retries` of the HTTP log.

    ## Silent when
    A rule `http-request disable-l7-retry` decides which requests are repeated; `retries 0`; the
    backend is in mode tcp, where retry-on is ignored; the file
    holds neither global nor defaults, so that others complete it.

    ## Fix safety
    Adds `http-request disable-l7-retry if { method POST PATCH }` to the backend: other methods are
    idempotent (RFC 9110, section 9.2.2) and go on being retried. Safe: what a POST could lose is a
    second execution.

    ## Learnt
    One finding in published files, and right.

    ## References
    - HAProxy configuration manual, section 4.2, retry-on, http-request disable-l7-retry
    """

    code = "HAP506"
    name = "retry-on-duplicates-posts"
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
                retry-on all-retryable-errors

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
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                retry-on conn-failure empty-response
                http-request disable-l7-retry if { method POST PATCH }
                server one 127.0.0.1:3000 check
                server two 127.0.0.1:3001 check

            backend plain
                retry-on conn-failure
                server one 127.0.0.1:3000 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            setting = backend.effective("retry-on")
            if setting.line is None or not backend.is_http or is_guarded(config, backend):
                continue
            words = [word for word in setting.words if word.value not in BEFORE_SENDING]
            if not words:
                continue
            own = setting.section is backend.section
            yield self.finding(
                setting.line if own else backend.header,
                f'"{words[0].value}" sends POST requests of {backend.name} again although the'
                " application may have executed them",
                advice="add http-request disable-l7-retry for the methods that are not idempotent",
                span=words[0].span if own else None,
                related=() if own else (Label(setting.line.span, "the retries are set here"),),
                fix=Fix(
                    "do not repeat POST and PATCH",
                    Safety.SAFE,
                    (guard_added(backend, setting.line if own else None),),
                ),
            )
