from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.protocol.origin_tls import is_host_name, tls_routes


class SniIsUpstreamName(NginxRule):
    """The name sent in the TLS handshake is that of the upstream block, not of the application.

    ## Problem
    `proxy_ssl_server_name on` sends `proxy_ssl_name`, which is `$proxy_host` by default: the host
    as `proxy_pass` has it. Where that is an upstream block, its name is what the application hears.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3 with `upstream app` before an origin that knows another
    name only: each request became a 502, and none with the right `proxy_ssl_name`.

    ## In the log
    `[error] peer closed connection in SSL handshake while SSL handshaking to upstream`, or an
    alert that names the handshake.

    ## Silent when
    The block's name is a host name with a dot, which may be the right one; gwlint.yaml says that
    the block's name is the certificate's (`tls_name`); `proxy_ssl_name` is set, or may be set in a
    file that could not be read; the servers are on this machine. It is a warning where nothing says
    which name the application has: it may then be one that looks at no SNI.

    ## Fix safety
    Sets `proxy_ssl_name` to the name of the servers, to `tls_name` of gwlint.yaml, or to a fixed
    Host header. What the origin answers may change with its name, so the fix is unsafe. Without
    one known name there is none.

    ## Learnt
    Authors turn SNI on with an upstream block of IP addresses as well; then only they know the
    name.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_name
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_server_name
    """

    code = "NGX604"
    name = "sni-is-upstream-name"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (
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
                        proxy_ssl_server_name on;
                        proxy_set_header Host app.example.com;
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
                upstream app.example.com {
                    server 192.0.2.10:443;
                }
                server {
                    listen 8080;
                    proxy_ssl_server_name on;
                    location / {
                        proxy_pass https://app;
                        proxy_ssl_name app.example.com;
                    }
                    location /other {
                        proxy_pass https://app.example.com;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for tls in tls_routes(config):
            upstream, setting = tls.route.upstream, tls.setting("name")
            if upstream is None or tls.has_own_name or not setting.is_certain:
                continue
            server_name = tls.setting("server_name")
            if server_name.value != "on" or server_name.directive is None:
                continue
            if is_host_name(upstream.name) or tls.stays_on_this_machine:
                continue
            name = tls.known_name
            if name == upstream.name:
                continue
            edits = () if name is None else tls.set_to(name=name)
            yield self.finding(
                tls.route.directive,
                f'the name sent in the TLS handshake (SNI) is "{upstream.name}", the name of the'
                " upstream block, which the application does not know",
                advice=f"set {setting.name} to {name or 'the name in its certificate'}",
                span=tls.route.word.span,
                severity=Severity.WARNING if name is None else Severity.ERROR,
                related=(
                    Label(upstream.directive.span, "its name is sent"),
                    Label(server_name.directive.span, "SNI is turned on here"),
                ),
                fix=Fix(f"send {name} as SNI", Safety.UNSAFE, edits) if edits else None,
            )
