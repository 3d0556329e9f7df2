"""A HAProxy configuration in the neutral terms of `gwlint.model.gateway`."""

from __future__ import annotations

from gwlint.model.gateway import Gateway, Listener, Pool, Route, Server, Setting, Timeouts
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.effective import Effective
from gwlint.model.haproxy.proxy import Proxy, bind_addresses


def haproxy_gateway(config: HaproxyConfig) -> Gateway:
    """One route for each pair of a frontend and a backend that it can choose."""
    routes: list[Route] = []
    for frontend in config.frontends:
        listeners = _listeners(frontend)
        if frontend.is_backend and frontend.servers:
            routes.append(_route(frontend, frontend, listeners))
        for route in frontend.routes:
            backend = config.backend_by_name.get(route.backend.value)
            if backend is not None:
                routes.append(_route(frontend, backend, listeners))
    return Gateway("haproxy", config.root.files[0].path, tuple(routes))


def _listeners(frontend: Proxy) -> tuple[Listener, ...]:
    return tuple(
        Listener(
            statement=line,
            address=address,
            is_tls="ssl" in bind,
            expects_proxy_protocol="accept-proxy" in bind,
        )
        for line, bind in frontend.binds
        for address in bind_addresses(bind)
    )


def _route(frontend: Proxy, backend: Proxy, listeners: tuple[Listener, ...]) -> Route:
    return Route(
        statement=backend.header,
        listeners=listeners,
        pool=_pool(backend),
        timeouts=Timeouts(
            connect=_timeout(backend, "connect"), response=_timeout(backend, "server")
        ),
        is_http=frontend.is_http and backend.is_http,
        # Upgraded connections go by `timeout tunnel` where that is set.
        is_upgraded=False,
    )


def _timeout(proxy: Proxy, name: str) -> Setting[float]:
    effective: Effective = proxy.effective("timeout", name)
    duration = proxy.timeout(name)
    readable = effective.line is None or duration is not None
    return Setting(
        value=None if duration is None or duration.seconds == 0 else duration.seconds,
        statement=effective.line,
        is_certain=effective.is_certain and readable,
    )


def _pool(backend: Proxy) -> Pool:
    closes = backend.option("httpclose") or backend.option("http-server-close")
    return Pool(
        name=backend.name,
        statement=backend.header,
        servers=tuple(
            Server(
                statement=server.line,
                address=server.address,
                is_tls=server.has("ssl"),
                is_backup=server.is_backup,
                is_down=server.is_disabled,
                sends_proxy_protocol=server.has("send-proxy") or server.has("send-proxy-v2"),
                is_checked=server.is_checked,
            )
            for server in backend.servers
            if server.address is not None
        ),
        # Without a limit, HAProxy keeps idle connections to each server (pool-max-conn -1).
        keepalive=Setting(0 if closes else None, closes, True),
    )
