from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.protocol.origin_tls import TlsRoute, is_host_name, tls_routes
from gwlint.syntax.values.address import Family


class VerifyNameMismatch(NginxRule):
    """The application's certificate is compared with a name that it hardly has.

    ## Problem
    With `proxy_ssl_verify on` the certificate has to hold `proxy_ssl_name`, by default the host of
    `proxy_pass`. Where that is an upstream block, it is the name of the block; where it is an IP
    address, it is compared with the DNS names of the certificate only.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: `upstream app` before an origin with a certificate for
    another name gave a 502 for each request, and so did `https://127.0.0.1` before a certificate
    with that address as an IP entry. With the right `proxy_ssl_name` all were answered.

    ## In the log
    `[error] upstream SSL certificate does not match "app" while SSL handshaking to upstream`

    ## Silent when
    `proxy_ssl_name` is set, and gwlint.yaml says nothing else; the upstream block's name is a host
    name with a dot; verification is off, or files that could not be read may say otherwise.
    An IP address is reported as info: the certificate may have it as its common name, which is
    accepted.

    ## Fix safety
    Sets `proxy_ssl_name` to the name of the servers, to `tls_name` of gwlint.yaml or to a fixed
    Host header. With SNI on, the application is told that name too, so the fix is unsafe.

    ## Learnt
    Few real configurations verify at all; those that do mostly set the name as well.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_verify
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_name
    """

    code = "NGX607"
    name = "verify-name-mismatch"
    severity = Severity.WARNING
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
                        proxy_ssl_verify on;
                        proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
                        proxy_set_header Host app.example.com;
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
                        proxy_pass https://192.0.2.10;
                        proxy_ssl_verify on;
                        proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
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
                        proxy_ssl_name app.example.com;
                        proxy_ssl_verify on;
                        proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for tls in tls_routes(config):
            verify, setting = tls.setting("verify"), tls.setting("name")
            if verify.value != "on" or not verify.is_certain or not setting.is_certain:
                continue
            # Without authorities nginx does not start, which NGX606 says.
            if not tls.setting("trusted_certificate").is_set:
                continue
            mismatch = _mismatch(tls)
            if mismatch is None:
                continue
            name = tls.known_name
            edits = () if name is None else tls.set_to(name=name)
            yield self.finding(
                tls.route.directive,
                f'the certificate of the application is compared with "{mismatch.name}",'
                f" {mismatch.reason}, and a mismatch is a 502",
                advice=f"set {setting.name} to {name or 'the name in the certificate'}",
                span=tls.route.word.span,
                severity=mismatch.severity,
                fix=Fix(f"expect {name}", Safety.UNSAFE, edits) if edits else None,
            )


@dataclass(frozen=True, slots=True)
class _Mismatch:
    name: str
    reason: str
    severity: Severity = Severity.WARNING


def _mismatch(tls: TlsRoute) -> _Mismatch | None:
    """The name that nginx looks for, when it is one that the certificate hardly has."""
    known = tls.known_name
    if tls.has_own_name:
        return None
    upstream = tls.route.upstream
    if upstream is not None:
        if upstream.name == known or is_host_name(upstream.name):
            return None
        return _Mismatch(upstream.name, "the name of the upstream block")
    address = tls.route.address
    if address is None or address.family not in (Family.IPV4, Family.IPV6):
        return None
    reason = "an address, for which IP entries of the certificate do not count"
    return _Mismatch(tls.host, reason, Severity.WARNING if known else Severity.INFO)
