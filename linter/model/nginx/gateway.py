"""An nginx configuration in the neutral terms of `gwlint.model.gateway`."""

from __future__ import annotations

from gwlint.model.gateway import Gateway, Listener, Pool, Route, Server, Setting, Timeouts
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.units import seconds_of
from gwlint.syntax.values.nginx_address import parse_listen_address
from gwlint.syntax.values.problem import ValueProblem


def nginx_gateway(config: NginxConfig) -> Gateway:
    """One route for each pass directive that leads to an upstream block or a fixed address."""
    listeners: dict[int, tuple[Listener, ...]] = {}
    routes: list[Route] = []
    for one in config.passes:
        server = one.context.within("http server") or one.context.within("stream server")
        pool = _pool(one)
        if server is None or pool is None:
            continue
        if id(server) not in listeners:
            listeners[id(server)] = _listeners(server)
        routes.append(
            Route(
                statement=one.directive,
                listeners=listeners[id(server)],
                pool=pool,
                timeouts=_timeouts(one),
                is_http=one.is_http,
                is_upgraded=one.header("Upgrade") is not None,
            )
        )
    return Gateway("nginx", config.root.main.path, tuple(routes))


def _listeners(server: Context) -> tuple[Listener, ...]:
    found: list[Listener] = []
    for directive in server.own("listen"):
        values = directive.values
        if not values:
            continue
        try:
            address = parse_listen_address(values[0])
        except ValueProblem:
            continue
        found.append(
            Listener(
                statement=directive,
                address=address,
                is_tls="ssl" in values[1:],
                expects_proxy_protocol="proxy_protocol" in values[1:],
            )
        )
    return tuple(found)


def _timeouts(one: Pass) -> Timeouts:
    # The stream module has one idle timeout for both directions.
    response = "read_timeout" if one.is_http else "timeout"
    return Timeouts(connect=_time(one, "connect_timeout"), response=_time(one, response))


def _time(one: Pass, suffix: str) -> Setting[float]:
    effective = one.effective(suffix)
    seconds = None if effective.value is None else seconds_of(effective.value)
    return Setting(seconds, effective.directive, effective.is_certain and seconds is not None)


def _pool(one: Pass) -> Pool | None:
    is_tls = one.destination.is_tls
    if one.upstream is None:
        if one.address is None:
            return None
        server = Server(one.directive, one.address, is_tls, False, False, False, False)
        return Pool(one.destination.authority, one.directive, (server,), Setting(0, None, True))
    keepalive = one.upstream.keepalive
    values = [] if keepalive is None else keepalive.values
    size = int(values[0]) if values and values[0].isdecimal() else 0
    return Pool(
        name=one.upstream.name,
        statement=one.upstream.directive,
        servers=tuple(
            Server(
                statement=server.directive,
                address=server.address,
                is_tls=is_tls,
                is_backup=server.is_backup,
                is_down=server.is_down,
                sends_proxy_protocol=False,
                # Open source nginx learns only from requests that fail.
                is_checked=False,
            )
            for server in one.upstream.servers
            if server.address is not None
        ),
        keepalive=Setting(size, keepalive, one.upstream.context.is_complete),
    )
