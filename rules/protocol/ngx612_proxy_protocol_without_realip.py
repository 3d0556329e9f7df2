from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.nginx.tree import Directive


class ProxyProtocolWithoutRealip(NginxRule):
    """The PROXY protocol brings the client's address, and nothing uses it.

    ## Problem
    `listen ... proxy_protocol` puts the client's address into `$proxy_protocol_addr` only.
    `$remote_addr` stays the address of the load balancer unless `real_ip_header proxy_protocol`
    and `set_real_ip_from` are set: both are needed.

    ## Why
    The log, X-Forwarded-For, `allow`, `deny` and all limits by address then see one client, the
    load balancer.

    ## In the log
    Nothing is logged. The access log has the load balancer's address in each line.

    ## Silent when
    `$proxy_protocol_addr` is used anywhere but in a log format; the server passes no request on;
    a file that could not be read may set the two directives; the stream module.

    ## Fix safety
    There is none: only the author knows the addresses of the load balancer.

    ## Learnt
    Many who forget one of the two forget `set_real_ip_from`; `real_ip_header` alone does nothing.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_realip_module.html
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#listen
    """

    code = "NGX612"
    name = "proxy-protocol-without-realip"
    severity = Severity.WARNING
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080 proxy_protocol;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                real_ip_header proxy_protocol;
                server {
                    listen 8080 proxy_protocol;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
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
                server {
                    listen 8080 proxy_protocol;
                    real_ip_header proxy_protocol;
                    set_real_ip_from 10.0.0.0/8;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080 proxy_protocol;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_set_header X-Real-IP $proxy_protocol_addr;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        passing = {id(route.context.within("http server")) for route in config.passes}
        listening = [
            (context, directive)
            for context, directive in config.find("listen")
            if context.kind == "http server"
            and id(context) in passing
            and "proxy_protocol" in directive.values[1:]
        ]
        if not listening or _uses_address(config):
            return
        judged: set[int] = set()
        for server, listen in listening:
            if id(server) not in judged:
                judged.add(id(server))
                yield from self._server(server, listen)

    def _server(self, server: Context, listen: Directive) -> Iterator[Finding]:
        header = server.effective("real_ip_header")
        trusted = server.effective("set_real_ip_from")
        is_used = header.is_set and header.value == "proxy_protocol"
        if not header.is_certain or not trusted.is_certain or (is_used and trusted.is_set):
            return
        # A client's address that comes in another header is somebody's decision.
        if header.is_set and not is_used:
            return
        missing = [
            text
            for is_missing, text in (
                (not is_used, "real_ip_header proxy_protocol"),
                (not trusted.is_set, "set_real_ip_from"),
            )
            if is_missing
        ]
        word = next(one for one in listen.words if one.value == "proxy_protocol")
        related = (Label(header.directive.span, "no effect alone"),) if header.directive else ()
        yield self.finding(
            listen,
            "the client's address comes in the PROXY protocol but is not used: logs, limits and"
            " X-Forwarded-For see the load balancer",
            advice=f"add {' and '.join(missing)} with the addresses of the load balancer",
            span=word.span,
            related=related,
        )


def _uses_address(config: NginxConfig) -> bool:
    """Whether `$proxy_protocol_addr` decides or passes on anything; log formats do not count."""
    return any(
        "proxy_protocol_addr" in value
        for _, directive in config.everything()
        if directive.name != "log_format"
        for value in directive.values
    )
