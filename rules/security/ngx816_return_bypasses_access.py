from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.nginx.tree import Directive

_CHECKS = ("deny", "auth_basic", "auth_request", "auth_jwt")


class ReturnBypassesAccess(NginxRule):
    """The answer is given before anybody is asked who he is.

    ## Problem
    `return` stands in a block with `deny`, `auth_basic` or `auth_request`.

    ## Why
    nginx rewrites before it checks access. Measured on nginx 1.22.1 and 1.31.3: with `deny all` and
    `return 200` in one location everybody got 200, and so with `auth_basic`.

    ## In the log
    `"GET /status HTTP/1.1" 200`

    ## Silent when
    The code is 4xx or 5xx, which gives nothing away, or a redirect; `return` stands in an `if`; the
    checks stand in an outer block only, or are off.

    ## Fix safety
    None: the text has to come from somewhere else, such as a file or `try_files`.

    ## Learnt
    Mostly small health or status answers.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#return
    - https://nginx.org/en/docs/dev/development_guide.html#http_phases
    """

    code = "NGX816"
    name = "return-bypasses-access"
    severity = Severity.WARNING
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location /status {
                        allow 10.0.0.0/8;
                        deny all;
                        return 200 "up";
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
                server {
                    listen 8080;
                    location /status {
                        return 200 "up";
                    }
                    location /closed {
                        deny all;
                        return 404;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for level, directive in config.find("return"):
            check = _check_of(level)
            if check is None or not directive.values or not directive.values[0].startswith("2"):
                continue
            yield self.finding(
                directive,
                f"everybody gets this answer: {check.name} is asked later than return",
                advice="serve the text from a file, or drop the check",
                span=directive.words[0].span,
                related=(Label(check.span, "this has no effect on the answer"),),
            )


def _check_of(level: Context) -> Directive | None:
    if level.kind not in ("location", "http server"):
        return None
    for name in _CHECKS:
        for one in level.own(name):
            if one.values[:1] != ["off"]:
                return one
    return None
