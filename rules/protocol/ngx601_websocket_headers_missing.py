from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.websocket import connection_variable, is_upgraded, names_websockets
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.keepalive.pool import POOL_BY_DEFAULT_SINCE
from gwlint.rules.protocol.levels import (
    headers_added,
    level_of,
    setting_header,
    suits_all_includers,
)
from gwlint.syntax.nginx.amend import added_after, replaced
from gwlint.syntax.nginx.tree import Directive

_UPGRADE = "proxy_set_header Upgrade $http_upgrade;"


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
    repeated. Connection is what the map of the configuration makes of Upgrade, or else what the
    client sent, so that plain requests on the same route stay plain: safe.

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
                        proxy_set_header Connection $http_connection;
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
        variable = connection_variable(config) or "$http_connection"
        connection = f"proxy_set_header Connection {variable};"
        seen: set[int] = set()
        for route in config.passes:
            if route.family != "proxy" or not route.is_http or not _headers_are_known(route):
                continue
            half = _half(route)
            if half is None:
                yield from self._unnamed(config, route, connection)
            elif id(half) not in seen:
                seen.add(id(half))
                yield self._half_pair(config, route, half, connection)

    def _unnamed(self, config: NginxConfig, route: Pass, connection: str) -> Iterator[Finding]:
        if route.header("Upgrade") is not None or route.header("Connection") is not None:
            return
        reason = _reason(config, route)
        if reason is None:
            return
        statements = [_UPGRADE, connection]
        version = route.effective("http_version")
        speaks_11 = version.value == "1.1" if version.is_set else _is_11_by_default(config)
        if not version.is_set and not speaks_11:
            statements.insert(0, "proxy_http_version 1.1;")
        edit = headers_added(config, route, *statements)
        yield self.finding(
            route.directive,
            f"{reason}, but Upgrade and Connection are not passed on, so no web socket can be"
            " opened",
            advice="add proxy_set_header Upgrade $http_upgrade and " + connection.rstrip(";"),
            span=route.word.span,
            fix=None if edit is None else Fix("pass web sockets on", Safety.SAFE, (edit,)),
        )

    def _half_pair(
        self, config: NginxConfig, route: Pass, half: Directive, connection: str
    ) -> Finding:
        has_upgrade = half.values[0].lower() == "upgrade"
        other = setting_header(route, "Connection") if has_upgrade else None
        missing = "Connection" if has_upgrade else "Upgrade"
        statement = connection if has_upgrade else _UPGRADE
        edit: Edit | None = None
        if suits_all_includers(config, half, missing):
            edit = added_after(half, statement)
        says, verb = "is not set", "add"
        if other is not None:
            says, verb = f'is set to "{other.values[1]}"', "write"
            is_alone = len(config.contexts_of(other)) == 1
            edit = replaced(other.words[2], statement.split()[2].rstrip(";")) if is_alone else None
        return self.finding(
            half,
            f"{half.values[0]} is passed on, but {missing} {says}, so no web socket can be opened",
            advice=f"{verb} {statement.rstrip(';')}",
            fix=None if edit is None else Fix("pass web sockets on", Safety.SAFE, (edit,)),
        )


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


def _is_11_by_default(config: NginxConfig) -> bool:
    return config.is_at_least(POOL_BY_DEFAULT_SINCE)
