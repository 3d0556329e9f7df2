from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, Label, NginxRule, Severity

_PROTOCOLS = {
    "http": "HTTP",
    "https": "HTTP over TLS",
    "fastcgi": "FastCGI",
    "uwsgi": "uwsgi",
    "suwsgi": "uwsgi over TLS",
    "scgi": "SCGI",
    "grpc": "gRPC",
    "grpcs": "gRPC over TLS",
    "memcached": "memcached",
}
_BOTH_IN_ONE = (frozenset({"http", "grpc"}), frozenset({"https", "grpcs"}))
"""Some servers take HTTP/1 and HTTP/2, which gRPC is made of, on one port."""


class PassProtocolMixed(NginxRule):
    """One upstream is spoken to in two protocols.

    ## Problem
    A server speaks one protocol on a port, but some routes to the upstream speak another one:
    `proxy_pass` beside `fastcgi_pass`, `uwsgi_pass`, `scgi_pass` or `grpc_pass`, or http:// beside
    https://. One of them is wrong.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: FastCGI or https to a port of HTTP answers 502, uwsgi
    400; http to a port of TLS 502 or 400, to one of gRPC it closes the connection.

    ## In the log
    `upstream sent unsupported FastCGI protocol version: 72 while reading response header from
    upstream`, `SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number)
    while SSL handshaking to upstream`, `upstream prematurely closed connection while reading
    response header from upstream`, or nothing.

    ## Silent when
    A pass directive holds a variable. Info only for HTTP beside gRPC, which some servers tell
    apart on one port.

    ## Fix safety
    There is none: only the operator knows what the servers speak.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
    - https://nginx.org/en/docs/http/ngx_http_fastcgi_module.html#fastcgi_pass
    """

    code = "NGX118"
    name = "pass-protocol-mixed"
    severity = Severity.WARNING
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:9000;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location ~ \\.php$ {
                        fastcgi_pass app;
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
                    server 127.0.0.1:9000;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location /secure/ {
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
                    server 127.0.0.1:9000;
                }
                upstream php {
                    server 127.0.0.1:9001;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location /app/ {
                        proxy_pass http://app/;
                    }
                    location ~ \\.php$ {
                        fastcgi_pass php;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for upstream in config.upstreams:
            first: dict[str, Pass] = {}
            for route in config.passes_to(upstream):
                if route.destination.scheme in _PROTOCOLS and route.is_http:
                    first.setdefault(route.destination.scheme, route)
            if len(first) < 2:
                continue
            usual, *others = first.items()
            for scheme, route in others:
                yield self._mixed(upstream.name, usual, (scheme, route))

    def _mixed(self, name: str, usual: tuple[str, Pass], other: tuple[str, Pass]) -> Finding:
        one, another = _PROTOCOLS[usual[0]], _PROTOCOLS[other[0]]
        may_be_both = frozenset({usual[0], other[0]}) in _BOTH_IN_ONE
        return self.finding(
            other[1].directive,
            f'upstream "{name}" is spoken to in {another} here and in {one} elsewhere; unless its'
            " servers know both, one of the two fails",
            advice="make an upstream for each protocol, with its own ports",
            span=other[1].word.span,
            severity=Severity.INFO if may_be_both else Severity.WARNING,
            related=(Label(usual[1].directive.span, f"spoken to in {one}"),),
        )
