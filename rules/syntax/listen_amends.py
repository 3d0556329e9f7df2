"""Edits on the parameters of `listen`, and what has to change together with them."""

from __future__ import annotations

from collections import defaultdict

from gwlint.edits import Edit
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.source import Span
from gwlint.syntax.nginx.amend import added_after
from gwlint.syntax.nginx.tree import Directive, Word
from gwlint.syntax.values.nginx_address import parse_listen_address
from gwlint.syntax.values.problem import ValueProblem

Socket = tuple[str, int | None, int | None, str | None]

MAX_SHARING = 20
"""A change that concerns more servers than these besides the one in question is not offered."""


class ServerSockets:
    """Which servers of http share a listening socket, on which a parameter then holds for all."""

    def __init__(self, config: NginxConfig) -> None:
        self.config = config
        self._listens: dict[Socket, list[tuple[Context, Directive]]] = defaultdict(list)
        self._without: dict[tuple[Socket, str], list[Context]] = {}
        for context, directive in config.find("listen"):
            socket = _socket(directive)
            if context.kind == "http server" and socket is not None:
                self._listens[socket].append((context, directive))

    def without(self, directive: Directive, parameter: str) -> list[Context]:
        """The servers that share its socket and do not ask for the parameter themselves.

        `ssl on` in the server asks for ssl as well.
        """
        socket = _socket(directive)
        if socket is None:
            return []
        key = socket, parameter
        if key not in self._without:
            self._without[key] = [
                context
                for context, other in self._listens.get(socket, ())
                if parameter not in other.values[1:]
                and not (parameter == "ssl" and context.effective("ssl").value == "on")
            ]
        return self._without[key]


def parameter(directive: Directive, name: str) -> Word | None:
    """The word of a parameter of `listen` that has no value."""
    return next((word for word in directive.arguments[1:] if word.value == name), None)


def parameter_removed(directive: Directive, word: Word) -> Edit:
    """The parameter goes, with the blanks before it."""
    words = directive.words
    before = words[words.index(word) - 1]
    gap = Span(word.source, before.end, word.start)
    start = word.start if gap.raw.strip() else before.end
    return Edit.delete(Span(word.source, start, word.end))


def http2_edits(sockets: ServerSockets, server: Context) -> tuple[Edit, ...] | None:
    """`listen ... http2` of a server becomes `http2 on`; None when that would change more.

    `listen ... http2` holds for all servers of the socket, `http2 on` for its server alone, so
    the servers that had it from another one get it as well.
    """
    if sockets.config.is_fragment:
        return None
    edits: dict[Edit, None] = {}
    concerned = {id(server): server}
    for directive in server.own("listen"):
        word = parameter(directive, "http2")
        if word is None:
            continue
        if len(sockets.config.contexts_of(directive)) > 1:
            return None
        edits[parameter_removed(directive, word)] = None
        others = sockets.without(directive, "http2")
        if len(others) > MAX_SHARING:
            return None
        concerned.update({id(other): other for other in others})
    for one in concerned.values():
        setting = one.effective("http2")
        if not setting.is_certain:
            return None
        if setting.is_set and setting.value == "on":
            continue
        last = one.own("listen")[-1]
        if setting.is_set or len(sockets.config.contexts_of(last)) > 1:
            return None
        edits[added_after(last, "http2 on;")] = None
    return tuple(edits)


def _socket(directive: Directive) -> Socket | None:
    if not directive.values:
        return None
    try:
        address = parse_listen_address(directive.values[0])
    except ValueProblem:
        return None
    host = "" if address.is_any and address.canonical_host != "::" else address.canonical_host
    return host or "", address.port, address.port_end, address.path
