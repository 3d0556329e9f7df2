from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.upstream import Upstream, UpstreamServer
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.nginx.amend import replaced

TLS_PORT = 443


class UpstreamPortDefaultsTo80(NginxRule):
    """An upstream server without a port is reached on port 80 although the scheme is https.

    ## Problem
    In an upstream block the port defaults to 80 whatever the scheme of `proxy_pass` is. A TLS
    handshake then goes to a port that speaks plain HTTP.

    ## Why
    Measured on nginx 1.22.1: https to a plain port answers 502 to every request.

    ## In the log
    `SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL
    handshaking to upstream`, with `:80` in the upstream address.

    ## Silent when
    The upstream is also reached with http, so that port 80 may be meant; the address is a socket,
    a variable or an SRV name (`service=`).

    ## Fix safety
    Appends `:443`. Unsafe, because only the operator knows the port of the TLS service.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
    """

    code = "NGX104"
    name = "upstream-port-defaults-to-80"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 192.0.2.10;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass https://app;
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
                    server 192.0.2.10:443;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass https://app;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for upstream in config.upstreams:
            routes = config.passes_to(upstream)
            if not routes or not all(route.destination.is_tls for route in routes):
                continue
            related = (Label(routes[0].directive.span, "reached with TLS here"),)
            for server in upstream.servers:
                yield from self._judged(server, upstream, related)

    def _judged(
        self, server: UpstreamServer, upstream: Upstream, related: tuple[Label, ...]
    ) -> Iterator[Finding]:
        word, address = server.address_word, server.address
        if word is None or address is None or server.parameter("service") is not None:
            return
        if not address.family.is_network or address.variables or _names_a_port(word.value):
            return
        fix = Fix(
            f"use port {TLS_PORT}", Safety.UNSAFE, (replaced(word, f"{word.span.text}:{TLS_PORT}"),)
        )
        yield self.finding(
            server.directive,
            f'"{word.value}" has no port, so nginx opens TLS on port 80 for "{upstream.name}"',
            advice=f"write the port of the TLS service, such as {word.value}:{TLS_PORT}",
            span=word.span,
            related=related,
            fix=None if word.is_quoted else fix,
        )


def _names_a_port(text: str) -> bool:
    return ":" in text.rpartition("]")[2]
