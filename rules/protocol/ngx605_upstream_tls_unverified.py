from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.protocol.origin_tls import TlsRoute, is_host_name, tls_routes


class UpstreamTlsUnverified(NginxRule):
    """The certificate of the application is not verified, so anyone may answer in its place.

    ## Problem
    `proxy_ssl_verify` is off by default: the connection is encrypted, but to whom is not known.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: an impostor with a certificate that nobody trusts was
    accepted, and all requests answered 200; with verification on, none got through.

    ## In the log
    Nothing is logged. With verification on an impostor shows as
    `upstream SSL certificate verify error: (...) while SSL handshaking to upstream`.

    ## Silent when
    The destination is on this machine, or a file that could not be read may turn verification on.

    ## Fix safety
    Where `proxy_ssl_trusted_certificate` is set and the name that nginx would compare is known,
    verification is turned on, with `proxy_ssl_name` where an upstream block is used. Unsafe: an
    application whose certificate does not hold answers 502 from then on. Without a file of
    authorities there is no fix, since only the author knows which one is meant; nor in a file that
    is included in several places, of which some may have none.

    ## Learnt
    Most real configurations with https origins do not verify, many of them within a private
    network: so this is information, and a warning in the profile security.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_verify
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_trusted_certificate
    """

    code = "NGX605"
    name = "upstream-tls-unverified"
    severity = Severity.INFO
    warns_in_security = True
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        resolver 127.0.0.53;
                        set $api api.example.com;
                        proxy_pass https://$api;
                        proxy_ssl_server_name on;
                        proxy_ssl_name api.example.com;
                        proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
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
                    server 192.0.2.10:443;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass https://api;
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
                    server 192.0.2.10:443;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass https://api;
                        proxy_ssl_name api.example.com;
                        proxy_ssl_server_name on;
                        proxy_ssl_verify on;
                        proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
                    }
                    location /here {
                        proxy_pass https://127.0.0.1:8443;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for tls in tls_routes(config):
            verify = tls.setting("verify")
            if verify.value == "on" or not verify.is_certain or tls.stays_on_this_machine:
                continue
            authorities = tls.setting("trusted_certificate")
            related: tuple[Label, ...] = ()
            advice = f"set {verify.name} on and {authorities.name}"
            if authorities.directive is not None:
                advice = f"set {verify.name} on: without it {authorities.name} verifies nothing"
                related = (Label(authorities.directive.span, "set, but not used to verify"),)
            edits = _edits(tls) if authorities.is_set and not tls.is_shared else ()
            yield self.finding(
                tls.route.directive,
                "the certificate of the application is not verified, so an impostor is accepted",
                advice=advice,
                span=tls.route.word.span,
                related=related,
                fix=Fix("verify the certificate", Safety.UNSAFE, edits) if edits else None,
            )


def _edits(tls: TlsRoute) -> tuple[Edit, ...]:
    """Verification on, where the name to compare is known."""
    if tls.has_own_name:
        return tls.set_to(verify="on")
    name = tls.known_name
    if tls.route.upstream is not None:
        if name is None or name == tls.route.upstream.name:
            return tls.set_to(verify="on") if name else ()
        return tls.set_to(verify="on", name=name)
    return tls.set_to(verify="on") if is_host_name(tls.host) else ()
