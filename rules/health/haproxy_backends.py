"""Backends as the health rules see them: several servers, checked or not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gwlint.edits import Edit
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.syntax.haproxy.amend import words_added
from gwlint.syntax.haproxy.tree import Word

_LITERAL = re.compile(r"""str\((["']?)([^"'()\s\\,]+)\1\)""")

BALANCED_MODES = ("http", "tcp")


def working_servers(backend: Proxy) -> list[Server]:
    """The servers that take traffic: not disabled, and there whatever `.if` decides."""
    return [
        server
        for server in backend.servers
        if not server.is_disabled and not server.line.conditions
    ]


def has_failover(backend: Proxy) -> bool:
    """Whether a request can go to another server. One template stands for several servers."""
    servers = working_servers(backend)
    return len(servers) > 1 or any(one.line.keyword == "server-template" for one in servers)


def balanced_backends(config: HaproxyConfig) -> Iterator[Proxy]:
    """The backends of mode http and tcp that have a server, where their defaults are known."""
    if not config.is_whole:
        return
    for backend in config.backends:
        if backend.mode in BALANCED_MODES and working_servers(backend):
            yield backend


def is_discovered(server: Server) -> bool:
    """Whether DNS decides which servers there are, so that a dead one disappears by itself."""
    return server.line.keyword == "server-template" and server.has("resolvers")


def unchecked(backend: Proxy) -> list[Server]:
    """The servers whose health nobody looks at, in order."""
    return [
        server
        for server in working_servers(backend)
        if not server.is_checked
        and not server.has("agent-check")
        and not is_discovered(server)
        and not _is_open_ended(server)
    ]


def _is_open_ended(server: Server) -> bool:
    """Whether a variable on its line may stand for parameters that are not seen here."""
    return any(parameter.uncertain for parameter in server.parsed.parameters)


def checks_added(servers: Sequence[Server]) -> tuple[Edit, ...] | None:
    """`check` on each server; None when one would need a name or a port that is not known.

    A check of a TLS server that wants a name fails without SNI and marks the server down
    (measured), so the name goes along. So does the PROXY protocol where the check asks at the very
    address that expects it.
    """
    edits: list[Edit] = []
    for server in servers:
        if _has_no_port(server):
            return None
        words = ["check"]
        sni = server.value("sni")
        if sni is not None and not server.has("check-sni"):
            name = literal_name(sni)
            if name is None:
                return None
            words += ["check-sni", name]
        if lacks_proxy_line(server):
            words.append("check-send-proxy")
        edits.append(words_added(server.line, *words))
    return tuple(edits)


def _has_no_port(server: Server) -> bool:
    """Whether the port is that of the client: a check has none to go to, and HAProxy refuses it."""
    address = server.address
    if address is None or not address.family.is_network or server.has("port"):
        return False
    return address.port is None and not address.port_unknown


def literal_name(expression: Word) -> str | None:
    """The name in `str(name)`, None for an expression that depends on the request."""
    match = _LITERAL.fullmatch(expression.value)
    return None if match is None or expression.references else match[2]


def lacks_proxy_line(server: Server) -> bool:
    """Whether a check goes to the port of the traffic, but without the PROXY line sent there.

    A check with a port or address of its own sends none by default, although the port may be that
    of the server (section 5.2, check-send-proxy). Another port need not speak PROXY.
    """
    address, port = server.address, server.value("port")
    if not any(server.has(keyword) for keyword in ("send-proxy", "send-proxy-v2")):
        return False
    if server.last("check-send-proxy") is not None or address is None or server.has("addr"):
        return False
    return port is not None and address.port is not None and port.value == str(address.port)


def names(servers: Sequence[Server]) -> str:
    """Names of servers for messages, the first three and how many more."""
    listed = [server.name for server in servers]
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more
