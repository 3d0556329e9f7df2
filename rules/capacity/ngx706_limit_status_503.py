from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.capacity.limits import Limits
from gwlint.syntax.nginx.amend import added_after


class LimitStatus503(NginxRule):
    """Requests above a limit are answered 503, as if the service were down.

    ## Problem
    `limit_req_status` and `limit_conn_status` are 503 by default. Alarms on 5xx then ring for a
    client that sends too much, and clients and caches take the service for down.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: the requests refused by `limit_req` and by `limit_conn`
    were 503. 429 (Too Many Requests, RFC 6585) says what it is.

    ## In the log
    `[error] limiting requests, excess: ... by zone "per_ip"` or
    `[error] limiting connections by zone "per_ip"`, and 503 in the access log.

    ## Silent when
    The status is set, be it to 503, or may be set in a file that could not be read.

    ## Fix safety
    Sets 429 beside the limit. Clients that know 503 only may act otherwise: unsafe.

    ## Learnt
    Who sets the status mostly sets it once for http, which covers all limits.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_limit_req_module.html#limit_req_status
    - https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html#limit_conn_status
    - https://www.rfc-editor.org/rfc/rfc6585#section-4
    """

    code = "NGX706"
    name = "limit-status-503"
    severity = Severity.INFO
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                limit_req_zone $binary_remote_addr zone=per_ip:1m rate=10r/s;
                limit_conn_zone $binary_remote_addr zone=addr:1m;
                server {
                    listen 8080;
                    limit_conn addr 20;
                    location / {
                        limit_req zone=per_ip burst=20 nodelay;
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
                limit_req_status 429;
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
        seen: set[tuple[int, str]] = set()
        for use in Limits(config).uses:
            name = f"{use.directive.name}_status"
            if (id(use.context), name) in seen:
                continue
            seen.add((id(use.context), name))
            status = use.context.effective(name)
            if status.is_set or not status.is_certain:
                continue
            is_alone = len(config.contexts_of(use.directive)) == 1
            edit = added_after(use.directive, f"{name} 429;")
            yield self.finding(
                use.directive,
                "what is above the limit is answered 503, which looks like an outage",
                advice=f"set {name} 429",
                fix=Fix("answer 429", Safety.UNSAFE, (edit,)) if is_alone else None,
            )
