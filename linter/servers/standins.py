"""Stand-ins: harmless values in place of what reaches outside of the configuration.

Equal originals get equal stand-ins and different ones different, for as long as the object lives,
so that duplicates stay duplicates and an original and its corrected form are treated alike.
"""

from __future__ import annotations

import ipaddress
import socket
import tempfile
from functools import cache
from pathlib import Path

FIRST_PORT = 20001
FIRST_HOST = int(ipaddress.IPv4Address("127.1.0.1"))


class StandIns:
    """The stand-ins of one judge, and the scratch folder in which the files among them lie."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gwlint-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self._paths: dict[str, Path] = {}
        self._hosts: dict[str, str] = {}
        self._ports: dict[tuple[str, str], str] = {}
        self._next_port = FIRST_PORT

    def path(self, original: str) -> Path:
        """A path in the scratch folder, at which nothing is yet. Short, for Unix sockets."""
        return self._paths.setdefault(original, self.folder / f"p{len(self._paths)}")

    def empty_file(self) -> Path:
        """A file that exists and holds nothing."""
        path = self.folder / "empty"
        path.touch()
        return path

    def text_file(self, name: str, text: str) -> Path:
        """A file of that name and text."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def host(self, original: str) -> str:
        """A loopback address for a host name; an address stays as it is."""
        if is_address(original):
            return original
        known = self._hosts.get(original.lower())
        if known is None:
            known = str(ipaddress.IPv4Address(FIRST_HOST + len(self._hosts)))
            self._hosts[original.lower()] = known
        return known

    def port(self, host: str, ports: str) -> str:
        """A port, or as many ports `low-high`, above those that only root may open."""
        known = self._ports.get((host, ports))
        if known is None:
            low, _, high = ports.partition("-")
            first = self._next_port
            last = first + max(int(high or low) - int(low), 0)
            self._next_port = last + 1
            known = f"{first}-{last}" if high else str(first)
            self._ports[host, ports] = known
        return known


def is_address(host: str) -> bool:
    """Whether a host is a literal address, IPv4 or (with or without brackets) IPv6."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


@cache
def has_ipv6_loopback() -> bool:
    """Whether ::1 can be listened on; in many containers it cannot."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
