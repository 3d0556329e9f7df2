from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.keepalive import POOL_BY_DEFAULT_SINCE
from gwlint.model.nginx.upstream import Upstream
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.keepalive.pool import missing_idle_limit
from gwlint.syntax.nginx.amend import added_after, removed, replaced
from gwlint.syntax.nginx.tree import Directive


class KeepaliveBeforeBalancing(NginxRule):
    """The balancing method stands after `keepalive` and replaces the pool without a word.

    ## Problem
    `keepalive` wraps the balancing method that was chosen before it. A method that comes later
    takes its place, and no connection is kept.

    ## Why
    Measured on nginx 1.22.1: 300 requests opened 100 connections to the application instead of 4.
    Every connection costs a round trip and a port; under load, ports run out and answers become
    502.

    ## In the log
    At start only, and when the configuration is tested: `[warn] load balancing method redefined`.

    ## Silent when
    The target is nginx 1.29.7 or newer, where the order does not matter (measured on 1.31.3).

    ## Fix safety
    Moves the `keepalive` line behind the method. Where the upstream has no `keepalive_timeout`, it
    is set to 4s, so that nginx drops an idle connection before the application does. That is
    unsafe, unless facts say when the application closes an idle connection: the limit is then set
    below that.

    ## Versions
    Below nginx 1.29.7 only. Without a target an older version is assumed. `keepalive_timeout` in an
    upstream needs nginx 1.15.3.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive
    """

    code = "NGX404"
    name = "keepalive-before-balancing"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    keepalive 16;
                    least_conn;
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001;
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
                    least_conn;
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001;
                    keepalive 16;
                    keepalive_timeout 4s;
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        if config.is_at_least(POOL_BY_DEFAULT_SINCE):
            return
        for upstream in config.upstreams:
            keepalive, method = upstream.keepalive, upstream.method
            if keepalive is None or method is None:
                continue
            order = upstream.context.directives
            if order.index(keepalive) > order.index(method):
                continue
            yield self.finding(
                keepalive,
                f'"{method.name}" comes after keepalive and replaces the pool, so each request'
                " opens a new connection",
                advice=f"move keepalive below {method.name}",
                related=(Label(method.span, "the balancing method that comes too late"),),
                fix=_moved(config, upstream, keepalive, method),
            )


def _moved(
    config: NginxConfig, upstream: Upstream, keepalive: Directive, method: Directive
) -> Fix | None:
    if keepalive.source is not method.source:
        return None
    statements = [keepalive.full_span.text]
    edits = [removed(keepalive)]
    safety, wanted = missing_idle_limit(config, upstream)
    own = upstream.context.first("keepalive_timeout")
    if wanted is not None and own is not None and own.arguments:
        edits.append(replaced(own.arguments[0], wanted))
    elif wanted is not None:
        statements.append(f"keepalive_timeout {wanted};")
    edits.append(added_after(method, *statements))
    return Fix(f"move keepalive behind {method.name}", safety, tuple(edits))
