from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.protocol.server_tls import tls_servers


class SslWithoutCa(HaproxyRule):
    """A TLS server is to be verified, and nothing says which authorities to trust.

    ## Problem
    `ssl` or `check-ssl` on a server line verifies the certificate unless told otherwise, and needs
    a `ca-file`.

    ## Why
    Measured on 2.6.12 and 2.8.25: HAProxy refuses the configuration, so it does not start, and a
    reload keeps the old one. A `disabled` server is no exception.

    ## In the log
    `[ALERT] config : 'server app/s1' : verify is enabled by default but no CA file specified.`

    ## Silent when
    `ca-file` or `verify none` is set, here or in `default-server`; `ssl-server-verify none` stands
    in the global section and the server says nothing else; the section is disabled; parameters
    hang on variables or `.if`, or the file has neither `global` nor `defaults`.

    ## Fix safety
    None. `verify none`, which HAProxy proposes, accepts any impostor; `ca-file @system-ca` (since
    2.6) or `ca-file /etc/ssl/certs/ca-certificates.crt` does for public certificates, a file of
    your own authority for others.

    ## Versions
    `ca-file @system-ca` needs HAProxy 2.6.

    ## Learnt
    Both findings in published files read, right.

    ## References
    - HAProxy configuration manual, section 5.2, keywords ssl, verify and ca-file
    """

    code = "HAP604"
    name = "ssl-without-ca"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 10.0.0.1:443 ssl
                server s2 10.0.0.2:443 ssl verify required verifyhost app.local
            """
        ),
        Example.haproxy(
            """
            global
                ssl-server-verify none
            defaults
                mode http
                default-server ssl
            backend app
                server s1 10.0.0.1:443 verify required
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 10.0.0.1:443 ssl ca-file /etc/ssl/certs/ca-certificates.crt
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

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole:
            return
        for tls in tls_servers(config, or_checks=True):
            server = tls.server
            if not tls.verifies or server.parameter("ca-file") is not None:
                continue
            ssl = server.parsed.get("ssl") or server.parsed.get("check-ssl")
            by_default = server.value("verify") is None
            yield self.finding(
                server.line,
                f'the certificate of server "{server.name}" is to be verified'
                + (" (the default)" if by_default else "")
                + ", but no ca-file says by whom it must be signed: HAProxy does not start",
                advice="add 'ca-file @system-ca' (since 2.6), or the file of your authority",
                span=server.line.span if ssl is None else ssl.keyword.span,
            )
