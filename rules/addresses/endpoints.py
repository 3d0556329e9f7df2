"""Every address that requests go to, in the configurations of both dialects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.model.deployment import Deployment
from gwlint.model.haproxy.proxy import BACKEND_KINDS
from gwlint.rules.addresses.targets import part_of, targets
from gwlint.source import Span, Statement
from gwlint.syntax.values.address import Address


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and where it is written; `span` is the address alone."""

    statement: Statement
    span: Span
    address: Address


def endpoints(deployment: Deployment) -> Iterator[Endpoint]:
    """The addresses of servers and pass directives that can be read; no variables, none marked
    down or disabled. Names that may be upstreams in files that were not read are left out."""
    for nginx in deployment.nginx:
        for target in targets(nginx):
            if target.server is None:
                authority = target.routes[0].destination.authority
                span = part_of(target.word, authority) or target.word.span
                yield Endpoint(target.directive, span, target.address)
            elif not target.server.is_down:
                yield Endpoint(target.directive, target.word.span, target.address)
    for haproxy in deployment.haproxy:
        for proxy in haproxy.proxies:
            if proxy.kind not in BACKEND_KINDS or proxy.is_disabled:
                continue
            for server in proxy.servers:
                address, word = server.address, server.address_word
                if address is None or word is None or address.variables or server.is_disabled:
                    continue
                yield Endpoint(server.line, word.span, address)
