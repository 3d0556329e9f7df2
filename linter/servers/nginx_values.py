"""Stand-ins inside the arguments of nginx directives: addresses, URLs, syslog targets."""

from __future__ import annotations

import re
from collections.abc import Collection

from gwlint.servers.standins import StandIns, has_ipv6_loopback, is_address

_URL = re.compile(r"(?P<scheme>[a-z0-9+.-]+://)?+(?P<host>[^/:\[\]$?#,]+)(?P<rest>.*)", re.S)
_SYSLOG = re.compile(r"(?P<before>syslog:(?:[^,]*,)*server=)(?P<host>[^,:\[\]]+)(?P<rest>.*)", re.S)
_LISTEN = re.compile(r"(?:(?P<host>\[[^\]]*\]|[^:\[\]]+):)?(?P<ports>[0-9]{1,5}(?:-[0-9]{1,5})?)")
_HOST = re.compile(r"\[[^\]]*\]|(?![0-9]+$)[^:\[\]$]+")
LARGEST_PORT = 65535


def without_host(value: str, standins: StandIns, known: Collection[str] = ()) -> str:
    """A URL or `host:port` with an address for its host name.

    Names in `known` (upstreams, in lower case) stay, as does what holds variables or is a path.
    """
    found = _URL.fullmatch(value)
    if found is None or value.startswith("unix:") or "unix:/" in value:
        return value
    host = found["host"]
    if host.lower() in known or is_address(host) or found["rest"].startswith("$"):
        return value
    return f"{found['scheme'] or ''}{standins.host(host)}{found['rest']}"


def log_target(value: str, standins: StandIns) -> str:
    """Where a log goes: a file of the scratch folder, or syslog at a loopback address."""
    if value in ("off", "stderr") or "$" in value or value.startswith("memory:"):
        return value
    if not value.startswith("syslog:"):
        return str(standins.path(value))
    found = _SYSLOG.fullmatch(value)
    if found is None or found["host"] == "unix":
        return value
    return f"{found['before']}{standins.host(found['host'])}{found['rest']}"


def listen_address(value: str, standins: StandIns) -> str:
    """A loopback address with a high port for the argument of `listen`.

    nginx opens listening sockets while it tests. A port in use is no error then, but a port below
    1024 is one for ordinary users, and so is an address of another machine.
    """
    if value.startswith("unix:"):
        return f"unix:{standins.path(value)}"
    found = _LISTEN.fullmatch(value)
    if found is not None:
        host, ports = found["host"] or "*", found["ports"]
    elif _HOST.fullmatch(value):
        host, ports = value, "80"
    else:
        return value
    if not all(0 < int(port) <= LARGEST_PORT for port in ports.split("-")):
        return value
    port = standins.port(host.lower(), ports)
    loopback = "[::1]" if host.startswith("[") and has_ipv6_loopback() else "127.0.0.1"
    return f"{loopback}:{port}"
