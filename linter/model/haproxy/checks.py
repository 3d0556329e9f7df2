"""Health checks: what they ask of a server, and how soon they see that it is dead."""

from __future__ import annotations

from dataclasses import dataclass

from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.syntax.haproxy.tree import Line

PROTOCOL_CHECKS = (
    "httpchk",
    "tcp-check",
    "external-check",
    "ldap-check",
    "mysql-check",
    "pgsql-check",
    "redis-check",
    "smtpchk",
    "spop-check",
    "ssl-hello-chk",
)
"""The options that make a check ask for more than a connection (configuration manual, 4.2)."""

DEFAULT_INTER_SECONDS = 2.0
DEFAULT_FALL = 3


@dataclass(frozen=True, slots=True)
class CheckTimes:
    """How often a server is checked, in seconds, and how many failures take it out."""

    inter: float
    fastinter: float
    fall: int

    @property
    def detection(self) -> float:
        """Seconds until a server that refuses is out: one `inter`, then `fastinter` for the rest.

        `fastinter` counts as soon as a check has failed (section 5.2, inter).
        """
        return self.inter + (self.fall - 1) * self.fastinter

    def hung_detection(self, wait: float) -> float:
        """Seconds until a server is out whose checks each hang for `wait` seconds.

        The next check begins an interval after the last one has ended (measured on 2.6 and 2.8).
        """
        return self.detection + self.fall * wait


def check_times(server: Server) -> CheckTimes | None:
    """The times of a server that has a check of its own; None when one of them is not known."""
    if not server.has("check") or any(
        word is not None and word.references
        for word in map(server.value, ("inter", "fastinter", "fall"))
    ):
        return None
    inter = server.seconds("inter", DEFAULT_INTER_SECONDS)
    return CheckTimes(
        inter, server.seconds("fastinter", inter), server.number("fall", DEFAULT_FALL)
    )


def protocol_check(backend: Proxy) -> Line | None:
    """An option, own or inherited, that makes the check of the backend speak a protocol."""
    return next((line for name in PROTOCOL_CHECKS if (line := backend.option(name))), None)


def checks_elsewhere(server: Server) -> bool:
    """Whether the check has a port or address of its own, so that it inherits no TLS or PROXY."""
    return server.has("port") or server.has("addr")


def checks_by_tls(server: Server) -> bool:
    """Whether the check makes a TLS handshake (section 5.2, check-ssl)."""
    said = server.last("check-ssl")
    if said is not None:
        return not said.negated
    return server.has("ssl") and not checks_elsewhere(server)
