from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.upstream import Upstream
from gwlint.rule import Example, Finding, NginxRule, Severity

_OTHER_LANGUAGES = ("lua", "js_", "perl", "mruby")
"""Parts of the names of directives that run code, which may pass requests on as well."""


class UnusedUpstream(NginxRule):
    """No request can reach this upstream.

    ## Problem
    No pass directive of the configuration names it. Either it is a leftover, or the name in a
    `proxy_pass` is another one than was meant.

    ## Why
    Nothing fails by it. But its servers are looked up when nginx starts, and a name among them that
    is no longer known stops the start (measured on nginx 1.22.1 and 1.31.3).

    ## In the log
    Nothing, or `[emerg] host not found in upstream "app" in ...` for one of its servers.

    ## Silent when
    The configuration is a fragment, or includes a file that could not be read; the upstream stands
    in an included file, which other configurations may use; a pass directive holds a variable, or
    code in Lua, JavaScript or Perl could name it.

    ## Fix safety
    There is none: it may be wanted soon.

    ## Learnt
    Files that hold pools for others to include look just like forgotten ones.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#upstream
    """

    code = "NGX111"
    name = "unused-upstream"
    severity = Severity.INFO
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                }
                upstream old {
                    server 127.0.0.1:3001;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
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
                }
                upstream php {
                    server 127.0.0.1:9000;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location /php {
                        fastcgi_pass php;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        unused = [one for one in config.upstreams if one.name and not config.passes_to(one)]
        if not unused or not all(one.is_complete for one in config.main.descendants()):
            return
        if any("$" in route.word.value for route in config.passes):
            return
        named = _other_names(config)
        if named is None:
            return
        for upstream in unused:
            is_here = upstream.directive.source is config.root.main.source
            if is_here and upstream.name.lower() not in named:
                yield self._unused(upstream)

    def _unused(self, upstream: Upstream) -> Finding:
        return self.finding(
            upstream.directive,
            f'nothing passes requests to upstream "{upstream.name}"',
            advice="remove it, or correct the name where it was meant to be used",
            span=upstream.directive.words[1].span,
        )


def _other_names(config: NginxConfig) -> set[str] | None:
    """What stands in pass directives of other modules, such as `redis2_pass`, in lower case.

    None when code in another language may name any upstream.
    """
    names: set[str] = set()
    for _, directive in config.everything():
        if any(part in directive.name for part in _OTHER_LANGUAGES):
            return None
        if directive.name.endswith("_pass"):
            names.update(value.lower() for value in directive.values)
    return names
