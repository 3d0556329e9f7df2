"""The numbers of a HAProxy configuration, and what depends on its version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gwlint.generate.plan import Plan, socket
from gwlint.generate.problems import Problems
from gwlint.generate.spec import (
    Certificate,
    GatewaySpec,
    Listener,
    Pool,
    RequestLimit,
    Route,
    Server,
    Site,
)
from gwlint.generate.values import is_ip
from gwlint.syntax.version import Version

MAXREWRITE = 1024
"""Bytes of a buffer kept free for headers that HAProxy adds; its own default."""


@dataclass(frozen=True, slots=True)
class Window:
    """A request limit as HAProxy counts: so many requests within so many seconds."""

    requests: int
    seconds: int


class HaproxyPlan(Plan):
    """What templates/haproxy prints."""

    def __init__(self, spec: GatewaySpec, target: str) -> None:
        super().__init__(spec)
        self.target = target
        self.version = Version.parse(target)

    @property
    def buffer(self) -> int:
        """tune.bufsize: a power of two that holds the largest headers and the room to rewrite
        them; HTTP/2 needs 16384 at least."""
        limits = self.spec.limits
        needed = max(limits.request_header, limits.response_header) + MAXREWRITE
        return max(16384, 1 << (needed - 1).bit_length())

    @property
    def open_files(self) -> int:
        """About what HAProxy asks the system for: two a connection, and its sockets."""
        servers = sum(len(pool.servers) for pool in self.spec.pools)
        return 2 * self.spec.workers.clients + 2 * servers + len(self.spec.listeners) + 64

    @property
    def maxrewrite(self) -> int:
        return MAXREWRITE

    @property
    def client_timeout(self) -> int:
        """timeout client, between two reads or writes: the longer of both waits for clients."""
        return max(self.spec.timeouts.request_body, self.spec.timeouts.send)

    @property
    def log(self) -> list[str]:
        """The words after `log`."""
        to = self.spec.logging.to
        if to == "stdout":
            return ["stdout", "format", "raw", "local0"]
        return ["/dev/log" if to == "local" else to, "local0"]

    def bind(self, listener: Listener) -> list[str]:
        """The words after `bind`."""
        words = [socket(listener)]
        if ":" in listener.address:
            words.append("v6only")
        if listener.https:
            words.append("ssl")
            for certificate in self.certificates():
                words += ["crt", certificate.certificate]
            # Names that no certificate has are refused in the handshake.
            words += ["strict-sni", "alpn", "h2,http/1.1"]
        return words

    @property
    def scheme(self) -> str:
        """What clients spoke, as a log-format."""
        if not self.serving_plain:
            return "https"
        return "%[ssl_fc,iif(https,http)]" if self.secure else "http"

    def condition(self, site: Site, route: Route) -> list[str]:
        """The words after `if` that match the requests of a route."""
        words = ["{", "var(txn.site)", "-m", "str", site.name, "}"]
        if route.path != "/":
            words += ["{", "path,concat(/)", "-m", "beg", f"{route.path}/", "}"]
        return words

    def nameserver(self, address: str) -> str:
        return f"[{address}]:53" if ":" in address else f"{address}:53"

    @property
    def serving_plain(self) -> bool:
        return any(not listener.https for listener in self.serving)

    @property
    def wildcards(self) -> list[tuple[str, str]]:
        """(site, .suffix) for each wildcard host, the shortest suffix first: later ones win."""
        found = [
            (site.name, host.removeprefix("*"))
            for site in self.spec.sites
            for host in site.hosts
            if host.startswith("*")
        ]
        return sorted(found, key=lambda pair: (len(pair[1]), pair))

    @property
    def exact(self) -> list[tuple[str, str]]:
        """(site, host) for each host that is no wildcard."""
        return [
            (site.name, host)
            for site in self.spec.sites
            for host in site.hosts
            if not host.startswith("*")
        ]

    def body_rules(self) -> list[tuple[Site, Route, int]]:
        """The largest body of each route that has its own, or is below one that has."""
        usual = self.spec.limits.body
        return [
            (site, route, route.body or usual)
            for site, route in self._below(lambda route: route.body is not None)
        ]

    def limit_rules(self) -> list[tuple[Site, Route, str]]:
        """The name of the request limit of each route that has one, or is below one that has."""
        return [
            (site, route, "none" if route.limit is None else f"limit.{route.limit}")
            for site, route in self._below(lambda route: route.limit is not None)
        ]

    def _below(self, differs: Callable[[Route], bool]) -> list[tuple[Site, Route]]:
        """The routes that differ from the usual and those below them, the shortest prefix of a
        site first: of `set-var` rules the last one that matches wins."""
        return [
            (site, route)
            for site in self.spec.sites
            for route in reversed(self.routes(site))
            if any(
                differs(other) and f"{route.path}/".startswith(f"{other.path.rstrip('/')}/")
                for other in site.routes
            )
        ]

    def window(self, limit: RequestLimit) -> Window:
        """HAProxy counts requests in a sliding window where nginx has a leaking bucket: what is
        allowed in ten seconds, or in the minute of a rate by the minute, and the burst on top."""
        if limit.unit == "s":
            return Window(limit.rate * 10 + limit.burst, 10)
        return Window(limit.rate + limit.burst, 60)

    def purge_delay(self, pool: Pool) -> int:
        """HAProxy closes half of the idle connections at every purge: a quarter of the idle time
        leaves next to none of them at its end."""
        return max(250, pool.keep_alive.idle // 4)

    def server(self, server: Server) -> list[str]:
        """The words after the name of a server."""
        words = [server.address]
        if server.weight != 1:
            words += ["weight", str(server.weight)]
        if server.connections is not None:
            words += ["maxconn", str(server.connections)]
        if not is_ip(server.host):
            words += ["resolvers", "system", "init-addr", "last,libc,none"]
        if server.backup:
            words.append("backup")
        return words

    def backups(self, pool: Pool) -> int:
        return sum(server.backup for server in pool.servers)

    @property
    def removes_extension(self) -> bool:
        """Whether a key file replaces .crt by .key instead of adding .key."""
        return any(_replaces(certificate) for certificate in self.certificates())

    def check(self, problems: Problems) -> None:
        """Tell the keys that HAProxy would not find: it looks beside the certificate."""
        forms = {
            _replaces(certificate)
            for certificate in self.certificates()
            if _replaces(certificate) or _appends(certificate)
        }
        for certificate in self.certificates():
            if certificate.key in (None, certificate.certificate):
                continue
            stem = certificate.certificate.removesuffix(".crt")
            if not _replaces(certificate) and not _appends(certificate):
                problems.add(
                    certificate.key_place,
                    "HAProxy looks for the key beside the certificate; name them X.crt and X.key, "
                    "or put both into one file and leave out key",
                    f"{stem}.key" if stem != certificate.certificate else None,
                )
            elif len(forms) > 1 and _appends(certificate):
                problems.add(
                    certificate.key_place,
                    "HAProxy looks for all keys in one way: X.crt with X.key, or X with X.key",
                )


def _replaces(certificate: Certificate) -> bool:
    path = certificate.certificate
    return path.endswith(".crt") and certificate.key == path.removesuffix(".crt") + ".key"


def _appends(certificate: Certificate) -> bool:
    return certificate.key == certificate.certificate + ".key"
