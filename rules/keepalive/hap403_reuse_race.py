from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.effective import Effective
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends
from gwlint.rules.health.retries import GUARD, guard_added, is_guarded
from gwlint.syntax.haproxy.amend import line_after, line_before, words_added
from gwlint.syntax.haproxy.tree import Line, Word

_NEEDED = ("conn-failure", "empty-response")


class ReuseRace(HaproxyRule):
    """First requests go over idle connections that the application may just be closing.

    ## Problem
    With `http-reuse always`, the first request of a client may go over an idle connection. When the
    application closes it at that moment, the request is lost: nobody repeats it.

    ## Why
    Measured with an application that closes idle connections: with `always`, HAProxy 2.6.12
    answered 47 of 120 requests with 502, and 2.8.25 closed the client's connection without a
    status. With `safe`, `aggressive`, or `retry-on conn-failure empty-response`, all got 200.

    ## In the log
    `app/s1 ... 502 ... SH--` on 2.6; from 2.8 on no line at all.

    ## Silent when
    `retry-on` repeats requests whose connection ended without an answer (empty-response,
    all-retryable-errors); the backend is not in mode http; an option closes the connections after
    each request; a line stands under `.if`; the file holds neither global nor defaults, so that
    others complete it.

    ## Fix safety
    Adds `retry-on conn-failure empty-response`, and keeps POST and PATCH out of it, since the
    application may have executed them. Unsafe: other methods are repeated, which an application
    that changes something on GET does not expect. A POST is still lost; for it, the application
    has to keep idle connections for longer than HAProxy does (pool-purge-delay, HAP404).

    ## Versions
    HAProxy 2.6.12 answers 502, and 2.8.25 closes the client's connection without a status
    (measured). From HAProxy 2.8 on no line of the log tells of it.

    ## Learnt
    `aggressive` showed no such loss in the measurements, so nothing is said of it. All 3 findings
    in published files read, all right, in entries of a contest.

    ## References
    - HAProxy configuration manual, section 4.2, http-reuse, retry-on
    """

    code = "HAP403"
    name = "reuse-race"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                http-reuse always
                timeout connect 5s
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
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                http-reuse always
                retry-on 503 504
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
                http-reuse always
                retry-on conn-failure empty-response
                http-request disable-l7-retry if { method POST PATCH }
                server one 127.0.0.1:3000 check

            backend other
                http-reuse safe
                server one 127.0.0.1:3001 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            reuse = backend.effective("http-reuse")
            retry = backend.effective("retry-on")
            if reuse.line is None or reuse.value != "always" or not reuse.is_certain:
                continue
            if not backend.is_http or not retry.is_certain or _is_repeated(retry.words):
                continue
            if any(backend.option(name) for name in ("httpclose", "http-server-close")):
                continue
            own = reuse.section is backend.section
            edits = _repeated(config, backend, retry)
            yield self.finding(
                reuse.line if own else backend.header,
                f"the first request of a client of {backend.name} may go over an idle connection"
                " that the application is closing, and is then lost: 502, or no answer at all"
                " from HAProxy 2.8 on",
                advice="add retry-on conn-failure empty-response, or use http-reuse safe",
                related=() if own else (Label(reuse.line.span, "reuse is set here"),),
                fix=None
                if edits is None
                else Fix("repeat requests that got no answer", Safety.UNSAFE, edits),
            )


def _is_repeated(words: list[Word]) -> bool:
    return any(
        word.value in ("empty-response", "all-retryable-errors") or word.references
        for word in words
    )


def _repeated(config: HaproxyConfig, backend: Proxy, retry: Effective) -> tuple[Edit, ...] | None:
    """The edits for `retry-on`; None when there are no retries at all."""
    if backend.effective("retries").value == "0":
        return None
    said = [word.value for word in retry.words]
    # What is written replaces the default, conn-failure (section 4.2, retry-on).
    missing = [word for word in _NEEDED if word not in said]
    if retry.line is not None and retry.section is backend.section:
        edits = [words_added(retry.line, *missing)]
        if not is_guarded(config, backend):
            edits.append(guard_added(backend, retry.line))
        return tuple(edits)
    statement = " ".join(("retry-on", *said, *missing))
    place = next(iter(backend.own("http-reuse")), None)
    if is_guarded(config, backend):
        return (_added(backend, place, statement),)
    if backend.own("http-request"):
        return (_added(backend, place, statement), guard_added(backend, None))
    return (_added(backend, place, statement, GUARD),)


def _added(backend: Proxy, beside: Line | None, *statements: str) -> Edit:
    """Behind the line about reuse where the backend has one, else in front of its servers."""
    if beside is not None:
        return line_after(beside, *statements)
    return line_before(backend.servers[0].line, *statements)
