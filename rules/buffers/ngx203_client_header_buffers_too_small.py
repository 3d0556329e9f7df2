from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.units import size_of
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.syntax.nginx.amend import replaced

DEFAULT = 8 * 1024
"""Bytes of one of the `large_client_header_buffers` where they are not set."""


class ClientHeaderBuffersTooSmall(NginxRule):
    """Requests with a large cookie or a long URL are refused.

    ## Problem
    The request line and each request header must fit into one of `large_client_header_buffers`. A
    size below the default of 8k refuses requests that any other server takes: four cookies of the
    size that browsers keep (RFC 6265, 6.1: 4096 bytes each), or a token in a header, are above it.

    ## Why
    Measured on nginx 1.22.1: every request with a header line above the size was answered with 400,
    and every one with a request line above it with 414. The application never saw them. Users
    cannot get out of it until they delete their cookies.

    ## In the log
    At level info only, so not with the usual `error_log`: `[info] client sent too long header
    line`, `[info] client sent too long URI`. The access log has 400 or 414 and no upstream.

    ## Silent when
    The size is 8k or more, or not set. `client_header_buffer_size` alone refuses nothing: what does
    not fit there goes to the large buffers.

    ## Fix safety
    Raises the size to 8k and leaves the number. The buffers are allocated only for requests that
    need them.

    ## Learnt
    Sizes of 1k and 2k come from lists of advice on hardening, where they stand beside
    `client_header_buffer_size 1k`.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#large_client_header_buffers
    """

    code = "NGX203"
    name = "client-header-buffers-too-small"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                client_header_buffer_size 1k;
                large_client_header_buffers 2 1k;
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
        Example.nginx("events {}\nhttp { server { large_client_header_buffers 4 4k; } }\n"),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                client_header_buffer_size 1k;
                large_client_header_buffers 4 16k;
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for _, directive in config.find("large_client_header_buffers"):
            arguments = directive.arguments
            size = size_of(arguments[1].value) if len(arguments) == 2 else None
            if size is None or size >= DEFAULT:
                continue
            text = arguments[1].value
            yield self.finding(
                directive,
                f"a request whose URL or one of whose headers, a cookie as a rule, is larger than"
                f" {text} is refused with 414 or 400",
                advice="set the size to 8k, the default, or more",
                span=arguments[1].span,
                fix=Fix(
                    "make room for usual cookies", Safety.SAFE, (replaced(arguments[1], "8k"),)
                ),
            )
