from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.syntax.nginx.amend import added_inside, arguments_replaced

_SHOWING = frozenset({"on", "build"})


class VersionShown(NginxRule):
    """Each answer and error page tells the version of nginx.

    ## Problem
    `server_tokens` is on, which is the default.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: the header said Server: nginx/1.22.1, and with
    `server_tokens off` Server: nginx. Who looks for servers with a known hole reads the version;
    the hole itself stays.

    ## In the log
    Nothing.

    ## Silent when
    It is off, a text or a variable somewhere that holds for the server; `more_set_headers` or
    `more_clear_headers` treats the header; the file is a fragment, or a file that could not be read
    may set it. One finding for the default.

    ## Fix safety
    Sets it off. Safe: only the version goes from the header and from error pages.

    ## Learnt
    Nearly no real file sets it, and scanners complain about it first: information.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#server_tokens
    """

    code = "NGX813"
    name = "version-shown"
    severity = Severity.INFO
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                server_tokens off;
                server {
                    listen 8080;
                    server_tokens on;
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
                server_tokens off;
                server {
                    listen 8080;
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        if any(True for _ in config.find("more_set_headers", "more_clear_headers")):
            return
        seen: set[int] = set()
        for _, directive in config.find("server_tokens"):
            if (
                directive.values[:1]
                and directive.values[0] in _SHOWING
                and id(directive) not in seen
            ):
                seen.add(id(directive))
                yield self.finding(
                    directive,
                    "answers and error pages tell the version of nginx",
                    advice="use 'server_tokens off'",
                    span=directive.words[1].span,
                    fix=Fix(
                        "hide the version", Safety.SAFE, (arguments_replaced(directive, "off"),)
                    ),
                )
        for context, directive in config.find("http"):
            http = next((one for one in context.children if one.directive is directive), None)
            servers = [] if http is None else [c for c in http.children if c.kind == "http server"]
            if http is None or not http.is_certain or http.own("server_tokens"):
                continue
            if any(not one.is_complete or one.own("server_tokens") for one in servers):
                continue
            if servers:
                edit = added_inside(directive, "server_tokens off;")
                yield self.finding(
                    directive,
                    "answers and error pages tell the version of nginx, which is the default",
                    advice="set 'server_tokens off' in the http block",
                    span=directive.words[0].span,
                    fix=Fix("hide the version", Safety.SAFE, (edit,)),
                )
