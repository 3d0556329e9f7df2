from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.syntax.nginx.amend import replaced


class PassiveChecksOff(NginxRule):
    """With `max_fails=0` nginx never takes a dead server out of the rotation.

    ## Problem
    `max_fails=0` turns off the only health check that open source nginx has. A server that is gone
    goes on receiving its share of the requests.

    ## Why
    Measured on nginx 1.22.1 with one black-holed server of three: 20 of 60 requests waited for the
    connect timeout, against 1 of 60 with the default.

    ## In the log
    `upstream timed out (110: Connection timed out) while connecting to upstream`, again and again
    for the same server.

    ## Silent when
    The upstream has one usable server: nginx ignores `max_fails` there. The configuration uses
    `health_check` of NGINX Plus, which takes dead servers out by itself.

    ## Fix safety
    Sets `max_fails=3`: one failed request does not take a server out, a dead one leaves within
    three. Unsafe, because a server that fails often is left out for `fail_timeout` (10s unless
    set).

    ## Learnt
    All 7 findings in published files read: 2 right, both in a contest entry. The others turn
    passive checks off because `health_check` stands beside them, hence the silence about it.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
    """

    code = "NGX501"
    name = "passive-checks-off"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000 max_fails=0;
                    server 127.0.0.1:3001;
                    server 127.0.0.1:3002;
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
                    server 127.0.0.1:3000 max_fails=3;
                    server 127.0.0.1:3001;
                }
                upstream one {
                    server 127.0.0.1:3003 max_fails=0;
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        if any(config.find("health_check")):
            return
        for upstream in config.upstreams:
            if not upstream.has_failover:
                continue
            for server in upstream.servers:
                word = server.parameter("max_fails")
                if word is None or server.max_fails != 0 or server.is_down:
                    continue
                yield self.finding(
                    server.directive,
                    "max_fails=0 keeps this server in rotation when it is dead, and its share of"
                    " requests waits for the connect timeout",
                    advice="set max_fails to a small number such as 3, or leave it out",
                    span=word.span,
                    fix=Fix("count failures", Safety.UNSAFE, (replaced(word, "max_fails=3"),)),
                )
