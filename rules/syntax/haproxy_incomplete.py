"""`bind` and `server` lines that turn something on and leave out what it needs.

Measured on 2.6.12 and 2.8.25: HAProxy does not start; with `strict-sni` it starts with a warning,
and TLS connections fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.syntax.haproxy.tree import Line, Word

_CERTIFICATES = ("crt", "crt-list", "default-crt")
_CERTIFICATE_LINES = ("ssl-f-use",)
"""Lines of a frontend that name certificates for its `bind` lines (since 3.3)."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """`word` of a line needs something else. is_refused: HAProxy does not start without."""

    line: Line
    word: Word
    needs: str
    is_refused: bool


def incomplete(config: HaproxyConfig) -> Iterator[Incomplete]:
    """What is missing for certain: parameters that hang on variables may stand for it."""
    for proxy in config.proxies:
        yield from _binds(proxy)
        if config.is_whole:  # defaults that were not read may hold the port
            for server in proxy.servers:
                yield from _agent(server)


def _binds(proxy: Proxy) -> Iterator[Incomplete]:
    if not proxy.is_frontend or any(proxy.own(keyword) for keyword in _CERTIFICATE_LINES):
        return
    for line, bind in proxy.binds:
        ssl = bind.get("ssl")
        if ssl is None or any(name in bind for name in _CERTIFICATES):
            continue
        if any(one.uncertain or one.unknown for one in bind.parameters):
            continue
        yield Incomplete(line, ssl.keyword, "a certificate: crt FILE", "strict-sni" not in bind)


def _agent(server: Server) -> Iterator[Incomplete]:
    agent = server.parameter("agent-check")
    if agent is None or server.has("agent-port") or server.has("port"):
        return
    if not server.is_certain or server.parsed.unknown:
        return
    word = agent.keyword if agent.keyword in server.line.words else server.line.words[0]
    yield Incomplete(server.line, word, "agent-port", is_refused=True)
