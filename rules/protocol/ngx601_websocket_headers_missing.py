from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.keepalive import POOL_BY_DEFAULT_SINCE
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.websocket import is_upgraded, names_websockets
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.protocol.connection_header import ConnectionValue, connection_value
from gwlint.rules.protocol.levels import (
    headers_added,
    level_of,
    setting_header,
    suits_all_includers,
)
from gwlint.syntax.nginx.amend import added_after, replaced
from gwlint.syntax.nginx.tree import Directive

_UPGRADE = "proxy_set_header Upgrade $http_upgrade"
_TITLE = "pass web sockets on"


class WebsocketHeadersMissing(NginxRule):
    """A route for web sockets does not pass the Upgrade and Connection headers on.

    ## Problem
    Upgrade and Connection belong to one connection, so nginx does not pass them on unless told
    to. Without either of them the application sees a plain request.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: the application answered 426 to each handshake, and 101
    with both headers set.

    ## In the log
    Nothing is logged. The access log has the answer of the application: 400, 404 or 426.

    ## Silent when
    Both headers are set, or Upgrade is cleared on purpose; neither is set and the path of the
    location has no part such as ws, websocket, socket.io, cable or signalr, nor does gwlint.yaml
    say `websocket: true`; a file that could not be read may set them.

    ## Fix safety
    Adds what is missing, with HTTP/1.1, beside the headers of the route; inherited headers are
    repeated. Connection is what the map of the configuration makes of Upgrade. Without one it is
    "upgrade" in a location for web sockets, and elsewhere a map is added, so that plain requests
    stay plain: safe.

    ## Versions
    From nginx 1.29.7 on HTTP/1.1 is the default; for an older or unknown target the fix writes it.

    ## Learnt
    Half a pair is more common than none: Upgrade copied, and Connection cleared for keep-alive.

    ## References
    - https://nginx.org/en/docs/http/websocket.html
    - https://www.rfc-editor.org/rfc/rfc6455#section-4.1
    """

    code = "NGX601"
    name = "websocket-headers-missing"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    proxy_set_header Host $host;
                    location /ws/ {
                        proxy_pass http://127.0.0.1:3000;
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
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection "";
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
        seen: set[int] = set()
        for route in config.passes:
            if route.family != "proxy" or not route.is_http or not _headers_are_known(route):
                continue
            half = _half(route)
            if half is None:
                yield from self._unnamed(config, route)
            elif id(half) not in seen:
                seen.add(id(half))
                yield self._half_pair(config, route, half)

    def _unnamed(self, config: NginxConfig, route: Pass) -> Iterator[Finding]:
        if route.header("Upgrade") is not None or route.header("Connection") is not None:
            return
        reason = _reason(config, route)
        if reason is None:
            return
        value = connection_value(config, route)
        yield self.finding(
            route.directive,
            f"{reason}, but Upgrade and Connection are not passed on, so no web socket can be"
            " opened",
            advice=f"add {_UPGRADE} and {_connection(value)}",
            span=route.word.span,
            fix=_fix(value, _pair_added(config, route, value) if value else None),
        )

    def _half_pair(self, config: NginxConfig, route: Pass, half: Directive) -> Finding:
        if half.values[0].lower() == "connection":
            edit = added_after(half, f"{_UPGRADE};")
            suits = suits_all_includers(config, half, "Upgrade")
            return self.finding(
                half,
                "Connection asks for an upgrade, but Upgrade is not passed on, so no web socket"
                " can be opened",
                advice=f"add {_UPGRADE}",
                fix=Fix(_TITLE, Safety.SAFE, (edit,)) if suits else None,
            )
        value = connection_value(config, route)
        other = setting_header(route, "Connection")
        says = "is not set" if other is None else f'is set to "{other.values[1]}"'
        return self.finding(
            half,
            f"Upgrade is passed on, but Connection {says}, so no web socket can be opened",
            advice=f"{'add' if other is None else 'write'} {_connection(value)}",
            related=() if other is None else (Label(other.span, "no upgrade"),),
            fix=_fix(value, _connection_set(config, half, other, value) if value else None),
        )


def _connection(value: ConnectionValue | None) -> str:
    text = "$connection_upgrade" if value is None else value.text
    return f"proxy_set_header Connection {text}"


def _pair_added(config: NginxConfig, route: Pass, value: ConnectionValue) -> Edit | None:
    statements = [f"{_UPGRADE};", f"{_connection(value)};"]
    if not route.effective("http_version").is_set and not config.is_at_least(POOL_BY_DEFAULT_SINCE):
        statements.insert(0, "proxy_http_version 1.1;")
    return headers_added(config, route, *statements)


def _connection_set(
    config: NginxConfig, half: Directive, other: Directive | None, value: ConnectionValue
) -> Edit | None:
    if other is not None:
        # The line may stand in a file that routes without web sockets include too.
        is_alone = len(config.contexts_of(other)) == 1
        return replaced(other.words[2], value.text) if is_alone else None
    suits = suits_all_includers(config, half, "Connection")
    return added_after(half, f"{_connection(value)};") if suits else None


def _fix(value: ConnectionValue | None, edit: Edit | None) -> Fix | None:
    if value is None or edit is None:
        return None
    more = () if value.map_edit is None else (value.map_edit,)
    return Fix(_TITLE, Safety.SAFE, (edit, *more))


def _headers_are_known(route: Pass) -> bool:
    headers = route.effective("set_header")
    return headers.is_certain and (headers.context is None or headers.context.is_complete)


def _half(route: Pass) -> Directive | None:
    """The one header of the pair that is set while the other one is not, or is cleared."""
    upgrade, connection = route.header("Upgrade"), route.header("Connection")
    said = "" if connection is None else connection.value.lower()
    if is_upgraded(route):
        # Any variable may hold "upgrade".
        lacks = "upgrade" not in said and "$" not in said
        return setting_header(route, "Upgrade") if lacks else None
    if upgrade is None and "upgrade" in said:
        return setting_header(route, "Connection")
    return None


def _reason(config: NginxConfig, route: Pass) -> str | None:
    """Why the route should carry web sockets."""
    named = names_websockets(level_of(route))
    if named is not None:
        return f'"{named}" in the path says web sockets'
    upstream = route.upstream
    addresses = [route.address] if upstream is None else [one.address for one in upstream.servers]
    for address in addresses:
        service = config.facts.at(address)
        if service is not None and service.websocket:
            return f'the service "{service.name}" speaks web sockets'
    return None
