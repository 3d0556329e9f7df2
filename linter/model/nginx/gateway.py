"""An nginx configuration in the neutral terms of `gwlint.model.gateway`."""

from __future__ import annotations

from gwlint.model.gateway import (
    H2,
    HTTP1,
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
from gwlint.model.nginx.buffers import PAGE
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.keepalive import idle_limit, keeps_connections
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.units import bytes_of, seconds_of
from gwlint.source import Span, encode
from gwlint.syntax.nginx.tree import Directive
from gwlint.syntax.values.nginx_address import parse_listen_address
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.whole_numbers import whole_number

PLAIN_H2_BESIDE_HTTP1_SINCE = "1.25.1"
"""Before, a listener without TLS that has `http2` understands nothing else (measured, 1.22.1)."""

_BEFORE_ANSWERING = frozenset({"off", "error", "non_idempotent"})
"""Words of `proxy_next_upstream` by which a request is hardly repeated while a server works on it:
an error is a connection that breaks."""

_SERVERS = ("http server", "stream server")
_OTHER_TRANSPORTS = frozenset({"quic", "udp"})


def nginx_gateway(config: NginxConfig) -> Gateway:
    """One route for each pass directive that leads to an upstream block or a fixed address."""
    listeners = {
        id(context): _listeners(config, context)
        for context in config.main.descendants()
        if context.kind in _SERVERS
    }
    pools = _Pools(config)
    usable: dict[int, int] = {}
    routes: list[Route] = []
    for one in config.passes:
        server = one.context.within("http server") or one.context.within("stream server")
        pool = pools.of(one)
        if pool is None:
            continue
        if id(pool) not in usable:
            usable[id(pool)] = sum(not server.is_down for server in pool.servers)
        routes.append(
            Route(
                statement=one.directive,
                listeners=() if server is None else listeners[id(server)],
                pool=pool,
                timeouts=_timeouts(one),
                is_http=one.is_http,
                is_upgraded=one.header("Upgrade") is not None,
                body_limit=_body_limit(one),
                header_limit=_header_limit(one),
                retries=_retries(one, usable[id(pool)]),
            )
        )
    everywhere = tuple(listener for found in listeners.values() for listener in found)
    return Gateway("nginx", config.root.main.path, tuple(routes), everywhere)


def _listeners(config: NginxConfig, server: Context) -> tuple[Listener, ...]:
    is_http = server.kind == "http server"
    idle = _idle_of_clients(server)
    found: list[Listener] = []
    for directive in server.own("listen"):
        flags = directive.values[1:]
        if not directive.values or not _OTHER_TRANSPORTS.isdisjoint(flags):
            continue
        try:
            address = parse_listen_address(directive.values[0])
        except ValueProblem:
            continue
        is_tls = "ssl" in flags or server.effective("ssl").value == "on"
        found.append(
            Listener(
                statement=directive,
                address=address,
                is_tls=is_tls,
                expects_proxy_protocol="proxy_protocol" in flags,
                protocols=_protocols(config, server, directive, is_tls)
                if is_http
                else frozenset({TCP}),
                idle=idle,
                is_certain=server.is_complete,
            )
        )
    return tuple(found)


def _protocols(
    config: NginxConfig, server: Context, listen: Directive, is_tls: bool
) -> frozenset[str]:
    if "http2" in listen.values[1:]:
        if is_tls or config.is_at_least(PLAIN_H2_BESIDE_HTTP1_SINCE):
            return frozenset({HTTP1, H2})
        return frozenset({H2}) if config.target is not None else frozenset()
    if server.effective("http2").value == "on":
        return frozenset({HTTP1, H2})
    return frozenset({HTTP1})


def _idle_of_clients(server: Context) -> Setting[float]:
    effective = server.effective("keepalive_timeout")
    seconds = None if effective.value is None else seconds_of(effective.value)
    return Setting(seconds, effective.directive, effective.is_certain and seconds is not None)


def _timeouts(one: Pass) -> Timeouts:
    # The stream module has one idle timeout for both directions.
    response = "read_timeout" if one.is_http else "timeout"
    return Timeouts(connect=_time(one, "connect_timeout"), response=_time(one, response))


def _time(one: Pass, suffix: str) -> Setting[float]:
    effective = one.effective(suffix)
    seconds = None if effective.value is None else seconds_of(effective.value)
    return Setting(seconds, effective.directive, effective.is_certain and seconds is not None)


def _body_limit(one: Pass) -> Setting[int]:
    effective = one.context.effective("client_max_body_size")
    size = None if effective.value is None else bytes_of(effective.value)
    is_certain = one.is_http and effective.is_certain and size is not None
    return Setting(size or None, effective.directive, is_certain)


def _header_limit(one: Pass) -> Setting[int]:
    """The status line and the headers must fit into `<family>_buffer_size`, one page by default."""
    effective = one.effective("buffer_size")
    if not effective.is_set:
        return Setting(PAGE, None, one.is_http and effective.is_certain)
    size = one.size("buffer_size")
    return Setting(size, effective.directive, one.is_http and size is not None)


def _retries(one: Pass, usable: int) -> Retries:
    again, limit = one.effective("next_upstream"), one.effective("next_upstream_tries")
    most = whole_number(limit.value) if limit.value is not None and limit.value.isdecimal() else 0
    tries = min(usable, most) if most else usable
    sends_again = tries > 1 and one.is_http and not _BEFORE_ANSWERING.issuperset(again.values)
    is_certain = again.is_certain and limit.is_certain
    return Retries(tries, sends_again, again.directive, is_certain)


class _Pools:
    """Pools, each made once for all routes that speak to an upstream in the same way."""

    def __init__(self, config: NginxConfig) -> None:
        self._config = config
        self._known: dict[tuple[object, ...], Pool] = {}

    def of(self, one: Pass) -> Pool | None:
        if one.upstream is None:
            return None if one.address is None else self._direct(one)
        reuses = keeps_connections(self._config, one)
        key = (id(one.upstream), _protocol(one), _is_tls(one), _sends_proxy(one), reuses)
        if key not in self._known:
            self._known[key] = self._upstream(one, reuses)
        return self._known[key]

    def _direct(self, one: Pass) -> Pool:
        assert one.address is not None
        server = Server(
            statement=one.directive,
            address=one.address,
            address_span=_authority(one),
            protocol=_protocol(one),
            is_tls=_is_tls(one),
            is_backup=False,
            is_down=False,
            sends_proxy_protocol=_sends_proxy(one),
            is_checked=False,
            idle=Setting(0, None, True),
            is_certain=_is_certain(one),
        )
        return Pool(one.destination.authority, one.directive, (server,), Setting(0, None, True))

    def _upstream(self, one: Pass, reuses: bool) -> Pool:
        upstream = one.upstream
        assert upstream is not None
        keepalive = upstream.keepalive
        values = [] if keepalive is None else keepalive.values
        size = whole_number(values[0]) if values and values[0].isdecimal() else 0
        limit = idle_limit(upstream) if reuses else 0
        idle = Setting(
            limit,
            upstream.context.first("keepalive_timeout"),
            upstream.context.is_complete and limit is not None,
        )
        return Pool(
            name=upstream.name,
            statement=upstream.directive,
            servers=tuple(
                Server(
                    statement=server.directive,
                    address=server.address,
                    address_span=server.address_word.span,
                    protocol=_protocol(one),
                    is_tls=_is_tls(one),
                    is_backup=server.is_backup,
                    is_down=server.is_down,
                    sends_proxy_protocol=_sends_proxy(one),
                    # Open source nginx learns only from requests that fail.
                    is_checked=False,
                    idle=idle,
                    is_certain=_is_certain(one),
                )
                for server in upstream.servers
                if server.address is not None and server.address_word is not None
            ),
            keepalive=Setting(size, keepalive, upstream.context.is_complete),
        )


def _protocol(one: Pass) -> str:
    if not one.is_http:
        return TCP
    if one.family == "proxy":
        return H2 if one.effective("http_version").value == "2" else HTTP1
    return H2 if one.family == "grpc" else one.family


def _is_tls(one: Pass) -> bool:
    if one.is_http:
        return one.destination.is_tls
    return one.context.effective("proxy_ssl").value == "on"


def _sends_proxy(one: Pass) -> bool:
    return not one.is_http and one.context.effective("proxy_protocol").value == "on"


def _is_certain(one: Pass) -> bool:
    """Whether no file that was not read may change how a server is spoken to."""
    if one.is_http:
        return one.family != "proxy" or one.effective("http_version").is_certain or _is_tls(one)
    return all(one.context.effective(name).is_certain for name in ("proxy_ssl", "proxy_protocol"))


def _authority(one: Pass) -> Span:
    """Where host and port stand in the argument of the pass directive."""
    word, raw = one.word, encode(one.destination.authority)
    at = word.raw.find(raw, max(word.raw.find(b"://"), 0))
    if at == -1:
        return word.span
    return Span(word.source, word.start + at, word.start + at + len(raw))
