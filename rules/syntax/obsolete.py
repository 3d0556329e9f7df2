"""Directives of nginx that are gone, or on their way out.

Sources: CHANGES of nginx for the versions; what nginx 1.22.1 and 1.31.3 say was measured. "Long
deprecated directives" went in 1.9.1. When exactly the names with spdy began to be refused CHANGES
does not tell: 1.22.1 refuses them (measured).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gwlint.syntax.version import Version

ASSUMED = Version.parse("1.18.0")
"""The version that is judged where no target is given: old, but still in use."""


class Remedy(Enum):
    """How a directive is put right without a change of what nginx does."""

    RENAME = "another name, with the same value"
    REMOVE = "it has no effect"
    MOVE = "it has to be said elsewhere"


@dataclass(frozen=True, slots=True)
class Obsolete:
    """`warned`: from here on nginx warns or ignores it. `refused`: from here on it does not start.

    `instead` is the name that took its place; empty when nothing did.
    """

    warned: str
    refused: str | None
    instead: str
    remedy: Remedy

    def is_refused(self, version: Version) -> bool:
        return self.refused is not None and version >= Version.parse(self.refused)

    def is_warned(self, version: Version) -> bool:
        return version >= Version.parse(self.warned)


def _renamed(instead: str) -> Obsolete:
    return Obsolete("0.8.0", "1.9.1", instead, Remedy.RENAME)


_DEAD = Obsolete("0.8.0", "1.9.1", "", Remedy.REMOVE)
_SPDY = Obsolete("1.9.5", "1.22.1", "", Remedy.REMOVE)
_PUSH = Obsolete("1.25.1", None, "", Remedy.REMOVE)
_STREAM_BUFFER = Obsolete("1.9.4", None, "proxy_buffer_size", Remedy.MOVE)


def _ignored(instead: str) -> Obsolete:
    return Obsolete("1.19.7", None, instead, Remedy.REMOVE)


OBSOLETE: dict[str, Obsolete] = {
    "ssl": Obsolete("1.15.0", "1.25.1", "the parameter ssl of listen", Remedy.MOVE),
    "http2_push": _PUSH,
    "http2_push_preload": _PUSH,
    "http2_max_concurrent_pushes": _PUSH,
    "http2_max_field_size": _ignored("large_client_header_buffers"),
    "http2_max_header_size": _ignored("large_client_header_buffers"),
    "http2_max_requests": _ignored("keepalive_requests"),
    "http2_idle_timeout": _ignored("keepalive_timeout"),
    "http2_recv_timeout": _ignored("client_header_timeout"),
    "spdy_chunk_size": _SPDY,
    "spdy_headers_comp": _SPDY,
    "spdy_keepalive_timeout": _SPDY,
    "spdy_max_concurrent_streams": _SPDY,
    "spdy_pool_size": _SPDY,
    "spdy_recv_buffer_size": _SPDY,
    "spdy_recv_timeout": _SPDY,
    "spdy_streams_index_size": _SPDY,
    "proxy_downstream_buffer": _STREAM_BUFFER,
    "proxy_upstream_buffer": _STREAM_BUFFER,
    "limit_zone": Obsolete("1.1.8", "1.7.6", "limit_conn_zone", Remedy.MOVE),
    "satisfy_any": Obsolete("0.8.0", "1.9.1", "satisfy", Remedy.MOVE),
    "open_file_cache_retest": _renamed("open_file_cache_valid"),
    "fastcgi_redirect_errors": _renamed("fastcgi_intercept_errors"),
    "proxy_redirect_errors": _renamed("proxy_intercept_errors"),
    "optimize_server_names": _DEAD,
    "proxy_upstream_max_fails": _DEAD,
    "proxy_upstream_fail_timeout": _DEAD,
    "fastcgi_upstream_max_fails": _DEAD,
    "fastcgi_upstream_fail_timeout": _DEAD,
    "memcached_upstream_max_fails": _DEAD,
    "memcached_upstream_fail_timeout": _DEAD,
}

LISTEN_PARAMETERS: dict[str, Obsolete] = {
    "http2": Obsolete("1.25.1", None, 'the directive "http2 on"', Remedy.MOVE),
    "spdy": _SPDY,
    "http3": Obsolete("1.25.0", None, "quic", Remedy.RENAME),
}
"""Parameters of `listen` in http."""
