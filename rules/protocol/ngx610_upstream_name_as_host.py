from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.protocol.levels import headers_added
from gwlint.rules.protocol.origin_tls import TlsRoute, is_host_name


class UpstreamNameAsHost(NginxRule):
    """The application gets the name of the upstream block as Host.

    ## Problem
    Without `proxy_set_header Host` nginx sends `$proxy_host`, the host as `proxy_pass` has it. For
    an upstream block that is the name its author made up. With an underscore it is no host name
    at all.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: an application that checks the Host header answered 400 to
    each request for `upstream my_app`, and none with Host set. Others build links and redirects
    with the made-up name.

    ## In the log
    Nothing is logged. The access log has the 400 of the application.

    ## Silent when
    Host is set; the block's name is a host name with a dot; a file that could not be read may set
    it. Information only where the name has no underscore.

    ## Fix safety
    Sets Host beside the headers of the route, which are repeated where they come from outside: to
    the host name of the servers where they have one, else to `$host`, the name the client asked
    for. Applications may answer differently: unsafe.

    ## Learnt
    Host may be missing although the server sets it: a location with one header of its own drops
    it (NGX609).

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header
    - https://www.rfc-editor.org/rfc/rfc9110#section-7.2
    """

    code = "NGX610"
    name = "upstream-name-as-host"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream my_app {
                    server 127.0.0.1:3000;
                }
                server {
                    listen 8080;
                    proxy_set_header X-Real-IP $remote_addr;
                    location / {
                        proxy_pass http://my_app;
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
                upstream my_app {
                    server 127.0.0.1:3000;
                }
                server {
                    listen 8080;
                    proxy_set_header Host $host;
                    location / {
                        proxy_pass http://my_app;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for route in config.passes:
            upstream = route.upstream
            if upstream is None or route.family != "proxy" or not route.is_http:
                continue
            headers = route.effective("set_header")
            if route.header("Host") is not None or not headers.is_certain:
                continue
            if headers.context is not None and not headers.context.is_complete:
                continue
            if is_host_name(upstream.name):
                continue
            is_invalid = "_" in upstream.name
            names = TlsRoute(route, config).server_names
            host = names[0] if len(names) == 1 else "$host"
            edit = headers_added(config, route, f"proxy_set_header Host {host};")
            yield self.finding(
                route.directive,
                f'the application gets "Host: {upstream.name}", the name of the upstream block'
                + (", which is no valid host name" if is_invalid else ""),
                advice=f"add proxy_set_header Host {host}",
                span=route.word.span,
                severity=Severity.WARNING if is_invalid else Severity.INFO,
                related=(Label(upstream.directive.span, "the name that is sent"),),
                fix=None if edit is None else Fix("send a Host", Safety.UNSAFE, (edit,)),
            )
