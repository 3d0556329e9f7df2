"""What it takes to keep upstream connections alive in nginx below 1.29.7.

Three directives must come together: `keepalive` in the upstream, `proxy_http_version 1.1` and a
cleared Connection header on the route (measured: either of the two lines alone keeps no
connection). Once connections are kept, the application may close one just when a request is sent on
it, so whatever turns the pool on must also set the upstream's idle limit below the application's.
"""

from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.upstream import Upstream
from gwlint.syntax.nginx.amend import added_after

POOL_BY_DEFAULT_SINCE = "1.29.7"
"""From this version on, upstream keep-alive, HTTP/1.1 and no Connection header are the default."""

IDLE_LIMIT = "4s"
"""Below the 5 s after which Node.js, uvicorn and Apache httpd close an idle connection."""


def pooled_passes(config: NginxConfig) -> Iterator[tuple[Pass, Upstream]]:
    """The proxy_pass routes to an upstream block that asks for keep-alive, in older versions."""
    if config.is_at_least(POOL_BY_DEFAULT_SINCE):
        return
    for route in config.passes:
        upstream = route.upstream
        if route.family != "proxy" or not route.is_http or upstream is None:
            continue
        keepalive = upstream.keepalive
        if keepalive is not None and keepalive.values[:1] != ["0"]:
            yield route, upstream


def speaks_http10(route: Pass) -> bool:
    """Whether the route uses HTTP/1.0, which is the default in the versions judged here."""
    version = route.effective("http_version")
    return not version.is_set or version.value == "1.0"


def idle_limit_edits(upstream: Upstream) -> tuple[Safety, list[Edit]]:
    """The edit that sets the idle limit, none if it is set; only then is the pool's fix safe."""
    if upstream.context.first("keepalive_timeout") is not None:
        return Safety.SAFE, []
    keepalive = upstream.keepalive
    assert keepalive is not None
    return Safety.UNSAFE, [added_after(keepalive, f"keepalive_timeout {IDLE_LIMIT};")]
