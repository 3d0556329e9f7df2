from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.addresses.placeholders import placeholder_reason
from gwlint.rules.addresses.targets import targets
from gwlint.syntax.values.address import Family


class PlaceholderAddress(NginxRule):
    """The destination is an address from a manual that was never filled in.

    ## Problem
    192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32 and the names example.com,
    example.net, example.org, .example and .invalid are reserved for documentation: no service of
    yours can be there. `YOUR_SERVER` and the like wait for a name. 0.0.0.0 is an address to listen
    on, none to connect to.

    ## Why
    An address of these ranges is routed nowhere, so the connection times out: 504. A name that
    cannot be looked up stops nginx from starting (measured on nginx 1.22.1). Linux takes 0.0.0.0
    for the machine itself (measured), so it works by chance; other systems refuse it.

    ## In the log
    `upstream timed out (110: Connection timed out) while connecting to upstream`, or at start
    `[emerg] host not found in upstream "your-server" in ...`.

    ## Silent when
    The server is marked `down`. A literal 0.0.0.0 is info only.

    ## Fix safety
    There is none: only the operator knows the address.

    ## Learnt
    Manuals write `<hostname>`, which nginx takes for a name until it looks it up.

    ## References
    - https://www.rfc-editor.org/rfc/rfc5737
    - https://www.rfc-editor.org/rfc/rfc2606
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
    """

    code = "NGX112"
    name = "placeholder-address"
    severity = Severity.WARNING
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 192.0.2.10:3000;
                    server [2001:db8::1]:3000;
                    server 0.0.0.0:3000;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location /api/ {
                        proxy_pass http://api.example.com:3000/;
                    }
                    location /other/ {
                        proxy_pass http://YOUR_SERVER:3000/;
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
                    server 10.0.0.1:3000;
                    server 192.0.2.10:3000 down;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location /api/ {
                        proxy_pass http://api.internal:3000/;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for target in targets(config):
            if target.server is not None and target.server.is_down:
                continue
            if target.address.family is Family.IPV4 and target.host == "0.0.0.0":
                yield self.finding(
                    target.directive,
                    "0.0.0.0 is an address to listen on; Linux connects to the machine itself"
                    " instead, other systems refuse",
                    advice="write 127.0.0.1, or the address of the server",
                    span=target.host_span,
                    severity=Severity.INFO,
                )
                continue
            reason = placeholder_reason(target.address)
            if reason is not None:
                yield self.finding(
                    target.directive,
                    f'"{target.address.host}" {reason}, so no request gets an answer from there',
                    advice="write the address of the service",
                    span=target.host_span,
                )
