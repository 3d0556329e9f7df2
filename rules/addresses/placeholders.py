"""Addresses from manuals that were never filled in."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

from gwlint.syntax.values.address import Address, Family

_DOCUMENTATION = tuple(
    ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)
"""RFC 5737 and RFC 3849: never routed."""

_RESERVED_NAME = re.compile(r"(?:.*\.)?(?:example\.(?:com|net|org)|example|invalid)")
"""RFC 2606: nobody's. A single label may be a container, so `example` needs a dot before it."""

_TO_BE_FILLED_IN = re.compile(
    r"(?<![a-z])your(?:[-_.]|domain|server|host|backend|app|ip|site)|change[-_]?me|replace[-_]?me"
    r"|placeholder|(?:^|[-_.])todo(?:$|[-_.])|[<>]|x+\.x+\.x+\.x+|xxx+",
    re.IGNORECASE,
)


def placeholder_reason(address: Address) -> str | None:
    """Why the host of an address is nobody's; None when it may be somebody's."""
    host = address.canonical_host or ""
    if address.family in (Family.IPV4, Family.IPV6):
        literal = ip_address(host)
        if any(literal in network for network in _DOCUMENTATION):
            return "is reserved for documentation"
        return None
    if address.family is not Family.NAME:
        return None
    if "." in host and _RESERVED_NAME.fullmatch(host):
        return "is reserved for documentation"
    if _TO_BE_FILLED_IN.search(host):
        return "was to be replaced"
    return None
