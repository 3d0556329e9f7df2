from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import bind_addresses
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.syntax.haproxy.amend import words_added, words_removed
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.address import Address, Family
from gwlint.syntax.values.bind_line import BindLine
from gwlint.syntax.values.parameters import Parameter

_TLS_PORTS = frozenset({443, 8443})
_PLAIN_PORTS = frozenset({80, 8080})
_TLS_PARAMETERS = frozenset(
    {
        "alpn", "ca-file", "check-alpn", "check-sni", "ciphers", "ciphersuites", "crl-file", "crt",
        "no-check-ssl", "sni", "ssl", "ssl-max-ver", "ssl-min-ver", "verify", "verifyhost",
    }
)  # fmt: skip


class PortTlsMismatch(HaproxyRule):
    """The port says TLS and the line does not, or the other way round.

    ## Problem
    A server on port 443 or 8443 is spoken to without `ssl`, one on port 80 or 8080 with `ssl`, or
    a frontend in mode http listens on port 443 or 8443 without `ssl`.

    ## Why
    Measured on 2.6.12: without `ssl` to a TLS port each request is answered with 502; with `ssl`
    to a plain port the handshake fails, and after all retries the answer is 503. A frontend without
    `ssl` cannot read the TLS handshake of a browser.

    ## In the log
    web app/s1 0/0/0/-1/1 502 ... SH--, web app/s1 0/0/-1/-1/3006 503 ... SC--

    ## Silent when
    The proxy is in mode tcp, where TLS passes through untouched; the server is a listener
    without `ssl` of this same configuration, a loopback address or a socket; PROXY protocol is
    spoken, as behind a load balancer that ends TLS; the port or `ssl` hangs on a variable.

    ## Fix safety
    Unsafe: a service may speak plain HTTP on port 443. Where TLS is missing, the fix is for
    servers with a host name only: it adds `ssl` with verification against the system's
    authorities, the name as SNI and for the check. Servers with an IP address and frontends need
    a certificate that is not known here. The authorities of the system can be named since 2.6.

    ## References
    - HAProxy configuration manual, sections 5.1 and 5.2, keyword ssl
    """

    code = "HAP105"
    name = "port-tls-mismatch"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :443
                default_backend app
            backend app
                server s1 10.0.0.1:8443 check
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 app.internal:443 check
                server s2 10.0.0.1:80 ssl verify none check  # old
                default-server ssl verify none
                server s3 10.0.0.2:8080
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :443 ssl crt /etc/haproxy/web.pem
                bind :8443 accept-proxy
                default_backend app
            backend app
                server s1 10.0.0.1:443 ssl verify required ca-file @system-ca
                server s2 10.0.0.2:80
                server s3 127.0.0.1:8443 send-proxy
            listen passthrough
                mode tcp
                bind :9443
                server s1 10.0.0.1:443
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        plain_listeners = frozenset(
            (address.canonical_host, address.port)
            for proxy in config.frontends
            for _, bind in proxy.binds
            if "ssl" not in bind
            for address in bind_addresses(bind)
        )
        knows_system_ca = not config.is_older_than("2.6")
        for proxy in config.proxies:
            mode = proxy.effective("mode")
            if not proxy.is_http or not mode.is_certain or proxy.is_disabled:
                continue
            for line, bind in proxy.binds if proxy.is_frontend else ():
                yield from self._bind(line, bind)
            for server in proxy.servers:
                address = server.address
                if address is None or (address.canonical_host, address.port) in plain_listeners:
                    continue
                yield from self._server(server, address, can_verify=knows_system_ca)

    def _bind(self, line: Line, bind: BindLine) -> Iterator[Finding]:
        if "ssl" in bind or "accept-proxy" in bind or _is_uncertain(bind.parameters):
            return
        # `crt` alone turns nothing on, but says what was meant.
        for address in bind_addresses(bind):
            if address.is_loopback or address.transport != "stream" or bind.address is None:
                continue
            if address.port in _TLS_PORTS and address.port_end is None:
                yield self.finding(
                    line,
                    f"port {address.port} is for HTTPS, but this frontend in mode http listens"
                    " there without ssl: browsers cannot connect",
                    advice="add 'ssl crt FILE'",
                    span=bind.address.span,
                )
                return

    def _server(self, server: Server, address: Address, *, can_verify: bool) -> Iterator[Finding]:
        word = server.address_word
        if word is None or not address.family.is_network:
            return
        if address.port is None or address.is_loopback or address.host is None:
            return
        if _is_uncertain(server.parsed.parameters):
            return
        if server.has("send-proxy") or server.has("send-proxy-v2"):
            return
        ssl = server.parameter("ssl")
        if address.port in _TLS_PORTS and ssl is None:
            yield self._plain(server, word, address, can_verify=can_verify)
        elif address.port in _PLAIN_PORTS and ssl is not None:
            yield self._encrypted(server, word, address.port, ssl)

    def _plain(self, server: Server, word: Word, address: Address, *, can_verify: bool) -> Finding:
        fix = None
        host = address.host
        if can_verify and address.family is Family.NAME and not server.has("verify"):
            words = [f"ssl verify required ca-file @system-ca sni str({host}) verifyhost {host}"]
            if server.has("check") and not server.has("check-sni"):
                words.append(f"check-sni {host}")
            title = f"speak TLS to {host}"
            fix = Fix(title, Safety.UNSAFE, (words_added(server.line, *words),))
        return self.finding(
            server.line,
            f"port {address.port} is for HTTPS, but HAProxy speaks plain HTTP to this server:"
            " requests are answered with 502 if it expects TLS",
            advice="add 'ssl' with 'verify required' and a ca-file, or name the plain port",
            span=word.span,
            fix=fix,
        )

    def _encrypted(self, server: Server, word: Word, port: int, ssl: Parameter) -> Finding:
        own = [one for one in server.parsed.parameters if one.name in _TLS_PARAMETERS]
        edits = [
            words_removed(one.keyword, one.values[-1] if one.values else one.keyword) for one in own
        ]
        related: tuple[Label, ...] = ()
        if server.parsed.last("ssl") is None:
            # It is inherited, so the line has to say that it does not want it.
            edits.append(words_added(server.line, "no-ssl"))
            related = (Label(ssl.keyword.span, "ssl comes from here"),)
        return self.finding(
            server.line,
            f"port {port} is for plain HTTP, but HAProxy speaks TLS to this server: requests are"
            " answered with 503 if it does not",
            advice="remove 'ssl', or name the TLS port",
            span=word.span,
            related=related,
            fix=Fix("speak plain HTTP", Safety.UNSAFE, tuple(edits)),
        )


def _is_uncertain(parameters: tuple[Parameter, ...]) -> bool:
    """Whether a variable may stand for `ssl` or the like."""
    return any(parameter.uncertain for parameter in parameters)
