"""One address, the same for both servers, so that hops can be joined by it."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


class Family(Enum):
    """What kind of place an address names. NAME is resolved; UNKNOWN hangs on a variable."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    NAME = "name"
    ANY = "any"
    UNIX = "unix"
    ABSTRACT = "abns"
    DESCRIPTOR = "fd"
    SOCKET_PAIR = "sockpair"
    REVERSE = "rhttp"
    UNKNOWN = "unknown"

    @property
    def is_network(self) -> bool:
        """Whether host and port mean something."""
        return self in _NETWORK


_NETWORK = frozenset({Family.IPV4, Family.IPV6, Family.NAME, Family.ANY, Family.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Address:
    """An address as written.

    host: literal without brackets, or name; "" stands for every local address (`*`, none
        given); None when it comes from a variable.
    port: None when none is written, or when it comes from a variable (`port_unknown`).
    port_end: last port of a range, else None.
    offset: `+10` or `-10`: HAProxy adds it to the port the client came in on.
    path: path of a unix socket or name of an abstract one or of a reverse-HTTP server; None when
        it comes from a variable.
    descriptor: file descriptor of `fd@` and `sockpair@`.
    prefix: what stood before the `@` (`ipv4`, `stream+unix`), or nginx's `unix:`; else "".
    transport: "stream", "dgram" or "quic".
    variables: references in the text, as written (`${HOST}`, `$upstream`).
    """

    text: str
    family: Family
    host: str | None = ""
    port: int | None = None
    port_end: int | None = None
    offset: int | None = None
    port_unknown: bool = False
    path: str | None = None
    descriptor: int | None = None
    prefix: str = ""
    transport: str = "stream"
    variables: tuple[str, ...] = ()

    @property
    def ports(self) -> range:
        """Every port of the address; empty when it has none or it is unknown."""
        if self.port is None:
            return range(0)
        return range(self.port, (self.port if self.port_end is None else self.port_end) + 1)

    @property
    def is_any(self) -> bool:
        """Whether it stands for every local address: `*`, no host, 0.0.0.0, ::."""
        return self.family.is_network and self.canonical_host in ("", "0.0.0.0", "::")

    @property
    def is_loopback(self) -> bool:
        host = self.canonical_host
        return host == "localhost" or is_loopback_literal(host)

    @property
    def canonical_host(self) -> str | None:
        """The host in one spelling: addresses normalised, names in lower case without final dot."""
        return None if self.host is None else canonical_host(self.host)

    @property
    def has_hopeless_host(self) -> bool:
        """Whether no resolver can make an address of the host: `256.1.1.1`, `http:`, `ipv4@::1`."""
        if self.host is None:
            return False
        if self.family is Family.NAME:
            return is_hopeless_name(self.host)
        demanded = self.prefix[-1:]
        return (self.family is Family.IPV4 and demanded == "6") or (
            self.family is Family.IPV6 and demanded == "4"
        )


@lru_cache(maxsize=4096)
def canonical_host(host: str) -> str:
    """`host` with an address literal in its shortest form, or a name in lower case."""
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            return host.lower()
    return host.lower().removesuffix(".")


def family_of_host(host: str) -> Family:
    """IPV4 or IPV6 for a literal, ANY for none, otherwise NAME."""
    if host in ("", "*"):
        return Family.ANY
    for family, number in ((Family.IPV4, socket.AF_INET), (Family.IPV6, socket.AF_INET6)):
        try:
            socket.inet_pton(number, host)
        except (OSError, ValueError):
            continue
        return family
    return Family.NAME


@lru_cache(maxsize=1024)
def is_loopback_literal(host: str | None) -> bool:
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_NUMBERS = re.compile(r"[0-9.]+")
_NEVER_IN_A_NAME = re.compile(r"[^A-Za-z0-9._\x80-\U0010ffff-]")


def is_hopeless_name(host: str) -> bool:
    """Whether `host`, which is no literal, cannot be a name either.

    Digits and dots may still be an address to the C library, which reads `127.1`.
    """
    if _NEVER_IN_A_NAME.search(host):
        return True
    if not _NUMBERS.fullmatch(host):
        return False
    try:
        socket.inet_aton(host)
    except OSError:
        return True
    return False
