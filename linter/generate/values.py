"""What the values of a spec may look like: each function reads one, or raises FormError.

Nothing that passes here can leave its place in a configuration: names, hosts and paths admit only
letters that neither server reads as syntax; file names admit more and are quoted (quoting.py).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable

from gwlint.generate.problems import FormError
from gwlint.syntax.nearest import nearest
from gwlint.syntax.version import Version

MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
BYTES = {"": 1, "k": 1024, "m": 1024 * 1024, "g": 1024 * 1024 * 1024}

_DURATION = re.compile(r"([0-9]{1,10})(ms|s|m|h|d)", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,12})([kmg]?)", re.ASCII | re.IGNORECASE)
_RATE = re.compile(r"([0-9]{1,6})/([sm])", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}", re.ASCII)
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,31}", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_ROUTE = re.compile(r"(?:/[A-Za-z0-9._~@+,=:*-]+)*/?", re.ASCII)
_TARGET = re.compile(r"/[A-Za-z0-9._~@+,=:*/?&-]*", re.ASCII)

DOCUMENTATION = [
    ipaddress.ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
"""Networks that exist in manuals only (RFC 5737, RFC 3849)."""


def shown(text: str) -> str:
    """A value as a message shows it: short, on one line, control characters escaped."""
    short = text if len(text) <= 60 else text[:57] + "..."
    return '"' + short.encode("unicode_escape").decode("ascii") + '"'


def duration(at_least: str, at_most: str) -> Callable[[str], int]:
    """A reader of times such as 500ms, 30s, 5m, 1h within bounds; gives milliseconds."""

    def read(text: str) -> int:
        match = _DURATION.fullmatch(text)
        if not match:
            meant = f"{text}s" if re.fullmatch("[0-9]{1,6}", text) else None
            raise FormError(f"{shown(text)} is no time; write 500ms, 30s, 5m or 1h", meant)
        value = int(match[1]) * MILLISECONDS[match[2]]
        if not milliseconds(at_least) <= value <= milliseconds(at_most):
            raise FormError(f"{text} is out of range: {at_least} to {at_most}")
        return value

    return read


def milliseconds(text: str) -> int:
    """The milliseconds of a well-formed time."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(text)
    return int(match[1]) * MILLISECONDS[match[2]]


def size(at_least: str, at_most: str) -> Callable[[str], int]:
    """A reader of sizes such as 16k or 10m within bounds; gives bytes."""

    def read(text: str) -> int:
        match = _SIZE.fullmatch(text)
        if not match:
            raise FormError(f"{shown(text)} is no size; write 16k, 10m or 1g")
        value = int(match[1]) * BYTES[match[2].lower()]
        if not _bytes(at_least) <= value <= _bytes(at_most):
            raise FormError(f"{text} is out of range: {at_least} to {at_most}")
        return value

    return read


def _bytes(text: str) -> int:
    return int(text.rstrip("kmg")) * BYTES[text.lstrip("0123456789")]


