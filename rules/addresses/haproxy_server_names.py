"""The names of the servers of a backend."""

from __future__ import annotations

from functools import lru_cache

from gwlint.model.haproxy.proxy import Proxy
from gwlint.syntax.values.server_line import parse_template_range

_MOST_TEMPLATE_SERVERS = 10_000
"""More names than this are not written out: a rule must not take longer than the server."""


@lru_cache(maxsize=64)
def server_names(proxy: Proxy) -> dict[str, None] | None:
    """The names in order, those of templates included; None when they are not all known.

    Remembered, since each of thousands of servers may name another one of its backend.
    """
    names: dict[str, None] = {}
    for server in proxy.servers:
        parsed = server.parsed
        if parsed.name is None:
            continue
        if parsed.name.references or (parsed.count is not None and parsed.count.references):
            return None
        if parsed.count is None:
            names[parsed.name.value] = None
            continue
        span = parse_template_range(parsed.count.value)
        if span is None or span.size > _MOST_TEMPLATE_SERVERS:
            return None
        names.update((f"{parsed.name.value}{n}", None) for n in range(span.low, span.high + 1))
    return names
