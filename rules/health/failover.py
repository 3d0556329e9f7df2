"""The `next_upstream` settings in force, each with the upstreams whose failover it decides."""

from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.effective import Effective
from gwlint.model.nginx.upstream import Upstream


def next_upstream_settings(config: NginxConfig) -> Iterator[tuple[Effective, Upstream]]:
    """Each directive such as `proxy_next_upstream` once, with the first upstream of several
    servers whose requests it governs. Only directives that are written are given."""
    seen: set[int] = set()
    for route in config.passes:
        upstream = route.upstream
        if upstream is None or not upstream.has_failover:
            continue
        setting = route.effective("next_upstream")
        directive = setting.directive
        if directive is None or not setting.is_certain or id(directive) in seen:
            continue
        seen.add(id(directive))
        yield setting, upstream
