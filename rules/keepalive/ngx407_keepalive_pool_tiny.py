from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.keepalive.pool import POOL_SIZE
from gwlint.syntax.nginx.amend import replaced
from gwlint.syntax.values.whole_numbers import whole_number


class KeepalivePoolTiny(NginxRule):
    """The pool keeps fewer idle connections than there are servers.

    ## Problem
    `keepalive` says how many idle connections one worker keeps for all servers of the upstream
    together. With fewer than one for each server, nearly each request throws one out.

    ## Why
    Measured on nginx 1.22.1 with a pool that was smaller than the requests at a time: 9000 requests
    opened 2000 to 2400 connections to the application, against 16 with a pool that was large
    enough.

    ## In the log
    Nothing is logged. The application sees many short connections.

    ## Silent when
    `keepalive 0` turns the pool off; servers come from a file or an include that could not be read.
    Servers that are down or only a backup do not count.

    ## Fix safety
    Raises it to 32, the default of nginx 1.29.7 and newer, or to two for each server. Unsafe,
    because the application has to bear more open connections.

    ## Versions
    The same in every version. 32 is the default from nginx 1.29.7 on; before, there is no pool
    without `keepalive`.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive
    """

    code = "NGX407"
    name = "keepalive-pool-tiny"
    severity = Severity.INFO
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001;
                    server 127.0.0.1:3002;
                    keepalive 2;
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
                    server 127.0.0.1:3002 backup;
                    keepalive 2;
                }
                upstream other {
                    server 127.0.0.1:3003;
                    server 127.0.0.1:3004;
                    keepalive 0;
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for upstream in config.upstreams:
            keepalive = upstream.keepalive
            if keepalive is None or upstream.has_dynamic_servers or not keepalive.arguments:
                continue
            word = keepalive.arguments[0]
            size = whole_number(word.value) if word.value.isdecimal() else 0
            used = [one for one in upstream.servers if not one.is_down and not one.is_backup]
            if not 0 < size < len(used):
                continue
            wanted = str(max(POOL_SIZE, 2 * len(used)))
            yield self.finding(
                keepalive,
                f"each worker keeps {size} idle {'connection' if size == 1 else 'connections'} for"
                f" {len(used)} servers, so most requests open a new one",
                advice=f"keep at least two for each server, such as keepalive {wanted}",
                span=word.span,
                related=(Label(used[-1].directive.span, f"the last of {len(used)} servers"),),
                fix=Fix("keep more connections", Safety.UNSAFE, (replaced(word, wanted),)),
            )
