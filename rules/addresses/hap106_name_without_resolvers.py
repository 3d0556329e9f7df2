from __future__ import annotations

from collections.abc import Iterator, Sequence

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.addresses.haproxy_resolvers import mute_resolvers
from gwlint.rules.addresses.moving_names import moves
from gwlint.rules.addresses.placeholders import placeholder_reason
from gwlint.syntax.haproxy.amend import indentation_of, line_before, words_added
from gwlint.syntax.values.address import Family

_SECTION = "dns"
"""The name of the resolvers section that the fix adds."""


class NameWithoutResolvers(HaproxyRule):
    """The host name of a server is looked up when HAProxy starts, and never again.

    ## Problem
    Without `resolvers`, HAProxy keeps the address that a name had at start until it is reloaded.
    Load balancers in clouds, containers and pods get new addresses without telling. A resolvers
    section without nameserver asks nobody, which comes to the same.

    ## Why
    Measured on 2.6.12: after the address had changed, every request got 503 after all retries.
    A name that cannot be looked up at start stops HAProxy from starting. Of a resolvers section
    without nameserver 2.6.12 and 2.8.25 warn, and a server that relies on it gets no address.

    ## In the log
    `web app/s1 0/0/-1/-1/3004 503 ... SC--`, or at start
    `[ALERT] config : 'server app/s1' : could not resolve address 'app.internal'.`

    ## Silent when
    The server has `resolvers`, an IP address, `localhost`, a variable, or is disabled; the file
    has neither `global` nor `defaults`, so that others complete it. Info only for names that are
    not known to move, such as those of containers, whose addresses change when they are made anew.

    ## Fix safety
    For names that are known to move: adds `resolvers` to the server and, where there is none, a
    section `resolvers dns` with the name servers of the system, and lets HAProxy start while the
    name cannot be resolved. Unsafe: DNS does not know what stands in /etc/hosts only.

    ## Learnt
    Most real names are those of containers beside HAProxy, which keep their address for as long as
    they run: info. None of the real configurations read named a cloud load balancer. 30 of 134
    findings in published files read, drawn: all right that the name is looked up once; twelve are
    in mode tcp, where there is no 503 to speak of.

    ## References
    - HAProxy configuration manual, section 5.3, Server DNS resolution, keyword resolvers
    """

    code = "HAP106"
    name = "name-without-resolvers"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 app-1234.eu-west-1.elb.amazonaws.com:80 check
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 app:3000
                server s2 other:3000
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            resolvers dns
                hold valid 10s
            backend app
                server s1 app:3000 resolvers dns
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            resolvers cluster
                nameserver one 10.0.0.2:53
            backend app
                server s1 app-1234.eu-west-1.elb.amazonaws.com:80 resolvers cluster
                server s2 10.0.0.1:80
                server s3 localhost:80
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole:
            return
        section = _resolvers(config)
        yield from self._mute(config)
        for backend in config.backends:
            if backend.is_disabled:
                continue
            servers = [server for server in backend.servers if _is_named(server)]
            moving = [server for server in servers if moves(_host(server))]
            for server in moving:
                yield self._moving(config, backend, server, section)
            fixed = [server for server in servers if not moves(_host(server))]
            if fixed:
                yield self._named(fixed)

    def _mute(self, config: HaproxyConfig) -> Iterator[Finding]:
        for name, section in mute_resolvers(config).items():
            if any(line.conditions for line in (section.header, *section.lines)):
                continue
            yield self.finding(
                section.header,
                f"resolvers {name} has no nameserver, so names are looked up only when HAProxy"
                " starts",
                advice="add 'parse-resolv-conf', or 'nameserver NAME ADDRESS:53'",
                span=section.header.words[0].span,
            )

    def _moving(
        self, config: HaproxyConfig, backend: Proxy, server: Server, section: str | None
    ) -> Finding:
        word = server.address_word
        assert word is not None
        edits = _resolving(config, server, section)
        fails = "requests get 503" if backend.is_http else "connections fail"
        return self.finding(
            server.line,
            f'the addresses of "{_host(server)}" change, but HAProxy looks it up only when it'
            f" starts: then {fails} until it is reloaded",
            advice="add a resolvers section, and 'resolvers NAME init-addr last,libc,none' here",
            span=word.span,
            fix=Fix("look the name up again", Safety.UNSAFE, edits) if edits else None,
        )

    def _named(self, servers: Sequence[Server]) -> Finding:
        first, *others = servers
        word = first.address_word
        assert word is not None
        more = f" (and {len(others)} more)" if others else ""
        return self.finding(
            first.line,
            f'"{_host(first)}"{more} is looked up only when HAProxy starts; if its address'
            " changes, HAProxy goes on with the old one until it is reloaded",
            advice="add a resolvers section and 'resolvers NAME', if the address may change",
            span=word.span,
            severity=Severity.INFO,
            related=tuple(Label(server.line.span, "a name as well") for server in others),
        )


def _host(server: Server) -> str:
    return "" if server.address is None else server.address.canonical_host or ""


def _is_named(server: Server) -> bool:
    address = server.address
    return (
        address is not None
        and address.family is Family.NAME
        and not address.has_hopeless_host
        and not address.is_loopback
        and placeholder_reason(address) is None
        and not server.has("resolvers")
        and not server.is_disabled
        and not any(one.uncertain for one in server.parsed.parameters)
    )


def _resolvers(config: HaproxyConfig) -> str | None:
    """The name of a resolvers section that is there for certain."""
    for section in config.sections:
        named = section.name is not None and not section.name.references
        if section.kind == "resolvers" and named and not section.header.conditions:
            assert section.name is not None
            return section.name.value
    return None


def _resolving(config: HaproxyConfig, server: Server, section: str | None) -> tuple[Edit, ...]:
    """Resolvers for a server, with a section of them where there is none."""
    edits: list[Edit] = []
    if section is None:
        headers = [proxy.header for proxy in config.proxies if not proxy.header.conditions]
        if not headers:
            return ()
        inside = indentation_of(headers[0].source)
        lines = (f"resolvers {_SECTION}", f"{inside}parse-resolv-conf", "")
        edits.append(line_before(headers[0], *lines))
    words = ["resolvers", section or _SECTION]
    if not server.has("init-addr"):
        words += ["init-addr", "last,libc,none"]
    return (*edits, words_added(server.line, *words))
