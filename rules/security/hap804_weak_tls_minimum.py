from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.security.tls_versions import (
    DEFAULT_SINCE,
    FORCED,
    SAFE_MINIMUM,
    Bound,
    VersionWords,
    default_options,
    is_weak,
    tls_binds,
    version_words,
)
from gwlint.source import Span
from gwlint.syntax.haproxy.amend import replaced, words_added
from gwlint.syntax.haproxy.tree import Line

_OLD = "which RFC 8996 forbids"


class WeakTlsMinimum(HaproxyRule):
    """Clients may speak TLS 1.0 or 1.1, or the versions are not those that one reads.

    ## Problem
    `ssl-min-ver`, `ssl-max-ver` or `force-*` lets in versions below TLS 1.2, or keeps out newer
    ones; or `no-tlsv12` leaves TLS 1.3 alone, which the word does not say.

    ## Why
    Measured on 2.6.12 and 2.8.25 with OpenSSL 3.0: TLS 1.2 and 1.3 are the default. With
    `ssl-min-ver TLSv1.0` HAProxy offers TLS 1.0 and 1.1; the library still refused them at its
    usual security level, and spoke them at `@SECLEVEL=0`. Older libraries have no such level.
    `no-tlsv11` beside `ssl-min-ver` is ignored. `no-tlsv12` alone refused clients with TLS 1.2.

    ## In the log
    `web/1: SSL handshake failure`

    ## Silent when
    TLS 1.2 or 1.3 is the lowest version. Without a setting, only a target below 2.2 is a fault:
    there TLS 1.0 was the default. A server line is information: TLS takes the highest version that
    both sides know.

    ## Fix safety
    Sets TLS 1.2. Unsafe: clients that know no newer version than TLS 1.1 are refused. `no-tlsv12`
    becomes `ssl-min-ver TLSv1.3`, which is the same, and safe. There is none for `ssl-max-ver`.

    ## Versions
    From HAProxy 2.2 on TLS 1.2 is the default; before, TLS 1.0 was. Without a target a newer
    version is assumed: no setting is no fault.

    ## Versions
    TLS 1.2 is the lowest version by default from HAProxy 2.2 on; without a target such a version is
    assumed, since none below is maintained.

    ## Learnt
    `no-tlsv10 no-tlsv11` is what real files have; it says again what the default is.

    ## References
    - HAProxy configuration manual, section 5.1, keywords ssl-min-ver, no-tlsv12, force-tlsv10
    - RFC 8996
    """

    code = "HAP804"
    name = "weak-tls-minimum"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            frontend web
                bind :443 ssl crt /etc/haproxy/site.pem ssl-min-ver TLSv1.0
            """
        ),
        Example.haproxy(
            """
            global
                ssl-default-bind-options force-tlsv11
            """
        ),
        Example.haproxy(
            """
            frontend web
                bind :443 ssl crt /etc/haproxy/site.pem no-tlsv12
            """
        ),
        Example.haproxy(
            """
            frontend web
                bind :443 ssl crt /etc/haproxy/site.pem
            """,
            target="2.0",
        ),
    )
    good = (
        Example.haproxy(
            """
            global
                ssl-default-bind-options ssl-min-ver TLSv1.2
            frontend web
                bind :443 ssl crt /etc/haproxy/site.pem
                bind :8443 ssl crt /etc/haproxy/site.pem no-tlsv10 no-tlsv11
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        general: list[VersionWords] = []
        for line, parameters in default_options(config, "bind"):
            words = version_words(parameters)
            general.append(words)
            yield from self._of_words(line, words)
        is_bounded = any(words.minimum or words.maximum for words in general)
        is_old = config.is_older_than(DEFAULT_SINCE)
        for bind in tls_binds(config):
            words = version_words(bind)
            yield from self._of_words(bind.line, words, is_bounded=is_bounded)
            if is_old and not is_bounded and words.minimum is None and words.maximum is None:
                taken_out = {word.value for one in (words, *general) for word in one.taken_out}
                if not {"no-tlsv10", "no-tlsv11"} <= taken_out:
                    yield self._by_default(bind.line)
        yield from self._of_servers(config)

    def _of_words(
        self, line: Line, words: VersionWords, *, is_bounded: bool = False
    ) -> Iterator[Finding]:
        """What one line says; `is_bounded`: the global section sets a lowest or highest version."""
        if words.minimum is not None and is_weak(words.minimum.version):
            yield self._too_low(line, words.minimum)
        elif words.maximum is not None and is_weak(words.maximum.version):
            yield self.finding(
                line,
                f"clients may use {words.maximum.version} at most, {_OLD}",
                advice="remove ssl-max-ver",
                span=(words.maximum.value or words.maximum.keyword).span,
            )
        if words.minimum is None and words.maximum is None and not is_bounded:
            names = [word.value for word in words.taken_out]
            if "no-tlsv12" in names and "no-tlsv13" not in names:
                word = words.taken_out[names.index("no-tlsv12")]
                yield self.finding(
                    line,
                    "no-tlsv12 leaves TLS 1.3 alone, so that clients with TLS 1.2 are refused",
                    advice="write 'ssl-min-ver TLSv1.3' if that is meant, else remove the word",
                    span=word.span,
                    severity=Severity.INFO,
                    fix=Fix(
                        "say the lowest version",
                        Safety.SAFE,
                        (replaced(word, "ssl-min-ver TLSv1.3"),),
                    ),
                )

    def _too_low(
        self, line: Line, bound: Bound, severity: Severity = Severity.WARNING, who: str = "clients"
    ) -> Finding:
        word = bound.keyword if bound.value is None else bound.value
        only = " only" if bound.value is None else ""
        return self.finding(
            line,
            f"{who} may use {bound.version}{only}, {_OLD}",
            advice=f"use 'ssl-min-ver {SAFE_MINIMUM}'",
            span=word.span,
            severity=severity,
            fix=Fix("raise the lowest version", Safety.UNSAFE, (_raised(bound),)),
        )

    def _by_default(self, line: Line) -> Finding:
        return self.finding(
            line,
            f"clients may use TLS 1.0 and 1.1, the default below HAProxy {DEFAULT_SINCE}, {_OLD}",
            advice=f"add 'ssl-min-ver {SAFE_MINIMUM}'",
            span=_word_span(line, "ssl"),
            fix=Fix(
                "raise the lowest version",
                Safety.UNSAFE,
                (words_added(line, f"ssl-min-ver {SAFE_MINIMUM}"),),
            ),
        )

    def _of_servers(self, config: HaproxyConfig) -> Iterator[Finding]:
        for line, parameters in default_options(config, "server"):
            words = version_words(parameters)
            if words.minimum is not None and is_weak(words.minimum.version):
                yield self._too_low(line, words.minimum, Severity.INFO, "servers")
        for backend in config.backends:
            for server in backend.servers:
                yield from self._of_server(server)

    def _of_server(self, server: Server) -> Iterator[Finding]:
        if server.line.conditions or not server.has("ssl"):
            return
        minimum = version_words(server.parsed).minimum
        if minimum is not None and is_weak(minimum.version):
            yield self._too_low(server.line, minimum, Severity.INFO, "the server")


def _raised(bound: Bound) -> Edit:
    if bound.value is None:
        assert bound.keyword.value in FORCED
        return replaced(bound.keyword, f"ssl-min-ver {SAFE_MINIMUM}")
    return replaced(bound.value, SAFE_MINIMUM)


def _word_span(line: Line, text: str) -> Span:
    return next((word.span for word in line.arguments if word.value == text), line.span)