def whole(at_least: int, at_most: int) -> Callable[[str], int]:
    """A reader of whole numbers within bounds."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
            raise FormError(f"{shown(text)} is no whole number")
        if not at_least <= int(text) <= at_most:
            raise FormError(f"{int(text)} is out of range: {at_least} to {at_most}")
        return int(text)

    return read


def one_of(*choices: str) -> Callable[[str], str]:
    """A reader of a choice."""

    def read(text: str) -> str:
        if text not in choices:
            raise FormError(
                f"{shown(text)} is not one of {', '.join(choices)}", likely(text, choices)
            )
        return text

    return read


def likely(word: str, choices: Iterable[str]) -> str | None:
    """The choice that a misspelt word was probably meant to be."""
    found = nearest(word.lower()[:60], choices, 2)
    return found[0] if found else None


def rate(text: str) -> tuple[int, str]:
    """A number of requests a second or minute: 20/s gives (20, "s")."""
    match = _RATE.fullmatch(text)
    if not match or int(match[1]) == 0:
        raise FormError(f"{shown(text)} is no rate; write 20/s or 5/m")
    return int(match[1]), match[2]


def processes(text: str) -> int | None:
    """A number of worker processes, or None for `auto`: one for each processor."""
    if text == "auto":
        return None
    if not text.isdigit():
        raise FormError(f"{shown(text)} is neither auto nor a number", likely(text, ["auto"]))
    return whole(1, 64)(text)


def name(text: str) -> str:
    """The name of a site, pool or limit: it becomes part of names in the configuration."""
    if not _NAME.fullmatch(text):
        raise FormError(
            f"{shown(text)} is no name; use lower case letters, digits, - and _, a letter first"
        )
    return text


def account(text: str) -> str:
    """A system user or group."""
    if not _ACCOUNT.fullmatch(text):
        raise FormError(f"{shown(text)} is no user or group name")
    return text


def host(text: str) -> str:
    """A host name that clients ask for, in lower case; `*.example.net` means any name below."""
    labels = text.lower().removeprefix("*.").split(".")
    if "*" in text.removeprefix("*."):
        raise FormError(f"{shown(text)}: a * can only be the whole first label, as in *.shop.net")
    if any(letter > "\x7f" for letter in text) and "." in text:
        raise FormError(f"{shown(text)} is not ASCII; write the name in its xn-- form")
    if ":" in text and _is_name(text.partition(":")[0].lower().split(".")):
        raise FormError(f"{shown(text)}: a host has no port", text.partition(":")[0])
    if not _is_name(labels):
        raise FormError(f"{shown(text)} is no host name")
    return text.lower()


def single_host(text: str) -> str:
    """A host name that is not a wildcard."""
    if text.startswith("*"):
        raise FormError(f"{shown(text)} stands for many hosts; name one")
    return host(text)


def _is_name(labels: list[str]) -> bool:
    return sum(map(len, labels)) + len(labels) <= 254 and all(
        _LABEL.fullmatch(label) for label in labels
    )


def route_path(text: str) -> str:
    """A path prefix, without its final slash: `/api` and `/api/` are the same prefix."""
    if not text.startswith("/"):
        meant = f"/{text}" if _ROUTE.fullmatch(f"/{text}") else None
        raise FormError(f"{shown(text)} is no path prefix; it begins with /", meant)
    parts = text.split("/")
    if len(text) > 500 or not _ROUTE.fullmatch(text) or "." in parts or ".." in parts:
        raise FormError(
            f"{shown(text)} is no path prefix; it has letters, digits, - . _ ~ @ + , = : * "
            "between single slashes"
        )
    return text.rstrip("/") or "/"


def request_target(text: str) -> str:
    """A path, with a query perhaps, for health checks to ask for."""
    if len(text) > 500 or not _TARGET.fullmatch(text):
        raise FormError(f"{shown(text)} is no path for a request, such as /healthz")
    return text


def file_path(text: str) -> str:
    """An absolute file name. It may hold blanks and quotes, but nothing that is no character, and
    no `$`: nginx has no way to write one where it looks for variables."""
    if not text.startswith("/") or text.startswith("//"):
        raise FormError(f"{shown(text)} is no absolute path")
    if text.endswith("/"):
        raise FormError(f"{shown(text)} is a folder, not a file")
    if "$" in text:
        raise FormError(f"{shown(text)} holds a $, which cannot be written in nginx")
    if not text.isprintable():
        raise FormError(f"{shown(text)} holds a control character")
    if len(text.encode("utf-8", "surrogatepass")) > 1000:
        raise FormError("the path is longer than 1000 bytes")
    return text


def folder_path(text: str) -> str:
    """An absolute folder name, without its final slash."""
    return file_path(text.rstrip("/") or "/.")


def version(text: str) -> str:
    """A version such as 1.22.1 or 2.8."""
    try:
        return str(Version.parse(text))
    except ValueError:
        raise FormError(f"{shown(text)} is no version; write it like 1.22.1") from None


def ip_address(text: str) -> str:
    """An IP address, IPv6 without brackets."""
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise FormError(f"{shown(text)} is no IP address") from None


def bind_address(text: str) -> str:
    """The address to listen on: an IP address, or `*` for every IPv4 address."""
    return "*" if text in ("*", "0.0.0.0") else ip_address(text)


def endpoint(text: str) -> tuple[str, int]:
    """HOST:PORT, the host a name or an IP address, IPv6 in brackets."""
    host_text, colon, port_text = text.rpartition(":")
    if not colon or not port_text:
        raise FormError(f"{shown(text)} has no port; write HOST:PORT")
    if not re.fullmatch("[0-9]{1,5}", port_text, re.ASCII):
        raise FormError(f"{shown(text)}: {shown(port_text)} is no port")
    port = whole(1, 65535)(port_text)
    if host_text.startswith("[") and host_text.endswith("]"):
        return ip_address(host_text), port
    if ":" in host_text:
        raise FormError(f"{shown(text)} lacks the brackets of IPv6", f"[{host_text}]:{port}")
    if re.fullmatch(r"[0-9.]+", host_text, re.ASCII):
        return ip_address(host_text), port
    if not _is_name(host_text.lower().split(".")):
        raise FormError(f"{shown(host_text)} is neither an IP address nor a host name")
    return host_text.lower(), port


def server_address(text: str) -> tuple[str, int]:
    """Where an application server listens. Refuses what the linter would warn about."""
    found, port = endpoint(text)
    if found == "localhost":
        raise FormError("localhost may be two addresses, ::1 and 127.0.0.1", f"127.0.0.1:{port}")
    if port in (443, 8443):
        raise FormError(f"port {port} expects TLS, and pools are reached in plain HTTP")
    if is_ip(found):
        address = ipaddress.ip_address(found)
        if address.is_unspecified or address.is_multicast:
            raise FormError(f"no server has the address {found}")
        if any(address.version == net.version and address in net for net in DOCUMENTATION):
            raise FormError(f"{found} is an address for manuals (RFC 5737, RFC 3849)")
    return found, port


def is_ip(text: str) -> bool:
    """Whether a host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def log_destination(text: str) -> str:
    """Where logs go: local, stdout, or the HOST:PORT of a syslog server."""
    if text in ("local", "stdout"):
        return text
    if ":" not in text:
        meant = likely(text, ["local", "stdout"])
        raise FormError(f"{shown(text)} is neither local, stdout nor HOST:PORT", meant)
    host_text, port = endpoint(text)
    return f"[{host_text}]:{port}" if ":" in host_text else f"{host_text}:{port}"
