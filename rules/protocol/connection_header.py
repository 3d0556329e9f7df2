"""What a route that carries web sockets should send as Connection header."""

from __future__ import annotations

from dataclasses import dataclass

from gwlint.edits import Edit
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.websocket import names_websockets
from gwlint.rules.keepalive.upgrades import added_to_http, upgrade_maps

_VARIABLE = "$connection_upgrade"


@dataclass(frozen=True, slots=True)
class ConnectionValue:
    """The value, and the map that has to be added for it; None where there is nothing to add."""

    text: str
    map_edit: Edit | None = None


def connection_value(config: NginxConfig, route: Pass) -> ConnectionValue | None:
    """The variable of the configuration's own map; else `upgrade` in a location for web sockets
    alone, and elsewhere a variable with a new map. None where the map cannot be added.

    The client's own Connection header is never passed on: it may name headers that the
    application's server then drops (RFC 9110, section 7.6.1).
    """
    for one in upgrade_maps(config):
        if one.is_certain and one.plain_value != "upgrade":
            return ConnectionValue(f"${one.variable}")
    if names_websockets(route.context):
        return ConnectionValue('"upgrade"')
    server = route.context.within("http server")
    makers = config.find("map", "geo", "set", "split_clients")
    if server is None or any(_VARIABLE in one.values for _, one in makers):
        return None
    added = added_to_http(server, f"map $http_upgrade {_VARIABLE}", "default upgrade;", "'' '';")
    return None if added is None else ConnectionValue(_VARIABLE, added)
