"""Where requests are sent: every address in an upstream or behind a pass directive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.upstream import Upstream, UpstreamServer
from gwlint.rules.addresses.destinations import upstreams_are_known
from gwlint.source import Span, encode
from gwlint.syntax.nginx.tree import Directive, Word
from gwlint.syntax.values.address import Address, Family


@dataclass(frozen=True, slots=True)
class Target:
    """One address to which requests go, and the passes that lead there.

    `server` is the line of an upstream, None for an address that stands in the pass itself.
    """

    directive: Directive
    word: Word
    address: Address
    context: Context
    upstream: Upstream | None
    server: UpstreamServer | None
    routes: Sequence[Pass]

    @property
    def host(self) -> str:
        """The host in one spelling; empty for sockets."""
        return self.address.canonical_host or ""

    @property
    def is_name(self) -> bool:
        """Whether the host has to be looked up."""
        return self.address.family is Family.NAME and not self.address.has_hopeless_host

    @property
    def host_span(self) -> Span:
        """Where the host stands; the whole word when it is written with escapes."""
        return part_of(self.word, self.address.host or "") or self.word.span


def targets(config: NginxConfig) -> Iterator[Target]:
    """The addresses of all upstreams and passes that can be read; no variables.

    Names in passes that may be upstreams in files that were not read are left out.
    """
    for upstream in config.upstreams:
        routes = config.passes_to(upstream)
        for server in upstream.servers:
            word, address = server.address_word, server.address
            if word is not None and address is not None and not address.variables:
                yield Target(
                    server.directive, word, address, upstream.context, upstream, server, routes
                )
    are_known = upstreams_are_known(config)
    for route in config.passes:
        address = route.address
        if address is None or address.variables or "$" in route.destination.scheme:
            continue
        may_be_upstream = address.family is Family.NAME and ":" not in route.destination.authority
        if may_be_upstream and not are_known and "." not in (address.host or ""):
            continue
        yield Target(route.directive, route.word, address, route.context, None, None, (route,))


def part_of(word: Word, text: str) -> Span | None:
    """Where `text`, a host, stands in the word behind its scheme; None when it is not found."""
    raw = encode(text)
    at = word.raw.find(raw, max(word.raw.find(b"://"), 0)) if raw else -1
    if at == -1:
        return None
    return Span(word.source, word.start + at, word.start + at + len(raw))
