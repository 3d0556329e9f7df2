from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.syntax.nginx.amend import replaced
from gwlint.syntax.values.whole_numbers import whole_number

_ENOUGH = 1000


class KeepaliveRequestsLow(NginxRule):
    """A kept connection is closed after few requests.

    ## Problem
    `keepalive_requests` closes a connection after so many requests, in http to the client, in an
    upstream to the application. The default is 1000 since nginx 1.19.10 and was 100 before.

    ## Why
    Each connection that is closed costs a new one: round trips, and a handshake where it is
    encrypted. A page with its pictures soon has a hundred requests, and HTTP/2 counts each stream.

    ## In the log
    Nothing is logged.

    ## Silent when
    It is not written; it is 0, which turns keep-alive off on purpose.

    ## Fix safety
    Sets 1000, the default of today. Safe: a connection lives longer, nothing else changes.

    ## Versions
    The default is 1000 from nginx 1.19.10 on and 100 before. A number that is written means the
    same in every version.

    ## Learnt
    All 9 findings in published files read, all right; most say 100, which was the default once.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_requests
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_requests
    """

    code = "NGX411"
    name = "keepalive-requests-low"
    severity = Severity.INFO
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                keepalive_requests 50;
                upstream app {
                    server 127.0.0.1:3000;
                    keepalive 16;
                    keepalive_requests 100;
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
                keepalive_requests 10000;
                upstream app {
                    server 127.0.0.1:3000;
                    keepalive 16;
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for context, directive in config.find("keepalive_requests"):
            if not directive.arguments or not directive.values[0].isdecimal():
                continue
            word = directive.arguments[0]
            if not 0 < whole_number(word.value) < _ENOUGH:
                continue
            peer = "the application" if context.kind == "http upstream" else "a client"
            yield self.finding(
                directive,
                f"a connection to {peer} is closed after {word.value} requests",
                advice=f"leave it at its default, {_ENOUGH} (100 below nginx 1.19.10), or raise it",
                span=word.span,
                fix=Fix(
                    "allow more requests on a connection",
                    Safety.SAFE,
                    (replaced(word, str(_ENOUGH)),),
                ),
            )
