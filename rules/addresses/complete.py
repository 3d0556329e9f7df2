"""Whether a HAProxy configuration is all that one process loads."""

from __future__ import annotations

from gwlint.model.haproxy.config import HaproxyConfig


def is_whole(config: HaproxyConfig) -> bool:
    """Whether nothing that is missing here is likely to stand in another file.

    A file with neither `global` nor `defaults` is loaded together with one that has them; so what
    it lacks may be there.
    """
    return not config.is_fragment and any(
        section.kind in ("global", "defaults") for section in config.sections
    )
