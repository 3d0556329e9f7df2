"""Routes that carry web sockets: those that upgrade, and those whose name says they should.

A web socket begins as an HTTP/1.1 request with `Connection: Upgrade` (RFC 6455, section 4.1). Both
headers belong to one connection, so nginx passes them on only where it is told to.
"""

from __future__ import annotations

import re

from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Pass

_NAMES = frozenset(
    {
        "ws",
        "wss",
        "websocket",
        "websockets",
        "web-socket",
        "websockify",
        "socket.io",
        "sockjs",
        "cable",
        "signalr",
        "hubs",
    }
)
"""Parts of a path that stand for web sockets: plain ones, noVNC, Socket.IO, SockJS, Action Cable,
SignalR. `hub` is left out: JupyterHub has a path of that name for plain requests."""

_PART = re.compile(r"[A-Za-z0-9_.-]+")
_REGEX_PART = re.compile(r"[A-Za-z0-9_-]+(?:\\\.[A-Za-z0-9_-]+)*")


def is_upgraded(route: Pass) -> bool:
    """Whether the route passes an Upgrade header on, so that its connections may become tunnels."""
    word = route.header("Upgrade") if route.is_http else None
    return word is not None and word.value != ""


def names_websockets(context: Context) -> str | None:
    """The part of the location's path that says web sockets; None when there is none."""
    location = context.within("location")
    if location is None or location.directive is None:
        return None
    values = location.directive.values
    if len(values) == 2 and values[0] in ("~", "~*"):
        parts = [part.replace("\\", "") for part in _REGEX_PART.findall(values[1])]
    else:
        parts = _PART.findall(values[-1]) if values else []
    return next((part for part in parts if part.lower() in _NAMES), None)


def has_root_path(context: Context) -> bool:
    """Whether the location is `/`, to which plain requests come for certain."""
    location = context.within("location")
    return (
        location is not None
        and location.directive is not None
        and location.directive.values in (["/"], ["^~", "/"])
    )
