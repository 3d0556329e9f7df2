from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.security.access import asks_for_credentials
from gwlint.syntax.nginx.amend import added_after
from gwlint.syntax.nginx.tree import Directive


class AllowWithoutDeny(NginxRule):
    """Addresses are allowed, and nobody is refused.

    ## Problem
    A level has `allow` and no `deny`. What no line names is let in; and the list takes the place of
    the outer one.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: with `allow 10.0.0.1` alone a client of another address got
    200, and so it did with `deny all` in the outer block; with `deny all` behind it got 403.

    ## In the log
    `"GET /admin HTTP/1.1" 200`

    ## Silent when
    A `deny` stands in the level or in a file that it includes; a file that could not be read may
    hold one; `satisfy any` hands who is not allowed on to a password; `allow all` opens a level on
    purpose.

    ## Fix safety
    Adds `deny all`. Unsafe: who came in without being named is refused, which was meant.

    ## Learnt
    The `deny all` is often there, commented out since somebody was refused.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_access_module.html
    """

    code = "NGX815"
    name = "allow-without-deny"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    root /srv;
                    location /admin {
                        allow 10.0.0.0/8;
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
                    root /srv;
                    deny 192.0.2.0/24;
                    location /admin {
                        allow 10.0.0.0/8;
                        deny all;
                    }
                    location /public {
                        allow all;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        seen: set[int] = set()
        for level, directive in config.find("allow"):
            if id(level) in seen:
                continue
            seen.add(id(level))
            if level.own("deny") or not level.is_complete:
                continue
            allowed = level.own("allow")
            if any(one.values[:1] == ["all"] for one in allowed) or _asks_others(level):
                continue
            yield self._found(level, directive, allowed)

    def _found(self, level: Context, directive: Directive, allowed: list[Directive]) -> Finding:
        outer = next((o.own("deny") for o in level.outward() if o.own("deny")), [])
        own = [one for one in allowed if one.parent is level.directive]
        fix = None
        if own:
            fix = Fix("refuse all others", Safety.UNSAFE, (added_after(own[-1], "deny all;"),))
        lost = ", and the outer deny does not hold here" if outer else ""
        return self.finding(
            directive,
            f"addresses that are not listed here are let in as well{lost}",
            advice="add 'deny all;' behind the last allow",
            span=directive.words[0].span,
            related=tuple(Label(one.span, "this does not hold inside") for one in outer[:1]),
            fix=fix,
        )


def _asks_others(level: Context) -> bool:
    """Whether `satisfy any` makes who is not allowed show a password."""
    satisfy = level.effective("satisfy")
    if not satisfy.is_certain:
        return True
    return satisfy.value == "any" and asks_for_credentials(level)
