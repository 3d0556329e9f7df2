"""Resolvers sections that have nobody to ask.

Measured on 2.6.12 and 2.8.25: HAProxy starts with the warning "resolvers 'dns' has no nameservers
configured!", and a server that relies on the section gets no address from it.
"""

from __future__ import annotations

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.server import Server
from gwlint.syntax.haproxy.tree import Section


def mute_resolvers(config: HaproxyConfig) -> dict[str, Section]:
    """Name -> section, of those with neither `nameserver` nor `parse-resolv-conf`."""
    return {
        section.name.value: section
        for section in config.sections
        if section.kind == "resolvers"
        and section.name is not None
        and not section.name.references
        and not any(line.keyword in ("nameserver", "parse-resolv-conf") for line in section.lines)
    }


def has_nameservers(server: Server, mute: dict[str, Section]) -> bool:
    """Whether the server has resolvers that can answer; sections not seen here are taken to."""
    word = server.value("resolvers")
    return server.has("resolvers") and (word is None or word.value not in mute)
