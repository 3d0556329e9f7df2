from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.addresses.listeners import Listeners
from gwlint.rules.addresses.targets import Target, targets
from gwlint.source import Span

TLS_PORTS = frozenset({443, 8443})
PLAIN_PORTS = frozenset({80, 8080})
_WITH_TLS = {"http": "https", "grpc": "grpcs"}
_WITHOUT_TLS = {secured: plain for plain, secured in _WITH_TLS.items()}


class SchemePortMismatch(NginxRule):
    """Plain HTTP is sent to a port of TLS, or TLS to a port of plain HTTP.

    ## Problem
    The scheme of `proxy_pass` alone decides whether nginx speaks TLS; the port does not. `http://`
    to 443 or 8443 sends plain text to a TLS server, and `https://` to 80 or 8080 a TLS handshake
    to a server that expects plain text.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: 502 for every request, or 400 when the TLS server is
    itself nginx ("The plain HTTP request was sent to HTTPS port").

    ## In the log
    For plain text to TLS: `upstream prematurely closed connection while reading response header
    from upstream`, or nothing with a 400. For TLS to plain text: `SSL_do_handshake() failed (SSL:
    error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream`.

    ## Silent when
    The port is not written, or is any other one; a server of this same configuration listens
    there in the way the scheme says; the server is marked `down`; gwlint.yaml says what it speaks
    (`protocol` of a service), which tls-mismatch then compares.

    ## Fix safety
    Writes the other scheme. Unsafe, because only the operator knows what the port speaks. TLS is
    taken away only where the server is on this machine; elsewhere there is no fix for it.

    ## Learnt
    Real files reach the web interfaces of appliances on 8443 with http. A server of the same file
    may listen on 8443 in plain text, behind another proxy.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
    - https://nginx.org/en/docs/http/ngx_http_grpc_module.html#grpc_pass
    """

    code = "NGX105"
    name = "scheme-port-mismatch"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://10.0.0.7:443;
                    }
                    location /local/ {
                        proxy_pass https://127.0.0.1:80;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 10.0.0.7:8443;
                    server 10.0.0.8:8443;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                }
            }
            """
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 10.0.0.7:8443;
                    server 10.0.0.8:8443;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass https://app;
                    }
                    location /one/ {
                        proxy_pass http://10.0.0.9:8080/;
                    }
                    location /two/ {
                        proxy_pass https://10.0.0.9:443/;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        listeners = config.once(Listeners)
        for target in targets(config):
            if target.server is not None and target.server.is_down:
                continue
            # Where gwlint.yaml says what is spoken there, tls-mismatch knows better.
            service = config.facts.at(target.address)
            if service is not None and service.protocol is not None:
                continue
            schemes = {route.destination.scheme for route in target.routes}
            # Reached in both ways it is another fault, pass-protocol-mixed.
            if len(schemes) != 1:
                continue
            scheme = schemes.pop()
            right = _right_scheme(scheme, target.address.port)
            if right is None or not _port_is_written(target):
                continue
            is_tls = scheme in _WITHOUT_TLS
            if listeners.reached_by(target.address).is_tls is is_tls:
                continue
            yield self._mismatch(target, scheme, right)

    def _mismatch(self, target: Target, scheme: str, right: str) -> Finding:
        port = target.address.port
        is_tls = scheme in _WITHOUT_TLS
        does = "starts TLS with" if is_tls else "sends plain text to"
        usual = "plain text" if is_tls else "TLS"
        related: tuple[Label, ...] = ()
        if target.upstream is not None:
            related = (Label(target.routes[0].word.span, f"reached with {scheme}:// here"),)
        return self.finding(
            target.directive,
            f'{scheme}:// {does} port {port} of "{target.address.host}", which usually speaks'
            f" {usual}; each request then fails with 502 or 400",
            advice=f"write {right}://, or the right port",
            span=target.word.span,
            related=related,
            fix=_fix(target, right),
        )


def _right_scheme(scheme: str, port: int | None) -> str | None:
    if port in TLS_PORTS:
        return _WITH_TLS.get(scheme)
    return _WITHOUT_TLS.get(scheme) if port in PLAIN_PORTS else None


def _port_is_written(target: Target) -> bool:
    """An upstream server without a port is the business of upstream-port-defaults-to-80."""
    authority = target.word.value
    if target.server is None:
        authority = target.routes[0].destination.authority
    return authority.endswith(f":{target.address.port}")


def _fix(target: Target, right: str) -> Fix | None:
    """The other scheme in every pass, when all servers of the upstream agree on it."""
    if right in _WITH_TLS and not target.address.is_loopback:
        return None
    if target.upstream is not None:
        scheme = target.routes[0].destination.scheme
        for server in target.upstream.servers:
            address = server.address
            if address is None or _right_scheme(scheme, address.port) != right:
                return None
            if right in _WITH_TLS and not address.is_loopback:
                return None
    edits: list[Edit] = []
    for route in target.routes:
        span = _scheme_span(route)
        if span is None:
            return None
        edits.append(Edit(span, right))
    # A location that is included twice has one pass directive.
    distinct = tuple(dict.fromkeys(edits))
    return Fix(f"speak {right} to it", Safety.UNSAFE, distinct)


def _scheme_span(route: Pass) -> Span | None:
    end = route.word.raw.find(b"://")
    if end == -1:
        return None
    start = 1 if route.word.raw[:1] in (b'"', b"'") else 0
    return Span(route.word.source, route.word.start + start, route.word.start + end)
