from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.checks import checks_by_tls
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends, literal_name, working_servers
from gwlint.source import Span
from gwlint.syntax.haproxy.amend import words_added

_BY_ITSELF_SINCE = "3.3"


class CheckWithoutSni(HaproxyRule):
    """The health check of a TLS server sends no name, although requests do.

    ## Problem
    `sni` is for requests. A check makes its own TLS handshake and sends a name only with
    `check-sni`.

    ## Why
    Measured on HAProxy 2.6.12 with a server that wants a name: the handshake of the check failed,
    the server was marked down, and every request got 503; with `check-sni` all got 200.

    ## In the log
    `Server app/s1 is DOWN, reason: Layer6 invalid response, info: "SSL handshake failure"`, then
    `app/<NOSRV> ... 503 ... SC--`.

    ## Silent when
    The server has no `sni`, or `check-sni` too; its check makes no TLS handshake; rules such as
    `http-check connect` say how it connects; the target is HAProxy 3.3 or newer, which sends the
    name by itself.

    ## Fix safety
    Adds `check-sni` with the name of `sni str(...)`. The check then asks what requests ask for, so
    the fix is safe. Where the name depends on the request it is info, and the author has to say
    which one the check should use.

    ## Versions
    From HAProxy 3.3 on the check sends the name by itself. Without a target an older version is
    assumed.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 5.2, check-sni, sni
    """

    code = "HAP508"
    name = "check-without-sni"
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
                server one 192.0.2.1:443 ssl verify none sni str(app.example) check
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
                default-server ssl verify none sni str(app.example) check
                server one 192.0.2.1:443  # TLS
                server two 192.0.2.2:443
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
                default-server ssl verify none sni str(app.example) check
                server one 192.0.2.1:443 check-sni app.example
                server two 192.0.2.2:443 port 80
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
                server one 192.0.2.1:443 ssl verify none sni str(app.example) check
            """,
            target="3.4",
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if config.is_at_least(_BY_ITSELF_SINCE):
            return
        for backend in balanced_backends(config):
            if _connects_by_rule(backend):
                continue
            for server in working_servers(backend):
                if server.has("check") and _lacks_name(server) and checks_by_tls(server):
                    yield self._reported(server)

    def _reported(self, server: Server) -> Finding:
        sni = server.value("sni")
        assert sni is not None
        name = literal_name(sni)
        return self.finding(
            server.line,
            f"the check of {server.name} sends no name in its TLS handshake, though requests do:"
            " a server that wants one fails the check and is taken out",
            advice=f"add check-sni {name or 'with a name that the server knows'}"
            f" (HAProxy sends it by itself from {_BY_ITSELF_SINCE} on)",
            severity=Severity.INFO if name is None else Severity.WARNING,
            span=_own_sni(server),
            fix=None
            if name is None
            else Fix(
                "send the name with the check",
                Safety.SAFE,
                (words_added(server.line, "check-sni", name),),
            ),
        )


def _connects_by_rule(backend: Proxy) -> bool:
    return any(any(backend.lines(kind, "connect")) for kind in ("http-check", "tcp-check"))


def _lacks_name(server: Server) -> bool:
    has_name = server.has("check-sni") or server.has("check-sni-auto")
    return server.has("ssl") and server.value("sni") is not None and not has_name


def _own_sni(server: Server) -> Span | None:
    """The `sni` on the server line itself; None where a default-server line has it."""
    parameter = server.parsed.last("sni")
    return None if parameter is None else parameter.keyword.span
