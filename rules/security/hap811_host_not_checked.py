from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.security.host_tests import asks_for_host, names_about_host
from gwlint.rules.security.strangers import Gate, Reach, open_binds
from gwlint.syntax.haproxy.tree import Line

_REFUSING = frozenset({"deny", "redirect", "reject", "return", "silent-drop", "tarpit"})


class HostNotChecked(HaproxyRule):
    """Requests for a host that nobody configured go to an application all the same.

    ## Problem
    The frontend chooses backends by Host, and `default_backend` takes every name that is left.

    ## Why
    Measured on 2.6.12 and 2.8.25: a request for Host: attacker.example got to the servers of the
    default backend. An application that builds links from Host puts that name into mails and
    caches; names that scanners make up are served as if they were its own.

    ## In the log
    Nothing, unless Host is captured.

    ## Silent when
    The frontend asks for no host, so that all names are one site; a rule refuses or redirects by
    host; the default backend has no servers, or refuses itself; the port is local or private, or
    wants a known name in the handshake (`strict-sni`); a rule judges who asks.

    ## Fix safety
    None: which names are right is not known.

    ## Learnt
    The default is the main site in real files, so it is information, not a fault.

    ## References
    - HAProxy configuration manual, section 4.2, keywords default_backend, http-request deny
    """

    code = "HAP811"
    name = "host-not-checked"
    severity = Severity.INFO
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :80
                use_backend shop if { hdr(host) -i shop.example.com }
                default_backend app
            backend app
                server s1 10.0.0.1:80
            backend shop
                server s1 10.0.0.2:80
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :80
                acl known hdr(host) -i app.example.com shop.example.com
                http-request deny deny_status 421 unless known
                use_backend shop if { hdr(host) -i shop.example.com }
                default_backend app
            backend app
                server s1 10.0.0.1:80
            backend shop
                server s1 10.0.0.2:80
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for frontend in config.frontends:
            default = frontend.effective("default_backend")
            line = default.line
            if line is None or not line.arguments or not default.is_certain:
                continue
            if frontend.is_disabled or not frontend.is_http or not _is_open(frontend):
                continue
            names = names_about_host(frontend)
            choosing = [
                route.line
                for route in frontend.routes
                if not route.is_default and asks_for_host(route.line, names)
            ]
            backend = config.backend_by_name.get(line.arguments[0].value)
            if not choosing or backend is None or not backend.servers:
                continue
            if _refuses(frontend, names) or _refuses(backend, names_about_host(backend)):
                continue
            if Gate(frontend).turns_strangers_away or Gate(backend).turns_strangers_away:
                continue
            yield self.finding(
                line,
                f'requests for any other host go to "{backend.name}", whatever name they ask for',
                advice="add 'http-request deny deny_status 421 unless' with the hosts that exist",
                span=line.arguments[0].span,
                related=(Label(choosing[0].span, "here a host is asked for"),),
            )


def _is_open(frontend: Proxy) -> bool:
    return any(
        reach is Reach.ANYWHERE and "strict-sni" not in bind
        for _, bind, reach in open_binds(frontend)
    )


def _refuses(proxy: Proxy, names: set[str]) -> bool:
    """Whether a rule for some hosts, or for all requests, ends them here."""
    return any(
        _is_ending(line) and asks_for_host(line, names)
        for keyword in ("http-request", "redirect")
        for line in proxy.lines(keyword)
    )


def _is_ending(line: Line) -> bool:
    return line.keyword == "redirect" or not _REFUSING.isdisjoint(line.values[:1])
