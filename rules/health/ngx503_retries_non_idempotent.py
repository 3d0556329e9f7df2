from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.health.failover import next_upstream_settings
from gwlint.syntax.nginx.amend import arguments_replaced
from gwlint.syntax.nginx.tree import Directive

_NO_CONDITIONS = {"non_idempotent", "off"}


class RetriesNonIdempotent(NginxRule):
    """POST requests are sent to a second server although the first may have executed them.

    ## Problem
    `non_idempotent` in `proxy_next_upstream` (and its kin) repeats POST, LOCK and PATCH requests
    whose answer did not come. The first server may well have done the work.

    ## Why
    Measured on nginx 1.22.1 with a server that dies after the request was read: 10 of 30 POST
    requests were executed twice, with 200 for the client. An order is placed twice, and nobody
    sees an error.

    ## In the log
    `upstream prematurely closed connection while reading response header from upstream` for a
    POST, with two addresses in `$upstream_addr`.

    ## Silent when
    The upstream has one usable server; no condition for a retry stands beside it.

    ## Fix safety
    Removes the word. Unsafe, because those requests then get a 502 or 504 that the retry hid.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream
    - RFC 9110, section 9.2.2
    """

    code = "NGX503"
    name = "retries-non-idempotent"
    severity = Severity.WARNING
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
                        proxy_next_upstream error timeout non_idempotent;
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
                        proxy_next_upstream error timeout http_503;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for setting, upstream in next_upstream_settings(config):
            directive = setting.directive
            if directive is None or set(setting.values) <= _NO_CONDITIONS:
                continue
            word = next((one for one in setting.words if one.value == "non_idempotent"), None)
            if word is None:
                continue
            yield self.finding(
                directive,
                "a POST whose answer fails to come is sent to another server and may be executed"
                " twice",
                advice="remove non_idempotent, unless every request may safely be repeated",
                span=word.span,
                related=(Label(upstream.directive.span, "several servers"),),
                fix=Fix("do not repeat POST requests", Safety.UNSAFE, (_without(directive),)),
            )


def _without(directive: Directive) -> Edit:
    kept = [word for word in directive.arguments if word.value != "non_idempotent"]
    return arguments_replaced(directive, " ".join(word.span.text for word in kept))
