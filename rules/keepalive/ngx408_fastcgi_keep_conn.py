from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.keepalive import has_pool
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.nginx.amend import added_after, replaced


class FastcgiKeepConn(NginxRule):
    """The upstream keeps connections alive, but FastCGI is told to close each one.

    ## Problem
    A FastCGI request carries a flag that says whether the application may keep the connection. It
    is off unless `fastcgi_keep_conn on` sets it, and then `keepalive` in the upstream has no
    effect.

    ## Why
    nginx's documentation of `keepalive` demands it for FastCGI servers. Each request opens a new
    connection, which the line was written to avoid.

    ## In the log
    Nothing is logged.

    ## Silent when
    `keepalive` is missing or 0, or an include that could not be read may turn the flag on.

    ## Fix safety
    Adds `fastcgi_keep_conn on`. Unsafe: a PHP-FPM process serves one connection at a time, so each
    idle connection that is kept holds a process. With a pool of at most `pm.max_children` divided
    by the number of nginx workers it is well; otherwise remove `keepalive`.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_fastcgi_module.html#fastcgi_keep_conn
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive
    """

    code = "NGX408"
    name = "fastcgi-keep-conn"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream php {
                    server 127.0.0.1:9000;
                    keepalive 8;
                }
                server {
                    listen 8080;
                    location ~ [.]php$ {
                        fastcgi_pass php;
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
                upstream php {
                    server 127.0.0.1:9000;
                    keepalive 8;
                }
                server {
                    listen 8080;
                    fastcgi_keep_conn on;
                    location ~ [.]php$ {
                        fastcgi_pass php;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for route in config.passes:
            upstream = route.upstream
            if route.family != "fastcgi" or upstream is None or not has_pool(upstream):
                continue
            flag = route.effective("keep_conn")
            if flag.value == "on" or not flag.is_certain:
                continue
            keepalive = upstream.keepalive
            assert keepalive is not None
            yield self.finding(
                route.directive,
                f'upstream "{upstream.name}" keeps connections alive, but without fastcgi_keep_conn'
                " the application closes each one",
                advice="set fastcgi_keep_conn on, if the application has a process to spare for"
                " each idle connection, or remove keepalive",
                related=(Label(keepalive.span, "the pool that is not used"),),
                fix=_fix(route),
            )


def _fix(route: Pass) -> Fix:
    flag = route.effective("keep_conn")
    if flag.context is route.context and flag.words:
        edit = replaced(flag.words[0], "on")
    else:
        edit = added_after(route.directive, "fastcgi_keep_conn on;")
    return Fix("keep FastCGI connections", Safety.UNSAFE, (edit,))
