"""Which upstream names a configuration has, and whether that is all of them."""

from __future__ import annotations

from gwlint.model.nginx.config import NginxConfig


def upstreams_are_known(config: NginxConfig) -> bool:
    """Whether no file that could not be read may define more upstreams."""
    return config.main.is_complete and all(
        context.is_complete
        for context in config.main.children
        if context.kind in ("http", "stream")
    )


def server_hosts(config: NginxConfig) -> frozenset[str]:
    """The host names that servers of upstreams have, so that they are known to be names."""
    return frozenset(
        server.address.canonical_host
        for upstream in config.upstreams
        for server in upstream.servers
        if server.address is not None and server.address.canonical_host
    )
