from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.protocol.server_tls import TlsServer, tls_servers
from gwlint.source import Span


class VerifyNone(HaproxyRule):
    """The certificates of servers are not verified, so anyone may answer in their place.

    ## Problem
    `verify none` encrypts the connection, but to whom is not known.

    ## Why
    The manual says of `verify none`: "the certificate is not verified", so whoever can redirect the
    connection reads and changes all of it. No request fails because of it.

    ## In the log
    Nothing.

    ## Silent when
    The server is on this machine, or speaks no TLS. One finding for each backend.

    ## Fix safety
    None: which authority signs the certificate is not known, and a wrong one gives 503.

    ## Learnt
    HAProxy itself proposes `verify none` when it refuses a server without `ca-file`, which is why
    people write it: so this is information, and a warning in the profile security. None of 236
    published files shows it.

    ## References
    - HAProxy configuration manual, section 5.2, keyword verify
    """

    code = "HAP605"
    name = "verify-none"
    severity = Severity.INFO
    warns_in_security = True
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 10.0.0.1:443 ssl verify none
                server s2 10.0.0.2:443 ssl verify none
            """
        ),
        Example.haproxy(
            """
            global
                ssl-server-verify none
            defaults
                mode http
            backend app
                server s1 10.0.0.1:443 ssl
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 10.0.0.1:443 ssl verify required ca-file /etc/haproxy/ca.pem
                server s2 127.0.0.1:8443 ssl verify none
                server s3 10.0.0.2:80
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        found: dict[str, list[TlsServer]] = {}
        for tls in tls_servers(config):
            if not tls.verifies and not tls.is_local:
                found.setdefault(tls.backend.name, []).append(tls)
        for name, (first, *others) in found.items():
            more = f" and {len(others)} more" if others else ""
            yield self.finding(
                first.server.line,
                f'the certificate of "{first.server.name}"{more} in {name} is not verified, so an'
                " impostor is accepted",
                advice="set 'verify required', 'ca-file' and 'verifyhost'",
                span=_cause(first) if _is_own(first) else first.server.line.span,
                related=()
                if _is_own(first)
                else (Label(_cause(first), "verification is turned off here"),),
            )


def _is_own(tls: TlsServer) -> bool:
    return tls.server.parsed.last("verify") is not None


def _cause(tls: TlsServer) -> Span:
    """Where it says that nothing is verified."""
    verify = tls.server.parameter("verify")
    if verify is not None:
        return verify.keyword.span
    assert tls.global_verify is not None
    return tls.global_verify.span
