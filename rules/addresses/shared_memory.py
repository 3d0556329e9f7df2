"""The `zone` of an upstream, without which its state is not shared by the workers."""

from __future__ import annotations

from gwlint.edits import Edit
from gwlint.model.nginx.upstream import Upstream
from gwlint.syntax.nginx.amend import added_before

ZONE_SIZE = "64k"


def zone_edits(upstream: Upstream) -> tuple[Edit, ...]:
    """The edit that adds a `zone`; none when the upstream has one, or no server.

    The name is prefixed, as zones of http and stream and of other directives must differ
    (measured: "is already declared for a different use").
    """
    if upstream.zone is not None or not upstream.servers:
        return ()
    module = "upstream" if upstream.is_http else "stream_upstream"
    first = upstream.servers[0].directive
    return (added_before(first, f"zone {module}_{upstream.name} {ZONE_SIZE};"),)
