"""What the templates print beyond the spec itself, for both proxies: order, joins and numbers."""

from __future__ import annotations

from dataclasses import dataclass

from gwlint.generate.spec import Certificate, GatewaySpec, Listener, Pool, RequestLimit, Route, Site
from gwlint.generate.values import is_ip


@dataclass(frozen=True, slots=True)
class TlsProfile:
    """A profile of Mozilla's guideline 6.0 (2026-04-06), in OpenSSL's names."""

    minimum: str
    protocols: tuple[str, ...]
    ciphers: str | None
    """Of TLS 1.2; None when only TLS 1.3 is spoken."""
    suites: str
    curves: str


_SUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
_CURVES = "X25519:prime256v1:secp384r1"
_CIPHERS = ":".join(
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    )
)


def tls_profile(profile: str, post_quantum: bool) -> TlsProfile:
    """The profile named intermediate or modern."""
    curves = f"X25519MLKEM768:{_CURVES}" if post_quantum else _CURVES
    if profile == "modern":
        return TlsProfile("TLSv1.3", ("TLSv1.3",), None, _SUITES, curves)
    return TlsProfile("TLSv1.2", ("TLSv1.2", "TLSv1.3"), _CIPHERS, _SUITES, curves)


class Plan:
    """The parts of a spec in the order in which a configuration prints them."""

    def __init__(self, spec: GatewaySpec) -> None:
        self.spec = spec
        self.redirecting = [one for one in spec.listeners if one.redirect]
        self.serving = [one for one in spec.listeners if not one.redirect]
        self.secure = [one for one in spec.listeners if one.https]
        self.tls = tls_profile(spec.tls.profile, spec.tls.post_quantum) if spec.tls else None
        self.pools = {pool.name: pool for pool in spec.pools}
        self.named_servers = any(
            not is_ip(server.host) for pool in spec.pools for server in pool.servers
        )

    @property
    def mixed(self) -> bool:
        """Whether sites are served on http and https alike."""
        return bool(self.secure) and len(self.secure) < len(self.serving)

    @property
    def hosts(self) -> list[str]:
        return [host for site in self.spec.sites for host in site.hosts]

    @property
    def redirect_port(self) -> str:
        """The port of https in a URL, with its colon; empty for 443."""
        port = self.secure[0].port
        return "" if port == 443 else f":{port}"

    def routes(self, site: Site) -> list[Route]:
        """The routes of a site, the longest prefix first."""
        return sorted(site.routes, key=lambda route: (-len(route.path), route.path))

    def has_root(self, site: Site) -> bool:
        return any(route.path == "/" for route in site.routes)

    @property
    def used_limits(self) -> list[RequestLimit]:
        """The request limits that a route names."""
        used = {route.limit for site in self.spec.sites for route in site.routes}
        return [limit for limit in self.spec.request_limits if limit.name in used]

    def websocket(self, pool: Pool | None = None) -> bool:
        """Whether any route, or any route to `pool`, is upgraded to web sockets."""
        return any(
            route.websocket
            for site in self.spec.sites
            for route in site.routes
            if pool is None or route.pool == pool.name
        )

    def check_host(self, pool: Pool) -> str:
        """The Host that health checks of a pool send: that of a site which the pool serves."""
        if pool.health.host is not None:
            return pool.health.host
        served = [
            host
            for site in self.spec.sites
            if any(route.pool == pool.name for route in site.routes)
            for host in site.hosts
        ]
        hosts = sorted(served or self.hosts, key=lambda host: host.startswith("*"))
        return hosts[0].replace("*", "www", 1)

    def certificates(self) -> list[Certificate]:
        """The certificates of the gateway and of its sites, each once."""
        found: dict[tuple[str, str | None], Certificate] = {}
        for one in (self.spec.tls, *self.spec.sites):
            certificate = one.certificate if one else None
            if certificate is not None:
                found.setdefault((certificate.certificate, certificate.key), certificate)
        return list(found.values())


def socket(listener: Listener) -> str:
    """address:port of a listener, IPv6 in brackets."""
    address = f"[{listener.address}]" if ":" in listener.address else listener.address
    return f"{address}:{listener.port}"
