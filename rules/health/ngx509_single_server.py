from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.values.address import Address, Family

_Key = tuple[str, int | None]


class SingleServer(NginxRule):
    """Requests have one server to go to: while it restarts, all of them get 502.

    ## Problem
    nginx passes a failed request on to the next server, and here there is none.

    ## Why
    Each deploy, crash or restart of the one server shows as 502 for as long as it lasts. nginx does
    not even take it out: it ignores `max_fails` for a single server.

    ## In the log
    `connect() failed (111: Connection refused) while connecting to upstream`.

    ## Silent when
    The server is a name, which may stand for several addresses; servers come from a file or an
    include that could not be read. An address is named once, however many routes lead there.

    ## Fix safety
    No fix: a second server has to exist first.

    ## Learnt
    10 of 45 findings in real files read, all right: an application on the same machine as a rule,
    where a second server is no need. So this is information.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
    """

    code = "NGX509"
    name = "single-server"
    severity = Severity.INFO
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001 down;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location /api/ {
                        proxy_pass http://192.0.2.1:3000;
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
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location /api/ {
                        proxy_pass http://api.example.org:3000;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        seen: set[_Key] = set()
        for upstream in config.upstreams:
            usable = [server for server in upstream.servers if not server.is_down]
            if len(usable) != 1 or upstream.has_dynamic_servers:
                continue
            key = _key(usable[0].address)
            if key is None:
                continue
            seen.add(key)
            yield self.finding(
                upstream.directive,
                f'upstream "{upstream.name}" has one server, so a request that fails there has no'
                " other to go to",
                advice="add a second server",
                related=(Label(usable[0].directive.span, "the only server"),),
            )
        for route in config.passes:
            key = _key(route.address)
            if key is None or key in seen:
                continue
            seen.add(key)
            yield self.finding(
                route.directive,
                "requests go to one address, so a request that fails there has no other to go to",
                advice="name several servers in an upstream block, and pass there",
                span=route.word.span,
            )


def _key(address: Address | None) -> _Key | None:
    """What makes an address one single server; None for names and variables."""
    if address is None:
        return None
    if address.family is Family.UNIX:
        return None if address.path is None else (address.path, None)
    if address.family not in (Family.IPV4, Family.IPV6) or address.canonical_host is None:
        return None
    return address.canonical_host, address.port
