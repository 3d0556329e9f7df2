"""A HAProxy configuration in the neutral terms of `gwlint.model.gateway`."""

from __future__ import annotations

from gwlint.model.gateway import (
    H2,
    HTTP1,
    NEGOTIATED,
    TCP,
    Gateway,
    Listener,
    Pool,
    Retries,
    Route,
    Server,
    Setting,
    Timeouts,
)
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy, bind_addresses
from gwlint.model.haproxy.server import Server as ServerModel
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.sizes import parse_size
from gwlint.syntax.values.whole_numbers import whole_number

DEFAULT_BUFSIZE = 16384
DEFAULT_MAXREWRITE = 1024
DEFAULT_RETRIES = 3
DEFAULT_PURGE_SECONDS = 5.0

SENDS_PROXY = ("send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn")
"""The server parameters that send a PROXY header (configuration manual, section 5.2)."""

BEFORE_SENDING = frozenset({"none", "conn-failure", "0rtt-rejected"})
"""The words of `retry-on` that repeat nothing the application may have seen."""


def haproxy_gateway(config: HaproxyConfig) -> Gateway:
    """One route for each pair of a frontend and a backend that it can choose.

    A backend that no frontend names has a route without listeners.
    """
    made = _Routes(config)
    routes: list[Route] = []
    listeners: list[Listener] = []
    used: set[Proxy] = set()
    for frontend in config.frontends:
        if frontend.is_disabled:
            continue
        own = _listeners(config, frontend)
        listeners += own
        if frontend.is_backend and frontend.servers:
            routes.append(made.route(frontend, frontend, own))
            used.add(frontend)
        for route in frontend.routes:
            backend = config.backend_by_name.get(route.backend.value)
            if backend is not None and not backend.is_disabled:
                routes.append(made.route(frontend, backend, own))
                used.add(backend)
    for backend in config.backends:
        if backend.kind == "backend" and backend not in used and not backend.is_disabled:
            routes.append(made.route(backend, backend, ()))
    return Gateway("haproxy", config.root.files[0].path, tuple(routes), tuple(listeners))


class _Routes:
    """Routes of one configuration; those to one backend share its pool."""

    def __init__(self, config: HaproxyConfig) -> None:
        self._config = config
        self._pools: dict[Proxy, Pool] = {}
        self._header_limit = _header_limit(config)

    def route(self, frontend: Proxy, backend: Proxy, listeners: tuple[Listener, ...]) -> Route:
        if backend not in self._pools:
            self._pools[backend] = _pool(self._config, backend)
        return Route(
            statement=backend.header,
            listeners=listeners,
            pool=self._pools[backend],
            timeouts=Timeouts(
                connect=_timeout(self._config, backend, "connect"),
                response=_timeout(self._config, backend, "server"),
            ),
            is_http=frontend.is_http and backend.is_http,
            # Upgraded connections go by `timeout tunnel` where that is set.
            is_upgraded=False,
            body_limit=Setting(None, None, True),
            header_limit=self._header_limit,
            retries=_retries(self._config, frontend, backend),
        )


def _listeners(config: HaproxyConfig, frontend: Proxy) -> tuple[Listener, ...]:
    idle = _idle_of_clients(config, frontend)
    return tuple(
        Listener(
            statement=line,
            address=address,
            is_tls="ssl" in bind,
            expects_proxy_protocol="accept-proxy" in bind,
            protocols=_protocols(frontend, bind.value("proto")),
            idle=idle,
            is_certain=not line.conditions
            and not any(one.uncertain for one in bind.parameters)
            and frontend.effective("mode").is_certain
            # These rules may ask for the PROXY protocol from some clients.
            and not _expects_proxy_of_some(frontend),
        )
        for line, bind in frontend.binds
        for address in bind_addresses(bind)
        if address.transport == "stream"
    )


def _protocols(frontend: Proxy, proto: str | None) -> frozenset[str]:
    if not frontend.is_http:
        return frozenset({TCP})
    return {"h2": frozenset({H2}), "h1": frozenset({HTTP1})}.get(
        proto or "", frozenset({HTTP1, H2})
    )


def _expects_proxy_of_some(frontend: Proxy) -> bool:
    return any(
        "expect-proxy" in (word.value for word in line.arguments)
        for line in frontend.lines("tcp-request", "connection")
    )


def _idle_of_clients(config: HaproxyConfig, frontend: Proxy) -> Setting[float]:
    """`timeout http-keep-alive`, else http-request, else client (section 4.2)."""
    closes = frontend.option("httpclose")
    if closes is not None:
        return Setting(0, closes, True)
    for name in ("http-keep-alive", "http-request"):
        if frontend.effective("timeout", name).is_set:
            return _timeout(config, frontend, name)
    return _timeout(config, frontend, "client")


