from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.protocol.origin_tls import TLS_FAMILIES


class VerifyWithoutCa(NginxRule):
    """The application's certificate is to be verified, but no authority is trusted.

    ## Problem
    `proxy_ssl_verify on` needs `proxy_ssl_trusted_certificate` in the same place or around it;
    nginx does not use the authorities of the system by itself.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: nginx does not start. That holds for each route with
    https, with TLS in the stream module, and with a variable in its destination, whatever the
    scheme; and for gRPC and uwsgi alike.

    ## In the log
    `[emerg] no proxy_ssl_trusted_certificate for proxy_ssl_verify`

    ## Silent when
    A file that could not be read, or the surroundings of a fragment, may name the authorities; no
    route in reach of the setting uses TLS: nginx starts then (measured).

    ## Fix safety
    There is none: only the author knows which authorities are to be trusted.

    ## Learnt
    `proxy_ssl_verify on` at the http level meets each https route below it, so one missing file
    of authorities stops all sites.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_trusted_certificate
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_verify
    """

    code = "NGX606"
    name = "verify-without-ca"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    proxy_ssl_verify on;
                    location / {
                        proxy_pass https://127.0.0.1:8443;
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
                    listen 8080;
                    location / {
                        proxy_ssl_verify on;
                        proxy_pass http://127.0.0.1:8080$request_uri;
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
                proxy_ssl_verify on;
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:8080;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        seen: set[int] = set()
        for route in config.passes:
            if route.family not in TLS_FAMILIES or not _prepares_tls(route):
                continue
            verify = route.effective("ssl_verify")
            authorities = route.effective("ssl_trusted_certificate")
            directive = verify.directive
            if directive is None or verify.value != "on" or id(directive) in seen:
                continue
            if authorities.is_set or not authorities.is_certain or not verify.is_certain:
                continue
            seen.add(id(directive))
            yield self.finding(
                directive,
                f"the certificate of the application is to be verified, but {authorities.name} is"
                " not set, so nginx does not start",
                advice=f"set {authorities.name} to the file of the authorities to trust",
                related=(Label(route.directive.span, "a route that it holds for"),),
            )


def _prepares_tls(route: Pass) -> bool:
    """Whether nginx makes the route ready for TLS: measured, a variable is enough in http."""
    if not route.is_http:
        return route.effective("ssl").value == "on"
    return route.destination.is_tls or "$" in route.word.value
