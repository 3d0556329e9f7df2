"""Which hosts a destination with variables has, and which of them nginx has to look up.

Measured on nginx 1.22.1 and 1.31.3: it needs no resolver for an IP address, a socket, an upstream
without a port behind its name, and the host and port of a pass without variables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Destination, Pass
from gwlint.model.nginx.variables import MAX_VALUES, Variables, exactly, pieces

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_STARTS_WITH_SLASH = frozenset({"request_uri", "uri", "document_uri"})
_END = re.compile("[/?]")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class Host:
    """Where a request goes. `port` is None when it is not written, "" when it is not known."""

    scheme: str
    name: str
    port: str | None


class KnownHosts:
    """The names that need no resolver: upstream blocks, and hosts of passes without variables."""

    def __init__(self, config: NginxConfig, is_http: bool) -> None:
        self.upstreams: dict[str, Context] = {
            one.name.lower(): one.context for one in config.upstreams if one.is_http is is_http
        }
        self._literal: set[tuple[str, str | None]] = set()
        for route in config.passes:
            if route.is_http is is_http and "$" not in route.word.value:
                host = _host(route.destination.scheme, route.destination.authority)
                self._literal.add((host.name.lower(), _port(host)))
        self._literal_names = {name for name, _ in self._literal}

    def has(self, host: Host) -> bool:
        name = host.name.lower()
        if not name or name.startswith("unix:") or _is_ip(name):
            return True
        if host.port is None and name in self.upstreams:
            return True
        port = _port(host)
        if not port:
            return name in self._literal_names
        return (name, port) in self._literal


def _port(host: Host) -> str | None:
    return _DEFAULT_PORTS.get(host.scheme) if host.port is None else host.port


def _is_ip(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _host(scheme: str, authority: str) -> Host:
    if authority.startswith(("unix:", "[")):
        return Host(scheme, authority.partition("]")[0], None)
    name, colon, port = authority.partition(":")
    return Host(scheme, name, port if colon else None)


def certain_hosts(route: Pass, variables: Variables) -> list[Host]:
    """The hosts that the destination certainly has for some requests."""
    texts, ended = {""}, set[str]()
    for part, name in pieces(route.word.value):
        values = exactly(part) if name is None else variables.of(name, route.context)
        if name in _STARTS_WITH_SLASH:
            values = exactly("/")
        if not values.known:
            # Behind a colon it is a port, whatever it is.
            ended |= {text for text in texts if ":" in _authority(text)}
        texts = {text + value for text in texts for value in values.known}
        ended |= {text for text in texts if _END.search(_authority(text))}
        texts -= ended
        if len(texts) > MAX_VALUES:
            return []
    default = "" if route.family == "proxy" and route.is_http else route.destination.scheme
    parsed = [Destination.parse(text, default) for text in ended | texts]
    # proxy_pass without a scheme is another fault: "invalid URL prefix".
    return [_host(one.scheme, one.authority) for one in parsed if one.scheme]


def _authority(text: str) -> str:
    """What stands behind the scheme."""
    found = _SCHEME.match(text)
    return text[found.end() :] if found else text
