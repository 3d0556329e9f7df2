from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.capacity.limits import Limits, Use, parameter
from gwlint.source import decode
from gwlint.syntax.nginx.amend import replaced

_LEAST_BURST = 20
_SLOW_BURST = 5


class LimitWithoutBurst(NginxRule):
    """A request limit without a burst refuses every second request of a normal page.

    ## Problem
    nginx counts in milliseconds: `rate=10r/s` is one request each 100 ms. Without `burst` the
    second request within that time is refused, although the client is far below its rate.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: of 60 requests in quick succession 57 got a 503, and none
    with a burst.

    ## In the log
    `[error] limiting requests, excess: ... by zone "per_ip"`

    ## Silent when
    `burst` is set; `limit_req_dry_run` is on. A rate by the minute is information: such limits
    guard logins, and few requests come in a row there.

    ## Fix safety
    Adds `burst` with two seconds' worth of requests, at least 20 (5 for a rate by the minute), and
    `nodelay`. It lets more requests through: unsafe.

    ## Learnt
    For a rate by the minute the burst is nearly the whole limit, so it stays small.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_limit_req_module.html#limit_req
    """

    code = "NGX704"
    name = "limit-without-burst"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                limit_req_zone $binary_remote_addr zone=per_ip:1m rate=10r/s;
                server {
                    listen 8080;
                    location / {
                        limit_req zone=per_ip;
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
                limit_req_zone $binary_remote_addr zone=login:1m rate=5r/m;
                server {
                    listen 8080;
                    location /login {
                        limit_req zone=login nodelay;
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
                limit_req_zone $binary_remote_addr zone=per_ip:1m rate=10r/s;
                server {
                    listen 8080;
                    location / {
                        limit_req zone=per_ip burst=20 nodelay;
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for use in Limits(config).uses:
            if use.directive.name != "limit_req" or parameter(use.directive, "burst") is not None:
                continue
            if use.context.effective("limit_req_dry_run").value == "on":
                continue
            rate = None if use.zone is None else use.zone.rate
            if use.zone is None or rate is None:
                continue
            count, unit = rate
            milliseconds = (1000 if unit == "s" else 60_000) // max(count, 1)
            burst = _SLOW_BURST if unit == "m" else max(2 * count, _LEAST_BURST)
            yield self.finding(
                use.directive,
                f'"{use.name}" allows one request each {milliseconds} ms, and without a burst a'
                " second one within that time is refused",
                advice=f"add burst={burst} nodelay",
                severity=Severity.INFO if unit == "m" else Severity.WARNING,
                related=(Label(use.zone.directive.span, "the rate"),),
                fix=Fix("allow a burst", Safety.UNSAFE, (replaced(use.word, _with(use, burst)),)),
            )


def _with(use: Use, burst: int) -> str:
    """The zone's word with the burst behind it, and nodelay unless a delay is chosen."""
    added = f"{decode(use.word.raw)} burst={burst}"
    chooses = any(
        word.value == "nodelay" or word.value.startswith("delay=")
        for word in use.directive.arguments
    )
    return added if chooses else f"{added} nodelay"
