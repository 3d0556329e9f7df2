"""The `zone` of an upstream, without which its state is not shared by the workers."""

from __future__ import annotations

from gwlint.edits import Edit
from gwlint.model.nginx.upstream import Upstream
from gwlint.syntax.nginx.amend import added_before

ZONE_SIZE = "64k"


def zone_edits(upstream: Upstream) -> tuple[Edit, ...]:
    """The edit that adds a `zone` at the top; none when the upstream has one, or nothing at all.

    The name is prefixed, as zones of http and stream and of other directives must differ
    (measured: "is already declared for a different use").
    """
    block = upstream.directive.block
    first = next(iter(block.directives), None) if block is not None else None
    if upstream.zone is not None or first is None:
        return ()
    module = "upstream" if upstream.is_http else "stream_upstream"
    return (added_before(first, f"zone {module}_{upstream.name} {ZONE_SIZE};"),)
