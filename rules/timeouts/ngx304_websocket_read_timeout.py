from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.nginx.amend import added_after, added_inside, replaced
from gwlint.syntax.nginx.tree import Directive

DEFAULT = 60
"""Seconds; the default of `proxy_read_timeout`."""

LONG = "3600s"

HTTP11_BY_DEFAULT_SINCE = "1.29.7"

_WEB_SOCKETS = re.compile(
    r"(?<![a-z])(wss?|web-?sockets?|sockets?|socket\.io|sockjs|websockify|cable|hubs?|signalr|stomp)"
    r"(?![a-z])",
    re.IGNORECASE,
)


class WebsocketReadTimeout(NginxRule):
    """A web socket on which nothing is said for a minute is cut.

    ## Problem
    Once a connection is upgraded, `proxy_read_timeout` goes on counting: when the application says
    nothing for that long, nginx closes both sides. The default is 60 s.

    ## Why
    Measured on nginx 1.22.1: each web socket that was idle for longer was dropped; with a longer
    timeout all of them lived. `proxy_send_timeout` and `send_timeout` cut no idle one. Users see
    reconnects at every quiet minute, and lost messages.

    ## In the log
    At level info only, so not with the usual `error_log`: `[info] upstream timed out (110:
    Connection timed out) while proxying upgraded connection`. The access log has a 101.

    ## Silent when
    The route does not pass on both `Upgrade` and `Connection`; it is not sure to speak HTTP/1.1,
    and in HTTP/1.0 an application has to ignore `Upgrade` (RFC 9110, 7.8); the timeout is above
    60 s; an include that could not be read, or the surroundings of a fragment, may say otherwise.
    Only information where neither the location nor the upstream nor the host is named for web
    sockets (ws, socket.io, cable, hub, ...): the two headers then tell that there may be some. An
    application that sends a ping at least once a minute is not affected, which cannot be seen here.

    ## Fix safety
    Sets `proxy_read_timeout 3600s` for this location. Safe where the route is named for web
    sockets. Other locations answer plain requests too, for which an application that hangs would
    then be waited for as long: there it is unsafe, and a location of its own for the web sockets
    is better.

    ## Versions
    From nginx 1.29.7 on HTTP/1.1 is the default of proxied requests, so a route that sets the two
    headers is upgraded without `proxy_http_version 1.1`. Without a target that line has to be
    there.

    ## Learnt
    Of the published configurations in which it was found, `location /` of an API with a read
    timeout of 10 s had the two headers as tutorials have them, and no web sockets.

    ## References
    - https://nginx.org/en/docs/http/websocket.html
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout
    """

    code = "NGX304"
    name = "websocket-read-timeout"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
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
                map $http_upgrade $connection_upgrade {
                    default upgrade;
                    '' close;
                }
                proxy_read_timeout 30s;
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection $connection_upgrade;
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
                    location /ws {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection "upgrade";
                        proxy_read_timeout 1h;
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
        by_default = config.is_at_least(HTTP11_BY_DEFAULT_SINCE)
        cut = [(route, _level(route)) for route in config.passes if _is_cut(route, by_default)]
        named = {id(level): _is_named_for_web_sockets(route, level) for route, level in cut}
        for route, level in cut:
            read = route.effective("read_timeout")
            seconds = route.seconds("read_timeout")
            here = read.directive if read.context is level else None
            origin = "" if read.is_set else ", its default"
            related: tuple[Label, ...] = ()
            if read.directive is not None and here is None:
                related = (Label(read.directive.span, "the timeout is set here"),)
            yield self.finding(
                here or route.directive,
                f"a web socket on this route is cut when the application says nothing for"
                f" {seconds:g} s (proxy_read_timeout{origin})",
                advice=f"set proxy_read_timeout {LONG} in a location for the web sockets, or let"
                " the application send pings more often",
                severity=Severity.WARNING if named[id(level)] else Severity.INFO,
                related=related,
                fix=_fix(config, route, level, here, named),
            )


def _is_cut(route: Pass, http11_by_default: bool) -> bool:
    if route.family != "proxy" or not route.is_http:
        return False
    if not _is_upgraded(route, http11_by_default):
        return False
    read = route.effective("read_timeout")
    seconds = route.seconds("read_timeout")
    return read.is_certain and seconds is not None and 0 < seconds <= DEFAULT


def _is_upgraded(route: Pass, http11_by_default: bool) -> bool:
    """Whether the route passes on the request for a web socket, as far as that is certain."""
    headers, version = route.effective("set_header"), route.effective("http_version")
    upgrade, connection = route.header("Upgrade"), route.header("Connection")
    if upgrade is None or connection is None or not headers.is_certain:
        return False
    speaks_http11 = version.value == "1.1" if version.is_set else http11_by_default
    if not version.is_certain or not speaks_http11:
        return False
    asks = upgrade.value.lower() in ("$http_upgrade", "${http_upgrade}", "websocket")
    return asks and (
        "upgrade" in connection.value.lower() or "$http_connection" in connection.value
    )


def _level(route: Pass) -> Context:
    """Where the timeout of a route is set: `if` and `limit_except` take none."""
    return route.context.within("location") or route.context


def _fix(
    config: NginxConfig,
    route: Pass,
    level: Context,
    here: Directive | None,
    named: dict[int, bool],
) -> Fix | None:
    """`named`: id of each location that has the fault -> whether it is one for web sockets."""
    if here is not None:
        reached = config.contexts_of(here)
        edit = replaced(here.arguments[0], LONG)
    elif level.directive is None:
        return None
    else:
        text = f"proxy_read_timeout {LONG};"
        reached = config.contexts_of(route.directive)
        if route.context is level and _all_in(reached, named):
            edit = added_after(route.directive, text)
        else:
            reached = [level]
            edit = added_inside(level.directive, text)
    # A line in a file that others include too must suit them all.
    if not _all_in(reached, named):
        return None
    safety = Safety.SAFE if all(named[id(one)] for one in reached) else Safety.UNSAFE
    return Fix("let web sockets be idle for an hour", safety, (edit,))


def _all_in(contexts: list[Context], named: dict[int, bool]) -> bool:
    return all(id(context) in named for context in contexts)


def _is_named_for_web_sockets(route: Pass, level: Context) -> bool:
    """What the author calls the route: its location, upstream or host, or the server's names."""
    location = [] if level.directive is None else level.directive.values[-1:]
    server = level.within("http server")
    hosts = [name for one in server.own("server_name") for name in one.values] if server else []
    return any(
        _WEB_SOCKETS.search(name) for name in (*location, route.destination.authority, *hosts)
    )
