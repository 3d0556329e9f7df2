from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy, bind_addresses
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.syntax.values.address import Address


class AcceptProxyOpen(HaproxyRule):
    """Anybody who reaches the port may claim any client address.

    ## Problem
    `accept-proxy` believes the PROXY header of whoever connects. On a port that is open to all it
    lets everybody choose the address that rules, limits and logs see.

    ## Why
    Measured on 2.6.12 and 2.8.25: a client that sends no PROXY header is cut off without an answer,
    whoever it is. The header itself is not authenticated (PROXY protocol specification, section 2).

    ## In the log
    `web/1: Received something which does not look like a PROXY protocol header`

    ## Silent when
    The port is on a loopback or private address or a socket; a `tcp-request connection` rule
    rejects strangers or expects the header from some only. Whether a firewall guards the port
    cannot be seen here, so without a second sign it is info: it is a warning where the same
    frontend has a port of the same kind without `accept-proxy`, so that clients reach it directly.

    ## Fix safety
    None: the addresses of the load balancer are not known.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, sections 5.1 and 4.2, accept-proxy, tcp-request connection
      expect-proxy
    """

    code = "HAP609"
    name = "accept-proxy-open"
    severity = Severity.WARNING
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080 accept-proxy
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080
                bind :8081 accept-proxy
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080 accept-proxy
                tcp-request connection reject if !{ src 10.0.0.0/8 }
                default_backend app
            frontend inner
                bind 127.0.0.1:8081 accept-proxy
                bind unix@/run/inner.sock accept-proxy
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for frontend in config.frontends:
            if frontend.is_disabled or _is_guarded(frontend):
                continue
            is_direct = any(
                "accept-proxy" not in bind and any(map(_is_open, bind_addresses(bind)))
                for _, bind in frontend.binds
            )
            for line, bind in frontend.binds:
                parameter = bind.get("accept-proxy")
                if parameter is None or not any(map(_is_open, bind_addresses(bind))):
                    continue
                yield self.finding(
                    line,
                    "whoever reaches this port may claim any client address, and clients that send"
                    " no PROXY header are cut off",
                    advice="write 'tcp-request connection expect-proxy layer4 if { src ... }' with"
                    " the addresses of the load balancer",
                    span=parameter.keyword.span,
                    severity=Severity.WARNING if is_direct else Severity.INFO,
                )


def _is_guarded(frontend: Proxy) -> bool:
    return any(
        line.values[:1] == ["connection"] and line.values[1:2] in (["reject"], ["expect-proxy"])
        for line in frontend.lines("tcp-request")
    )


def _is_open(address: Address) -> bool:
    """Whether more than this machine and its private network may reach the address."""
    if not address.family.is_network or address.variables:
        return False
    if address.is_any:
        return True
    try:
        return not ip_address(address.canonical_host or "").is_private
    except ValueError:
        return False
