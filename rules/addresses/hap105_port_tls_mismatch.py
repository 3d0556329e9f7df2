from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import bind_addresses
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.protocol.server_words import TLS_PARAMETERS, parameters_removed
from gwlint.syntax.haproxy.amend import words_added
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.address import Address, Family
from gwlint.syntax.values.bind_line import BindLine
from gwlint.syntax.values.parameters import Parameter

_TLS_PORTS = frozenset({443, 8443})
_PLAIN_PORTS = frozenset({80, 8080})


class PortTlsMismatch(HaproxyRule):
    """The port or the certificate says TLS and the line does not, or the other way round.

    ## Problem
    A server on port 443 or 8443 is spoken to without `ssl`, one on port 80 or 8080 with `ssl`, or
    a frontend in mode http listens on port 443 or 8443 without `ssl`. A `bind` names a certificate
    and lacks `ssl`.

    ## Why
    Measured on 2.6.12: without `ssl` to a TLS port each request is answered with 502; with `ssl`
    to a plain port the handshake fails, and after all retries the answer is 503. A frontend without
    `ssl` cannot read the TLS handshake of a browser. With `crt` and no `ssl` HAProxy (2.6.12 and
    2.8.25) starts without a word and speaks plain HTTP: TLS clients see a wrong version number.

    ## In the log
    `web app/s1 0/0/0/-1/1 502 ... SH--` or `web app/s1 0/0/-1/-1/3006 503 ... SC--`.

    ## Silent when
    The proxy is in mode tcp, where TLS passes through untouched (a `bind` with a certificate is
    reported there too); the server is a listener without `ssl` of this same configuration, a
    loopback address or a socket; PROXY protocol is spoken, as behind a load balancer that ends TLS;
    the port or `ssl` hangs on a variable; gwlint.yaml says what the server speaks (`protocol` of a
    service), which tls-mismatch compares.

    ## Fix safety
    Unsafe: a service may speak plain HTTP on port 443. Where TLS is missing, the fix is for
    servers with a host name only: it adds `ssl` with verification against the system's
    authorities, the name as SNI and for the check. Servers with an IP address need an authority,
    frontends a certificate, that is not known here; a `bind` that names one gets `ssl`. The
    authorities of the system can be named since 2.6.

    ## Versions
    `ca-file @system-ca` needs HAProxy 2.6: for an older target there is no fix that turns TLS on at
    a server.

    ## Learnt
    13 findings in published files read, all right; in the one file that is in use with port
    8443 in both places, TLS was to be passed through.

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
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :4430 crt /etc/haproxy/web.pem
                default_backend app
            backend app
                server s1 127.0.0.1:3000
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
            for line, bind in proxy.binds if proxy.is_frontend and not proxy.is_disabled else ():
                if _has_idle_certificate(bind):
                    yield self._idle_certificate(line, bind)
            mode = proxy.effective("mode")
            if not proxy.is_http or not mode.is_certain or proxy.is_disabled:
                continue
            for line, bind in proxy.binds if proxy.is_frontend else ():
                yield from self._bind(line, bind)
            for server in proxy.servers:
                address = server.address
                if address is None or (address.canonical_host, address.port) in plain_listeners:
                    continue
                # Where gwlint.yaml says what is spoken there, tls-mismatch knows better.
                service = config.facts.at(address)
                if service is not None and service.protocol is not None:
                    continue
                yield from self._server(server, address, can_verify=knows_system_ca)

    def _bind(self, line: Line, bind: BindLine) -> Iterator[Finding]:
        if "ssl" in bind or "accept-proxy" in bind or _is_uncertain(bind.parameters):
            return
        if _has_idle_certificate(bind):
            return  # reported already
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

    def _idle_certificate(self, line: Line, bind: BindLine) -> Finding:
        certificate = bind.get("crt") or bind.get("crt-list")
        assert certificate is not None
        return self.finding(
            line,
            f"{certificate.name} has no effect without ssl: this listener speaks no TLS, and"
            " browsers cannot connect by HTTPS",
            advice="add 'ssl' in front of it, or remove it",
            span=certificate.keyword.span,
            fix=Fix(
                "speak TLS",
                Safety.UNSAFE,
                (Edit.insert(line.source, certificate.keyword.start, "ssl "),),
            ),
        )

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
        related: tuple[Label, ...] = ()
        if server.parsed.last("ssl") is None:
            related = (Label(ssl.keyword.span, "ssl comes from here"),)
        return self.finding(
            server.line,
            f"port {port} is for plain HTTP, but HAProxy speaks TLS to this server: requests are"
            " answered with 503 if it does not",
            advice="remove 'ssl', or name the TLS port",
            span=word.span,
            related=related,
            fix=Fix(
                "speak plain HTTP",
                Safety.UNSAFE,
                parameters_removed(server.line, TLS_PARAMETERS, "ssl"),
            ),
        )


def _has_idle_certificate(bind: BindLine) -> bool:
    """Whether a certificate is named, and nothing turns TLS on."""
    return (
        any(bind.value(name) for name in ("crt", "crt-list"))
        and "ssl" not in bind
        and not _is_uncertain(bind.parameters)
    )


def _is_uncertain(parameters: tuple[Parameter, ...]) -> bool:
    """Whether a variable may stand for `ssl` or the like."""
    return any(parameter.uncertain for parameter in parameters)
