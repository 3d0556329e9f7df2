from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.protocol.server_tls import SNI_AUTO_SINCE, tls_servers
from gwlint.syntax.haproxy.amend import words_added


class AnyNameAccepted(HaproxyRule):
    """A certificate is verified, but for no name: one for any host will do.

    ## Problem
    `verify required` with a `ca-file` checks who signed the certificate. Which host it is for is
    checked only with `verifyhost` or `sni`.

    ## Why
    Measured on 2.6.12: a server whose certificate is for another name was accepted without
    `verifyhost`, and refused with it. Where public authorities are trusted, anybody can get such a
    certificate for a host of his own.

    ## In the log
    Nothing.

    ## Silent when
    `verifyhost` or `sni` is set; the server is on this machine; the target is HAProxy 3.3 or newer,
    which verifies the Host name by itself. Info only where the authority is not one that browsers
    trust: a private one may sign for its own servers alone.

    ## Fix safety
    For servers that are reached by a name: adds `verifyhost`. Unsafe, since a certificate for
    another name gives 503 from then on.

    ## Versions
    From HAProxy 3.3 on the Host name is verified by itself. Without a target an older version is
    assumed.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 5.2, keywords verify and verifyhost
    """

    code = "HAP606"
    name = "any-name-accepted"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 api.internal.net:443 ssl verify required ca-file @system-ca
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 10.0.0.1:443 ssl verify required ca-file /etc/haproxy/own-ca.pem
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                default-server ssl verify required ca-file @system-ca
                server s1 api.internal.net:443 verifyhost api.internal.net
                server s2 api.internal.net:443 sni str(api.internal.net)
                server s3 127.0.0.1:8443
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole or config.is_at_least(SNI_AUTO_SINCE):
            return
        for tls in tls_servers(config):
            server = tls.server
            authorities = server.parameter("ca-file")
            if not tls.verifies or authorities is None or tls.is_local:
                continue
            if server.has("verifyhost") or server.has("sni"):
                continue
            name = tls.host_name
            fix = None
            if name is not None:
                edit = words_added(server.line, "verifyhost", name)
                fix = Fix(f"accept certificates for {name} only", Safety.UNSAFE, (edit,))
            own = server.parsed.last("ca-file")
            is_public = tls.trusts_public_authorities
            yield self.finding(
                server.line,
                "the certificate of this server may be for any name"
                + (", and anybody can get one from a public authority" if is_public else ""),
                advice="add 'verifyhost NAME', or 'sni'",
                span=server.line.span if own is None else own.keyword.span,
                severity=Severity.WARNING if is_public else Severity.INFO,
                fix=fix,
            )
