from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.protocol.origin_tls import tls_routes

_BY_DEFAULT_SINCE = "1.23.4"
_WANTED = "TLSv1.2 TLSv1.3"


class UpstreamTlsProtocols(NginxRule):
    """TLS to the application stops at version 1.2, so one that wants 1.3 cannot be reached.

    ## Problem
    Below nginx 1.23.4 the default of `proxy_ssl_protocols` ends with TLS 1.2; many copied lines
    end there too.

    ## Why
    Measured on nginx 1.22.1 against an origin that accepts TLS 1.3 only: each request became a
    502, and none with TLSv1.3 added. On 1.31.3 the default reaches it.

    ## In the log
    `[error] peer closed connection in SSL handshake while SSL handshaking to upstream`, or
    `SSL_do_handshake() failed (SSL: ... tlsv1 alert protocol version ...) while SSL handshaking to
    upstream`.

    ## Silent when
    TLSv1.3 is named; nothing is set and the target is nginx 1.23.4 or newer; a file that could
    not be read may set it; nothing is set, the target is not known, and the application is on
    this machine.

    ## Fix safety
    Writes `TLSv1.2 TLSv1.3`, the default of newer versions. An application that knows TLS 1.0 or
    1.1 alone is no longer reached where those were allowed: unsafe.

    ## Versions
    TLS 1.3 is among the defaults from nginx 1.23.4 on. Without a target an older version is
    assumed, unless the application is on this machine.

    ## Learnt
    Nearly all origins still accept TLS 1.2, so this is information.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_protocols
    """

    code = "NGX608"
    name = "upstream-tls-protocols"
    severity = Severity.INFO
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass https://192.0.2.10;
                    }
                }
            }
            """,
            target="1.22.1",
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    proxy_ssl_protocols TLSv1 TLSv1.1 TLSv1.2;
                    location / {
                        proxy_pass https://192.0.2.10;
                    }
                }
            }
            """,
            target="1.31.3",
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass https://192.0.2.10;
                        proxy_ssl_protocols TLSv1.2 TLSv1.3;
                    }
                }
            }
            """,
            target="1.22.1",
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass https://192.0.2.10;
                    }
                }
            }
            """,
            target="1.31.3",
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for tls in tls_routes(config):
            setting = tls.setting("protocols")
            if not setting.is_certain:
                continue
            if setting.is_set:
                if "TLSv1.3" in setting.values:
                    continue
                reason = f"{setting.name} names no TLSv1.3"
            else:
                if config.is_at_least(_BY_DEFAULT_SINCE) or tls.stays_on_this_machine:
                    continue
                reason = f"below nginx {_BY_DEFAULT_SINCE} TLS ends with version 1.2 by default"
            edits = tls.set_to(protocols=_WANTED)
            yield self.finding(
                tls.route.directive,
                f"an application that wants TLS 1.3 is not reached: {reason}",
                advice=f"set {setting.name} {_WANTED} (the default from nginx"
                f" {_BY_DEFAULT_SINCE} on)",
                span=tls.route.word.span,
                fix=Fix("allow TLS 1.3", Safety.UNSAFE, edits) if edits else None,
            )
