"""The numbers of an nginx configuration, and what depends on its version."""

from __future__ import annotations

from gwlint.generate.plan import Plan, socket
from gwlint.generate.spec import Certificate, GatewaySpec, Listener, Pool, Route, Server, Site
from gwlint.generate.values import is_ip
from gwlint.syntax.version import Version


class NginxPlan(Plan):
    """What templates/nginx prints."""

    def __init__(self, spec: GatewaySpec, target: str) -> None:
        super().__init__(spec)
        self.target = target
        version = Version.parse(target)
        # `listen ... http2` is deprecated from 1.25.1, and `http2 on` unknown before.
        self.http2_directive = version >= Version.parse("1.25.1")
        # `server ... resolve` came to the open source version with 1.27.3.
        self.resolves = bool(spec.resolvers) and version >= Version.parse("1.27.3")

    @property
    def user(self) -> list[str]:
        """The words after `user`."""
        return [word for word in (self.spec.workers.user, self.spec.workers.group) if word]

    @property
    def worker_connections(self) -> int:
        """A proxied request holds two: the client's and the server's. Each worker has room for
        all clients, since the kernel does not share them out evenly."""
        return 2 * self.spec.workers.clients

    @property
    def open_files(self) -> int:
        """File descriptors of a worker: each connection may have a temporary file too."""
        return 2 * self.worker_connections

    @property
    def busy_buffers(self) -> int:
        """nginx asks for: buffer_size <= busy <= (number - 1) x size; two buffers of eight are."""
        return 2 * self.spec.limits.response_header

    @property
    def names_bucket(self) -> int | None:
        """server_names_hash_bucket_size where the default of 64 cannot hold the longest name."""
        needed = max(map(len, self.hosts), default=0) + 32
        return None if needed <= 64 else 1 << (needed - 1).bit_length()

    @property
    def names_table(self) -> int | None:
        """server_names_hash_max_size where the default of 512 is small for the number of names."""
        return None if len(self.hosts) <= 128 else 1 << (4 * len(self.hosts)).bit_length()

    def listen(self, listener: Listener, default: bool = False) -> list[str]:
        """The words after `listen`."""
        place = str(listener.port) if listener.address == "*" else socket(listener)
        words = [place, "default_server"] if default else [place]
        if listener.https:
            words.append("ssl")
            if not self.http2_directive:
                words.append("http2")
        return words

    def locations(self, route: Route) -> list[list[str]]:
        """The words after `location`: a prefix alone would take /apix for /api, and answer /api
        with a redirect to /api/."""
        if route.path == "/":
            return [["/"]]
        return [["=", route.path], [f"{route.path}/"]]

    def burst(self, name: str) -> int:
        """The burst of a request limit."""
        return next(limit.burst for limit in self.spec.request_limits if limit.name == name)

    @property
    def resolver_addresses(self) -> list[str]:
        return [f"[{one}]" if ":" in one else one for one in self.spec.resolvers]

    def keepalive(self, pool: Pool) -> int:
        """Idle connections that each worker keeps: at least one for each server."""
        return max(pool.keep_alive.connections, len(pool.servers))

    def server(self, pool: Pool, server: Server) -> list[str]:
        """The words after `server` in an upstream."""
        words = [server.address]
        if server.weight != 1:
            words.append(f"weight={server.weight}")
        if server.connections is not None:
            words.append(f"max_conns={server.connections}")
        if len(pool.servers) > 1:
            # With a single server nginx ignores both (measured).
            words.append(f"max_fails={pool.health.failures}")
            words.append(f"fail_timeout={-(-pool.health.pause // 1000)}s")
        if self.resolves and not is_ip(server.host):
            words.append("resolve")
        if server.backup:
            words.append("backup")
        return words

    def certificate(self, site: Site) -> Certificate:
        """The certificate of a site: its own, else the gateway's."""
        if site.certificate is not None:
            return site.certificate
        if self.spec.tls is None:
            raise ValueError(f"site {site.name} has no certificate")
        return self.spec.tls.certificate

    @property
    def access_log(self) -> str:
        logging = self.spec.logging
        if logging.to == "local":
            return f"{logging.folder}/access.log"
        return "/dev/stdout" if logging.to == "stdout" else f"syslog:server={logging.to},tag=nginx"

    @property
    def error_log(self) -> str:
        logging = self.spec.logging
        if logging.to == "local":
            return f"{logging.folder}/error.log"
        return "stderr" if logging.to == "stdout" else f"syslog:server={logging.to},tag=nginx"
