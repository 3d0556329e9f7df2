"""Whether a route keeps its connections to an upstream, and for how long they may be idle.

Below nginx 1.29.7 three directives must come together: `keepalive` in the upstream, HTTP/1.1 and a
cleared Connection header on the route (measured: either of the two lines alone keeps none).
"""

from __future__ import annotations

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.units import seconds_of
from gwlint.model.nginx.upstream import Upstream

POOL_BY_DEFAULT_SINCE = "1.29.7"
"""From this version on, upstream keep-alive, HTTP/1.1 and no Connection header are the default."""

DEFAULT_IDLE_LIMIT = 60.0
"""Seconds; nginx's own, where `keepalive_timeout` is not set in the upstream."""


def has_pool(upstream: Upstream) -> bool:
    """Whether the upstream block asks for keep-alive itself, whatever the version."""
    keepalive = upstream.keepalive
    return keepalive is not None and keepalive.values[:1] != ["0"]


def speaks_http10(route: Pass) -> bool:
    """Whether the route uses HTTP/1.0, which is the default in the versions judged here."""
    version = route.effective("http_version")
    return not version.is_set or version.value == "1.0"


def fixed_connection(route: Pass) -> str | None:
    """The value of the Connection header in lower case, where it is the same for every request."""
    word = route.header("Connection")
    return None if word is None or "$" in word.value else word.value.lower()


def keeps_connections(config: NginxConfig, route: Pass) -> bool:
    """Whether a route to an upstream block uses a pool of idle connections."""
    upstream = route.upstream
    if route.family != "proxy" or not route.is_http or upstream is None:
        return False
    if fixed_connection(route) == "close":
        return False
    if config.is_at_least(POOL_BY_DEFAULT_SINCE):
        return upstream.keepalive is None or has_pool(upstream)
    return (
        has_pool(upstream) and not speaks_http10(route) and route.header("Connection") is not None
    )


def idle_limit(upstream: Upstream) -> float | None:
    """Seconds after which nginx closes an idle connection; None when they cannot be read."""
    own = upstream.context.first("keepalive_timeout")
    if own is None:
        return DEFAULT_IDLE_LIMIT
    return seconds_of(own.values[0]) if own.values else None
