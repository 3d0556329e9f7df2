from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.protocol.origin_tls import TlsRoute, is_host_name, is_internal_name, tls_routes

_VARIABLE = re.compile(r".*\$(?:\{\w+\}|\w+)((?:\.[A-Za-z0-9-]+)+)")


class UpstreamTlsWithoutSni(NginxRule):
    """TLS to a named application without telling it the name, so it may refuse or answer wrongly.

    ## Problem
    `proxy_ssl_server_name` is off by default: nginx sends no SNI. A server that holds several
    certificates, as every CDN and cloud balancer does, cannot tell which one is meant. The same
    holds for `grpc_ssl_server_name`, `uwsgi_ssl_server_name` and the stream module.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3 against an origin that requires SNI: each request became a
    502, and none once it was on. Other origins answer with their default certificate and site.

    ## In the log
    `[error] peer closed connection in SSL handshake while SSL handshaking to upstream`, or an
    alert that names the handshake.

    ## Silent when
    The destination is an IP address, a socket, `localhost` or a name without a dot; it is a
    variable of which no part is a domain; an upstream block has no server with a host name and
    nothing else says which name is meant; a file that could not be read may set it. Names of
    private networks (.local, .internal, .svc, ...) are reported as info: such servers seldom need
    SNI.

    ## Fix safety
    Turns `proxy_ssl_server_name` on. For an upstream block it also sets `proxy_ssl_name`, because
    the name sent would be that of the block; the name is that of its servers, or of `tls_name` in
    gwlint.yaml. An origin that needs no SNI goes on as before: safe.

    ## Learnt
    Where an upstream holds servers of several names, no single proxy_ssl_name is right for all of
    them, so there is no fix.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_server_name
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_name
    """

    code = "NGX603"
    name = "upstream-tls-without-sni"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                resolver 127.0.0.53;
                server {
                    listen 8080;
                    location / {
                        set $region eu;
                        proxy_pass https://$region.api.example.com;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                upstream api {
                    server 203.0.113.10:443;
                }
                server {
                    listen 8080;
                    proxy_ssl_server_name off;
                    location / {
                        proxy_pass https://api;
                        proxy_set_header Host api.example.com;
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
                upstream api {
                    server 203.0.113.10:443;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass https://api;
                        proxy_ssl_server_name on;
                        proxy_ssl_name api.example.com;
                        proxy_set_header Host api.example.com;
                    }
                    location /local {
                        proxy_pass https://127.0.0.1:8443;
                    }
                    location /unnamed {
                        proxy_pass https://api;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for tls in tls_routes(config):
            setting = tls.setting("server_name")
            if setting.value == "on" or not setting.is_certain:
                continue
            name = _name(tls)
            if name is None:
                continue
            edits = _edits(tls)
            yield self.finding(
                tls.route.directive,
                f'nginx speaks TLS to "{name}" without saying the name in the handshake (SNI), so'
                " a server with several certificates refuses or uses the wrong one",
                advice=f"set {setting.name} on" + _name_advice(tls),
                span=tls.route.word.span,
                severity=Severity.INFO if is_internal_name(name) else Severity.WARNING,
                fix=Fix("send the name (SNI)", Safety.SAFE, edits) if edits else None,
            )


def _name(tls: TlsRoute) -> str | None:
    """The name the origin is known by; None when it has none, or nothing tells."""
    own = tls.setting("name")
    if tls.has_own_name:
        value = own.value or ""
        return value if own.is_certain and is_host_name(value) else None
    if tls.route.upstream is not None:
        return tls.known_name or ", ".join(tls.server_names) or None
    host = tls.host
    domain = _VARIABLE.fullmatch(host)
    # A variable with a domain behind it cannot become an IP address.
    return host if is_host_name(f"x{domain[1]}" if domain else host) else None


def _name_advice(tls: TlsRoute) -> str:
    if tls.route.upstream is None or tls.has_own_name:
        return ""
    name = tls.known_name
    return f", and {tls.setting('name').name} to " + (
        name or "the name of the server: by default it is that of the upstream block"
    )


def _edits(tls: TlsRoute) -> tuple[Edit, ...]:
    if tls.route.upstream is None or tls.has_own_name:
        return tls.set_to(server_name="on")
    name = tls.known_name
    return () if name is None else tls.set_to(server_name="on", name=name)
