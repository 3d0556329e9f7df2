from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.protocol.levels import headers_added
from gwlint.rules.protocol.origin_tls import TlsRoute, is_host_name, is_internal_name
from gwlint.syntax.values.address import Family

_CLIENT = frozenset({"x-forwarded-for", "x-real-ip", "forwarded", "x-client-ip", "true-client-ip"})
_ADDED = (
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
    "proxy_set_header X-Forwarded-Proto $scheme;",
)


class ForwardedHeadersMissing(NginxRule):
    """The application does not learn who the client is, nor that it came by https.

    ## Problem
    To the application every request comes from nginx. Without X-Forwarded-For (or X-Real-IP,
    Forwarded) its logs, limits and links are about nginx; and what a client writes into
    X-Forwarded-For itself is passed on untouched.

    ## Why
    Limits by address in the application then count all clients as one, and the links it builds
    say http where nginx ends TLS.

    ## In the log
    Nothing is logged. The application's log shows one address for all.

    ## Silent when
    One of these headers is set; a file that could not be read may set one; the destination is
    a host name on the Internet, which the client's address is not for; the route speaks no HTTP, or
    passes no headers of the client on (`proxy_pass_request_headers off`).

    ## Fix safety
    Adds X-Forwarded-For with `$proxy_add_x_forwarded_for` and X-Forwarded-Proto with `$scheme`
    (where it is not set) beside the headers of the route. Applications may act on them: unsafe.

    ## Learnt
    36 of 149 findings in real files read, all right. Benchmarks, static sites and object stores
    behind nginx need none of it, so this is information.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#var_proxy_add_x_forwarded_for
    - https://www.rfc-editor.org/rfc/rfc7239
    """

    code = "NGX611"
    name = "forwarded-headers-missing"
    severity = Severity.INFO
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    proxy_set_header Host $host;
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
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for route in config.passes:
            if route.family != "proxy" or not route.is_http or route.destination.is_variable:
                continue
            headers = route.effective("set_header")
            names = {one.values[0].lower() for one in headers.directives if one.values}
            if names & _CLIENT or not headers.is_certain:
                continue
            if headers.context is not None and not headers.context.is_complete:
                continue
            if route.effective("pass_request_headers").value == "off":
                continue
            if any(
                one.family is Family.NAME and _is_public(one.canonical_host or "")
                for one in TlsRoute(route, config).addresses
            ):
                continue
            wanted = _ADDED[:1] if "x-forwarded-proto" in names else _ADDED
            edit = headers_added(config, route, *wanted)
            yield self.finding(
                route.directive,
                "the application does not learn the client's address: no X-Forwarded-For,"
                " X-Real-IP or Forwarded is set, and one from the client passes as it is",
                advice="add proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for"
                " and X-Forwarded-Proto $scheme",
                span=route.word.span,
                fix=None
                if edit is None
                else Fix("pass the client's address on", Safety.UNSAFE, (edit,)),
            )


def _is_public(name: str) -> bool:
    """Whether a name looks like one of the Internet."""
    return is_host_name(name) and not is_internal_name(name)
