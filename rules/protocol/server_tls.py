"""TLS from HAProxy to its servers: which servers speak it, and how they are verified."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.values.address import Family

_PUBLIC_AUTHORITIES = frozenset(
    {"ca-bundle.crt", "ca-bundle.pem", "ca-certificates.crt", "cert.pem", "tls-ca-bundle.pem"}
)
"""File names under which Linux distributions keep the authorities that browsers trust."""

SNI_AUTO_SINCE = "3.3"
"""From here on HAProxy sends the Host name as SNI by itself (sni-auto), and verifies it."""

_HOST_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class TlsServer:
    """A server that HAProxy speaks TLS to.

    `global_verify` is the line `ssl-server-verify` of the global section, if it is there.
    """

    backend: Proxy
    server: Server
    global_verify: Line | None

    @property
    def verifies(self) -> bool:
        """Whether the certificate is verified: the default, unless `verify` or global says none."""
        own = self.server.value("verify")
        if own is not None:
            return own.value != "none"
        return self.global_verify is None or self.global_verify.values[:1] != ["none"]

    @property
    def host_name(self) -> str | None:
        """The name that the server is reached by, with a dot in it; None for addresses."""
        address = self.server.address
        if address is None or address.family is not Family.NAME:
            return None
        host = address.canonical_host or ""
        return host if _HOST_NAME.fullmatch(host) else None

    @property
    def is_local(self) -> bool:
        """Whether the connection stays on this machine."""
        address = self.server.address
        return address is not None and (address.is_loopback or not address.family.is_network)

    @property
    def trusts_public_authorities(self) -> bool:
        """Whether anybody may get a certificate that is trusted here."""
        file = self.server.value("ca-file")
        if file is None:
            return False
        return file.value == "@system-ca" or PurePosixPath(file.value).name in _PUBLIC_AUTHORITIES


def tls_servers(config: HaproxyConfig, *, or_checks: bool = False) -> Iterator[TlsServer]:
    """The servers with `ssl` in force, where nothing about them hangs on a variable or `.if`.

    `or_checks`: also those that only their health checks speak TLS to (`check-ssl`).
    """
    verify = config.global_line("ssl-server-verify")
    for backend in config.backends:
        if backend.is_disabled:
            continue
        for server in backend.servers:
            speaks = server.has("ssl") or (or_checks and server.has("check-ssl"))
            if server.line.conditions or not speaks:
                continue
            if server.inherits_conditions:
                continue
            if any(one.uncertain or one.unknown for one in server.parsed.parameters):
                continue
            yield TlsServer(backend, server, verify)


def check_sni_words(server: Server, name: str) -> list[str]:
    """`check-sni` where a health check speaks TLS and sends no name of its own."""
    if server.has("check") and not server.has("check-sni"):
        return ["check-sni", name]
    return []
