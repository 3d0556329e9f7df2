from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.units import bytes_of
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.nginx.amend import replaced

_TOO_LARGE_TO_BUFFER = 1 << 30


class UnbufferedRequestNotRetried(NginxRule):
    """A request body that is not buffered cannot be sent again to the next server.

    ## Problem
    With `proxy_request_buffering off` (and its kin) nginx passes the body on as it comes and keeps
    none of it. When the server fails after the first byte, there is nothing left to send to
    another one.

    ## Why
    Measured on nginx 1.22.1 with one of two servers failing: 30 of 60 requests with a body got 502,
    and none with buffering.

    ## In the log
    `recv() failed (104: Connection reset by peer) while reading response header from upstream` or
    `writev() failed (32: Broken pipe) while sending request to upstream`.

    ## Silent when
    The upstream has one usable server; `client_max_body_size` is 0 or 1g or more, which says that
    bodies are too large to be kept; `next_upstream` is off.

    ## Fix safety
    Writes `on`. Unsafe: an upload then reaches the application only when it is complete, and takes
    room on the disk meanwhile.

    ## Learnt
    A body so small that it arrives together with the headers can be sent again in any case
    (measured on nginx 1.22.1 and 1.31.3): only larger ones are lost.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_request_buffering
    """

    code = "NGX512"
    name = "unbuffered-request-not-retried"
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
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                        proxy_request_buffering off;
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
                    location /upload/ {
                        client_max_body_size 0;
                        proxy_pass http://app;
                        proxy_request_buffering off;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        seen: set[int] = set()
        for route in config.passes:
            upstream = route.upstream
            if upstream is None or not upstream.has_failover or not route.is_http:
                continue
            setting = route.effective("request_buffering")
            directive = setting.directive
            if directive is None or setting.value != "off" or id(directive) in seen:
                continue
            limit = route.context.effective("client_max_body_size")
            size = bytes_of(limit.value or "")
            is_large = size is None or size == 0 or size >= _TOO_LARGE_TO_BUFFER
            if is_large or not limit.is_certain or "off" in route.effective("next_upstream").values:
                continue
            seen.add(id(directive))
            yield self.finding(
                directive,
                f'a request with a body that fails at one server of "{upstream.name}" cannot be'
                " sent to the next one, since its body is not kept",
                advice=f"leave {directive.name} on, unless uploads are too large to be kept",
                related=(Label(upstream.directive.span, "several servers"),),
                fix=Fix(
                    "keep the body for another try",
                    Safety.UNSAFE,
                    (replaced(directive.arguments[0], "on"),),
                ),
            )
