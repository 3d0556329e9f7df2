from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.upstream import DEFAULT_FAIL_TIMEOUT
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.addresses.listeners import Listeners
from gwlint.rules.addresses.targets import Target, part_of, targets
from gwlint.syntax.values.address import Address, Family


class NameWithSeveralAddresses(NginxRule):
    """`localhost` as a destination is two servers to nginx, ::1 and 127.0.0.1.

    ## Problem
    nginx makes one server of each address that a name has when it starts. Most hosts files give
    `localhost` both ::1 and 127.0.0.1, while most applications listen on one of them only.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3 with a name of two addresses and an application on one: the
    other address fails from the beginning, and since there are now two servers, one failure of the
    application makes nginx answer 502 to everything for fail_timeout (10 s). A single server is
    never taken out.

    ## In the log
    `connect() failed (111: Connection refused) while connecting to upstream`, with [::1] in the
    upstream address, then `no live upstreams while connecting to upstream`.

    ## Silent when
    A server of this configuration listens on the port at [::] or [::1] as well; the server is
    marked `down`. Machines without IPv6 give `localhost` one address; the configuration cannot
    show that. It is info where one failure does not take everything out: beside other servers, or
    with another `max_fails` than 1. The address without the application then costs a try that fails
    now and then.

    ## Fix safety
    Writes 127.0.0.1. Unsafe, because the application may listen on ::1 only, and the Host header
    that nginx sends by default changes with it.

    ## Learnt
    10 of 31 findings in real files read: 2 right. The others had several applications by that name
    in one upstream, where one failure does not lead to 502: those are info now. Files that pass to
    a server of their own by `localhost` mostly let it listen on IPv4 only.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
    """

    code = "NGX108"
    name = "name-with-several-addresses"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server localhost:3000;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location /php {
                        fastcgi_pass localhost:9000;
                    }
                    location /api/ {
                        proxy_pass http://localhost:3001/;
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
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location /six/ {
                        proxy_pass http://[::1]:3001/;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        listeners = config.once(Listeners)
        for target in targets(config):
            if target.host != "localhost" or (target.server and target.server.is_down):
                continue
            if listeners.reached_by(Address("[::1]", Family.IPV6, "::1", target.address.port)):
                continue
            span = part_of(target.word, target.address.host or "")
            fix = None
            if span is not None:
                fix = Fix("name the address", Safety.UNSAFE, (Edit(span, "127.0.0.1"),))
            seconds = _outage(target)
            yield self.finding(
                target.directive,
                "localhost is both ::1 and 127.0.0.1 on most machines, so nginx sees two servers;"
                " with the application on one of them, "
                + (
                    "the other is tried in vain again and again"
                    if seconds is None
                    else f"one failure gives 502 for fail_timeout ({seconds:g} s)"
                ),
                advice="write the address on which the application listens, such as 127.0.0.1",
                severity=Severity.INFO if seconds is None else Severity.WARNING,
                span=target.host_span,
                fix=fix,
            )


def _outage(target: Target) -> float | None:
    """Seconds of 502 after one failure of the application; None where others are left to try."""
    server, upstream = target.server, target.upstream
    if server is None or upstream is None:
        return DEFAULT_FAIL_TIMEOUT
    if upstream.has_failover or upstream.has_dynamic_servers or server.max_fails != 1:
        return None
    return server.fail_timeout or None
