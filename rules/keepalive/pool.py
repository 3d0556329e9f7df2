"""What it takes to keep upstream connections alive in nginx below 1.29.7.

Three directives must come together: `keepalive` in the upstream, `proxy_http_version 1.1` and a
cleared Connection header on the route (measured: either of the two lines alone keeps no
connection). Once connections are kept, the application may close one just when a request is sent on
it, so whatever turns the pool on must also set the upstream's idle limit below the application's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gwlint.edits import Edit, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.keepalive import (
    POOL_BY_DEFAULT_SINCE,
    fixed_connection,
    has_pool,
    idle_limit,
    speaks_http10,
)
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.upstream import Upstream
from gwlint.model.nginx.websocket import has_root_path, is_upgraded, names_websockets
from gwlint.syntax.nginx.amend import added_after, added_inside, replaced
from gwlint.syntax.nginx.tree import Directive

IDLE_LIMIT_SINCE = "1.15.3"
"""The first version with `keepalive_timeout` in upstream blocks."""

IDLE_LIMIT = 4.0
"""Seconds, below the 5 s after which Node.js, uvicorn and Apache httpd close an idle connection."""

POOL_SIZE = 32
"""Idle connections kept by each worker; the default from 1.29.7 on."""

CLEARED_CONNECTION = 'proxy_set_header Connection "";'


def pooled_passes(config: NginxConfig) -> Iterator[tuple[Pass, Upstream]]:
    """The proxy_pass routes to an upstream block that asks for keep-alive, in older versions."""
    if config.is_at_least(POOL_BY_DEFAULT_SINCE):
        return
    for route in config.passes:
        upstream = route.upstream
        if route.family != "proxy" or not route.is_http or upstream is None:
            continue
        if has_pool(upstream):
            yield route, upstream


def wants_reuse(route: Pass) -> bool:
    """Whether a route answers plain requests, whose connection could serve the next one too."""
    if route.family != "proxy" or not route.is_http or names_websockets(route.context):
        return False
    connection = fixed_connection(route)
    return connection != "close" and not (
        connection == "upgrade" and is_upgraded(route) and not has_root_path(route.context)
    )


@dataclass(frozen=True, slots=True)
class ApplicationLimit:
    """When the applications of an upstream close an idle connection, as facts say.

    `seconds` is the shortest that is known, None when none is; `is_complete`: known of every
    server.
    """

    seconds: float | None
    is_complete: bool

    @property
    def wanted(self) -> float:
        """Seconds after which nginx should have closed the connection itself."""
        if self.seconds is None:
            return IDLE_LIMIT
        # The last request that is still sent on a connection needs time to arrive.
        short_of = min(self.seconds * 0.8, self.seconds - 1)
        below = float(int(short_of)) if short_of >= 1 else self.seconds / 2
        return below if self.is_complete else min(below, IDLE_LIMIT)


def application_limit(config: NginxConfig, upstream: Upstream) -> ApplicationLimit:
    services = [config.facts.at(server.address) for server in upstream.servers]
    known = [
        one.idle_timeout for one in services if one is not None and one.idle_timeout is not None
    ]
    is_complete = bool(known) and len(known) == len(services) and not upstream.has_dynamic_servers
    return ApplicationLimit(min(known, default=None), is_complete)


def time_text(seconds: float) -> str:
    """A time as nginx reads it: 4 is 4s, 0.5 is 500ms."""
    return f"{int(seconds)}s" if seconds == int(seconds) else f"{round(seconds * 1000)}ms"


def missing_idle_limit(config: NginxConfig, upstream: Upstream) -> tuple[Safety, str | None]:
    """What `keepalive_timeout` must become when the pool is turned on, None if it is well.

    Turning it on is safe when the limit of the application is known, or when the author chose one.
    """
    known = application_limit(config, upstream)
    own = upstream.context.first("keepalive_timeout")
    current = idle_limit(upstream)
    exceeds = known.seconds is not None and (current is None or current >= known.seconds)
    if not exceeds and (own is not None or known.is_complete):
        return Safety.SAFE, None
    if config.is_older_than(IDLE_LIMIT_SINCE):
        return Safety.UNSAFE, None
    return Safety.SAFE if known.is_complete else Safety.UNSAFE, time_text(known.wanted)


def idle_limit_edits(config: NginxConfig, upstream: Upstream) -> tuple[Safety, list[Edit]]:
    """The edit that sets the idle limit beside `keepalive`, none if it is well already."""
    safety, wanted = missing_idle_limit(config, upstream)
    if wanted is None:
        return safety, []
    own = upstream.context.first("keepalive_timeout")
    if own is not None and own.arguments:
        return safety, [replaced(own.arguments[0], wanted)]
    statement = f"keepalive_timeout {wanted};"
    beside = upstream.keepalive
    if beside is None:
        return safety, [added_inside(upstream.directive, statement)]
    return safety, [added_after(beside, statement)]


def reuse_edits(config: NginxConfig, route: Pass) -> list[Edit] | None:
    """What a route needs so that its connection is kept: HTTP/1.1, and no `Connection: close`.

    Empty when it has both; None when the edits would not suit another place that shares the file.
    """
    needs_version, needs_header = speaks_http10(route), route.header("Connection") is None
    edits: list[Edit] = []
    behind_the_pass: list[str] = []
    version = route.effective("http_version")
    if needs_version and version.context is route.context:
        edits.append(replaced(version.words[0], "1.1"))
    elif needs_version:
        if not _suits(config, route.directive, _sets_no_version):
            return None
        behind_the_pass.append("proxy_http_version 1.1;")
    if needs_header:
        beside = _beside(config, route)
        if beside is None:
            return None
        if beside is route.directive:
            behind_the_pass.append(CLEARED_CONNECTION)
        else:
            edits.append(added_after(beside, CLEARED_CONNECTION))
    if behind_the_pass:
        edits.append(added_after(route.directive, *behind_the_pass))
    return edits


def http11_edits(config: NginxConfig, route: Pass) -> list[Edit] | None:
    """As `reuse_edits`, for the version alone."""
    version = route.effective("http_version")
    if version.context is route.context:
        return [replaced(version.words[0], "1.1")]
    if not _suits(config, route.directive, _sets_no_version):
        return None
    return [added_after(route.directive, "proxy_http_version 1.1;")]


def cleared_connection_edits(config: NginxConfig, route: Pass) -> list[Edit] | None:
    """As `reuse_edits`, for the header alone."""
    beside = _beside(config, route)
    return None if beside is None else [added_after(beside, CLEARED_CONNECTION)]


def _beside(config: NginxConfig, route: Pass) -> Directive | None:
    """Behind which directive a header is added without losing the ones that are set."""
    headers = route.effective("set_header")
    places = [headers.directives[-1]] if headers.directives else [route.directive]
    if headers.context is route.context:
        places.append(route.directive)
    return next((one for one in places if _suits(config, one, _sets_no_connection)), None)


def _suits(config: NginxConfig, place: Directive, is_well: Callable[[Context], bool]) -> bool:
    """Whether a line behind `place` is well in each context that shares its file."""
    return all(is_well(context) for context in config.contexts_of(place))


def _sets_no_version(context: Context) -> bool:
    return not context.own("proxy_http_version")


def _sets_no_connection(context: Context) -> bool:
    headers = context.effective("proxy_set_header").directives
    return all(one.arguments[0].value.lower() != "connection" for one in headers if one.arguments)
