from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.protocol.server_tls import (
    SNI_AUTO_SINCE,
    TlsServer,
    check_sni_words,
    tls_servers,
)
from gwlint.syntax.haproxy.amend import words_added


class ServerTlsWithoutSni(HaproxyRule):
    """HAProxy speaks TLS to a server that has a name, and does not say which name it wants.

    ## Problem
    Without `sni` a server that holds certificates for several names, as every content delivery
    network and cloud load balancer does, cannot know which one to show.

    ## Why
    Measured on 2.6.12: a server that needs SNI ends the handshake; each request gets 503 after all
    retries. With `sni str(name)` all were answered.

    ## In the log
    `web app/s1 0/0/-1/-1/3007 503 ... SC--`

    ## Silent when
    The server has `sni`, or is neither reached by a name with a dot in it nor verified by
    `verifyhost`; the target is HAProxy 3.3 or newer, which sends the Host name by itself;
    parameters hang on variables or `.if`, or the file has neither `global` nor `defaults`.

    ## Fix safety
    Adds `sni str(name)`, and `check-sni` for the health check. Safe where the certificate is not
    verified, or `verifyhost` names the same host. Otherwise unsafe: the certificate is then
    verified against that name, where before any name was good enough.

    ## Versions
    From HAProxy 3.3 on the Host name is sent by itself. Without a target an older version is
    assumed, and the advice names this one.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 5.2, keywords sni, check-sni and verifyhost
    """

    code = "HAP603"
    name = "server-tls-without-sni"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 api.internal.net:443 ssl verify none check
                server s2 10.0.0.1:443 ssl verify none verifyhost api.internal.net  # old
                server s3 api.internal.net:443 ssl verify required ca-file /etc/ssl/cert.pem
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 api.internal.net:443 ssl verify none sni str(api.internal.net)
                server s2 10.0.0.1:443 ssl verify none
                server s3 app:8443 ssl verify none
                default-server sni req.hdr(host)
                server s4 api.internal.net:443 ssl verify none
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 api.internal.net:443 ssl verify none
            """,
            target="3.3",
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole or config.is_at_least(SNI_AUTO_SINCE):
            return
        for tls in tls_servers(config):
            server = tls.server
            if server.has("sni") or server.is_disabled:
                continue
            name = _name(tls)
            if name is None:
                continue
            is_safe = not tls.verifies or server.has("verifyhost")
            words = ["sni", f"str({name})", *check_sni_words(server, name)]
            yield self.finding(
                server.line,
                f'HAProxy does not tell this TLS server that it wants "{name}" (SNI): a server with'
                " several names shows another certificate or ends the handshake, which gives 503",
                advice=f"add 'sni str({name})' (HAProxy 3.3 sends the Host name by itself)",
                span=None if server.address_word is None else server.address_word.span,
                fix=Fix(
                    f"send {name} as SNI",
                    Safety.SAFE if is_safe else Safety.UNSAFE,
                    (words_added(server.line, *words),),
                ),
            )


def _name(tls: TlsServer) -> str | None:
    """The name that the server's certificate is for, as far as the line tells."""
    verified = tls.server.value("verifyhost")
    if verified is not None:
        return None if verified.references else verified.value
    return tls.host_name