def _timeout(config: HaproxyConfig, proxy: Proxy, name: str) -> Setting[float]:
    """Without limit where nobody sets it, unless a file that was not read may."""
    effective = proxy.effective("timeout", name)
    duration = proxy.timeout(name)
    is_known = config.is_whole if effective.line is None else duration is not None
    return Setting(
        value=None if duration is None or duration.seconds == 0 else duration.seconds,
        statement=effective.line,
        is_certain=effective.is_certain and is_known,
    )


def _header_limit(config: HaproxyConfig) -> Setting[int]:
    """Headers must fit into `tune.bufsize` less `tune.maxrewrite` (measured: 15360 by default)."""
    bufsize, maxrewrite = (
        _global_size(config, "tune.bufsize", DEFAULT_BUFSIZE),
        _global_size(config, "tune.maxrewrite", DEFAULT_MAXREWRITE),
    )
    line = config.global_line("tune.bufsize")
    if bufsize is None or maxrewrite is None:
        return Setting(None, line, False)
    # A maxrewrite above half of the buffer is cut to that half (section 3.2).
    return Setting(bufsize - min(maxrewrite, bufsize // 2), line, config.is_whole)


def _global_size(config: HaproxyConfig, keyword: str, default: int) -> int | None:
    line = config.global_line(keyword)
    if line is None:
        return default
    if line.conditions or not line.arguments or line.arguments[0].references:
        return None
    try:
        return parse_size(line.arguments[0].value)
    except ValueProblem:
        return None


def _retries(config: HaproxyConfig, frontend: Proxy, backend: Proxy) -> Retries:
    count, again = backend.effective("retries"), backend.effective("retry-on")
    written = DEFAULT_RETRIES if count.value is None else -1
    if count.value is not None and count.value.isdecimal():
        written = whole_number(count.value)
    decided = any(
        any(proxy.lines("http-request", "disable-l7-retry")) for proxy in (frontend, backend)
    )
    return Retries(
        tries=max(written, 0) + 1,
        after_sending=backend.is_http
        and written > 0
        and any(word.value not in BEFORE_SENDING for word in again.words),
        statement=again.line,
        is_certain=config.is_whole
        and written >= 0
        and not decided
        and count.is_certain
        and again.is_certain,
    )


def _pool(config: HaproxyConfig, backend: Proxy) -> Pool:
    closes = backend.option("httpclose") or backend.option("http-server-close")
    mode = backend.effective("mode")
    is_mode_known = mode.is_certain and (mode.is_set or config.is_whole)
    return Pool(
        name=backend.name,
        statement=backend.header,
        servers=tuple(
            _server(backend, server, closes, is_mode_known)
            for server in backend.servers
            if server.address is not None
        ),
        # Without a limit, HAProxy keeps idle connections to each server (pool-max-conn -1).
        keepalive=Setting(0 if closes else None, closes, True),
    )


def _server(
    backend: Proxy, server: ServerModel, closes: Line | None, is_mode_known: bool
) -> Server:
    assert server.address is not None
    assert server.address_word is not None
    return Server(
        statement=server.line,
        address=server.address,
        address_span=server.address_word.span,
        protocol=_protocol(backend, server),
        is_tls=server.has("ssl"),
        is_backup=server.is_backup,
        is_down=server.is_disabled,
        sends_proxy_protocol=any(server.has(keyword) for keyword in SENDS_PROXY),
        is_checked=server.is_checked,
        idle=_idle_of_server(backend, server, closes),
        is_certain=is_mode_known and server.is_certain,
    )


def _protocol(backend: Proxy, server: ServerModel) -> str:
    if not backend.is_http:
        return TCP
    proto = server.value("proto")
    if proto is not None:
        return {"h2": H2, "h1": HTTP1, "fcgi": "fastcgi"}.get(proto.value, proto.value)
    if backend.effective("use-fcgi-app").is_set:
        return "fastcgi"
    # ALPN is a part of the TLS handshake.
    return NEGOTIATED if server.has("ssl") else HTTP1


def _idle_of_server(backend: Proxy, server: ServerModel, closes: Line | None) -> Setting[float]:
    """`pool-purge-delay`: half of the idle connections live longer than that."""
    if closes is not None:
        return Setting(0, closes, True)
    most, delay = server.value("pool-max-conn"), server.value("pool-purge-delay")
    if most is not None and most.value == "0":
        return Setting(0, server.line, True)
    parameter = server.parameter("pool-purge-delay")
    is_certain = delay is None or not delay.references
    # Without reuse among clients each client's own connection lives as long as the client's.
    is_certain = is_certain and backend.effective("http-reuse").value != "never"
    seconds = server.seconds("pool-purge-delay", DEFAULT_PURGE_SECONDS)
    return Setting(seconds, None if parameter is None else server.line, is_certain)
