from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.effective import Effective
from gwlint.model.nginx.keepalive import POOL_BY_DEFAULT_SINCE
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.protocol.inherited_lists import (
    MOST_REPEATED,
    is_alike,
    not_repeated,
    shown,
    written_in,
)
from gwlint.rules.protocol.levels import added, statement_text
from gwlint.syntax.nginx.amend import added_after
from gwlint.syntax.nginx.tree import Directive

_LISTS = {
    "proxy": "set_header",
    "grpc": "set_header",
    "fastcgi": "param",
    "uwsgi": "param",
    "scgi": "param",
}
"""Family -> the directive whose list an inner level replaces."""

_DEFAULTS = {"host": "$proxy_host", "connection": "close"}
"""What is sent anyway: losing these changes nothing."""

_LABELS = 3


class InheritedHeadersLost(NginxRule):
    """One header set in an inner block drops all the headers that the outer block sets.

    ## Problem
    `proxy_set_header` is inherited only by a block that sets none itself. The same holds for
    `grpc_set_header`, `fastcgi_param`, `uwsgi_param` and `scgi_param`.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: a location with one header of its own sent the name of
    the upstream as Host, which the application refused (421 for each request), and its
    keep-alive pool was lost with the Connection header.

    ## In the log
    Nothing is logged. The application sees other headers than the outer block says.

    ## Silent when
    The inner block sets all the headers that the outer one does; what is lost is what nginx sends
    by default; a file that could not be read may repeat them; no route uses the inner block.

    ## Fix safety
    Repeats the lost ones beside those of the inner block. Unsafe, since dropping them may have
    been intended. There is none for a file whose includers set different headers.

    ## Versions
    From nginx 1.29.7 on a lost `Connection ""` does not count: no Connection header is sent by
    default.

    ## Learnt
    Typical places are locations for web sockets, which set Upgrade and Connection and lose Host
    and X-Forwarded-For, and PHP locations, which set SCRIPT_FILENAME and lose all parameters.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header
    - https://nginx.org/en/docs/http/ngx_http_fastcgi_module.html#fastcgi_param
    """

    code = "NGX609"
    name = "inherited-headers-lost"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    proxy_set_header Host $host;
                    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                    location /ws {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection "upgrade";
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    root /srv;
                    fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
                    location / {
                        fastcgi_param HTTPS on;
                        fastcgi_pass 127.0.0.1:9000;
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
                    proxy_set_header Host $host;
                    location /ws {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_http_version 1.1;
                        proxy_set_header Host $host;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection "upgrade";
                    }
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        seen: set[tuple[int, str]] = set()
        for route in config.passes:
            suffix = _LISTS.get(route.family)
            if suffix is None or not route.is_http:
                continue
            inner = route.effective(suffix)
            level = inner.context
            if level is None or (id(level), inner.name) in seen:
                continue
            seen.add((id(level), inner.name))
            if not inner.is_certain or not level.is_complete or level.parent is None:
                continue
            lost = _lost(config, inner, level.parent)
            if lost:
                alike = len(lost) < MOST_REPEATED and is_alike(
                    config, level, lost, partial(_lost, config, inner)
                )
                yield self._found(route, level, inner, lost, alike)

    def _found(
        self,
        route: Pass,
        level: Context,
        inner: Effective,
        lost: list[Directive],
        is_fixable: bool,
    ) -> Finding:
        own = written_in(level, inner)
        statement = own[0] if own else level.directive or inner.directives[0]
        edits: tuple[Edit, ...] = ()
        if is_fixable:
            edits = _edits(route, level, own, [statement_text(one) for one in lost])
        return self.finding(
            statement,
            f"{inner.name} here drops what the outer block sets: {shown(lost)}",
            advice=f"repeat them here, or move all {inner.name} lines to one level",
            span=statement.words[0].span,
            related=tuple(Label(one.span, "lost here") for one in lost[:_LABELS]),
            fix=Fix("repeat what is lost", Safety.UNSAFE, edits) if edits else None,
        )


def _lost(config: NginxConfig, inner: Effective, outside: Context) -> list[Directive]:
    """The directives of the nearest outer level that the inner one neither sets nor replaces."""
    ignores_case = inner.name.endswith("set_header")
    outer = outside.effective(inner.name).directives
    found: list[Directive] = []
    for one in not_repeated(inner, outer[:MOST_REPEATED], ignores_case=ignores_case):
        name, value = one.values[0].lower(), one.values[1]
        if ignores_case and _DEFAULTS.get(name) == value.lower():
            continue
        if name == "connection" and not value and config.is_at_least(POOL_BY_DEFAULT_SINCE):
            continue
        found.append(one)
    return found


def _edits(
    route: Pass, level: Context, own: list[Directive], statements: list[str]
) -> tuple[Edit, ...]:
    if own:
        return (added_after(own[-1], *statements),)
    if route.context is not level:
        return ()
    addition = added(route, *statements)
    return () if addition is None else (addition,)
