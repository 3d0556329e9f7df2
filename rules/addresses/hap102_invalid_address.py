from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.address import Address
from gwlint.syntax.values.addresses import parse_bind_addresses, parse_server_address
from gwlint.syntax.values.problem import ValueProblem


class InvalidAddress(HaproxyRule):
    """The address cannot be one: a port out of range, a missing port, a broken host.

    ## Problem
    `bind` needs a port from 1 to 65535; a server has one port, no range and no URL. A server that
    is checked needs a port, for itself or for the check. The last colon begins the port, so an
    IPv6 address is best written in brackets.

    ## Why
    Measured on 2.6.12 and 2.8.25: HAProxy refuses the configuration.

    ## In the log
    `[ALERT] 'bind' : missing port specification in '*'`,
    `[ALERT] 'server app/s1' : invalid port '70000'`,
    `[ALERT] backend 'app': server 's1' has neither service port nor check port.`,
    `[ALERT] 'server app/s1' : could not resolve address '256.1.1.1'.`

    ## Silent when
    The part in question comes from an environment variable; the server is not checked, since it
    then gets the port that the client came in on; a `connect` rule of the check may bring the
    port; an SRV record brings it.

    ## Fix safety
    None.

    ## Learnt
    All 3 findings in published files read, all right: placeholders in documentation.

    ## References
    - HAProxy configuration manual, section 4.2, keywords bind and server; section 11
    """

    code = "HAP102"
    name = "invalid-address"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            frontend web
                bind *
                bind :70000
                default_backend app
            backend app
                server s1 10.0.0.1:80800
                server s2 10.0.0.2:80-81
                server s3 http://10.0.0.3:80
                server s4 10.0.0.256:80
                server s5 10.0.0.5 check
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            frontend web
                bind *:8080,[::]:8080
                bind :8000-8010
                bind /run/haproxy.sock
                bind :"$PORT"
                default_backend app
            backend app
                server s1 10.0.0.1:80 check
                server s2 10.0.0.2
                server s3 10.0.0.3 check port 80
                server s4 unix@/run/app.sock check
                server s5 "$APP" check
                server-template s 3 _http._tcp.app.local check resolvers dns
            resolvers dns
                nameserver one 10.0.0.9:53
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for proxy in config.proxies:
            if proxy.is_frontend:
                for line, bind in proxy.binds:
                    if bind.address is not None:
                        yield from self._bind(line, bind.address)
            has_connect = any(proxy.lines("tcp-check", "connect")) or any(
                proxy.lines("http-check", "connect")
            )
            for server in proxy.servers:
                yield from self._server(proxy, server, has_connect=has_connect)

    def _bind(self, line: Line, word: Word) -> Iterator[Finding]:
        try:
            parse_bind_addresses(word.value)
        except ValueProblem as problem:
            yield self._invalid(line, word, problem.message)

    def _server(self, proxy: Proxy, server: Server, *, has_connect: bool) -> Iterator[Finding]:
        word = server.address_word
        if word is None or not word.value:
            return
        try:
            address = parse_server_address(word.value)
        except ValueProblem as problem:
            yield self._invalid(server.line, word, problem.message)
            return
        if address.has_hopeless_host:
            fault = f'"{address.host}" is neither an IP address nor a host name'
            yield self._invalid(server.line, word, fault)
        elif not has_connect and not proxy.is_disabled and _lacks_check_port(server, address):
            yield self.finding(
                server.line,
                f'server "{server.name}" is checked, but has no port, and neither has its check:'
                " HAProxy does not start",
                advice="write the port behind the address, or 'port' for the check",
                span=word.span,
            )

    def _invalid(self, line: Line, word: Word, fault: str) -> Finding:
        return self.finding(
            line,
            f'"{word.value}" is no address: {fault}',
            advice="write host:port, [IPv6]:port or the path of a socket",
            span=word.span,
        )


def _lacks_check_port(server: Server, address: Address) -> bool:
    if not server.has("check") or server.has("port"):
        return False
    if not address.family.is_network or address.port_unknown or address.port:
        return False
    if address.host is None or address.host.startswith("_"):
        return False
    # The address of the check may bring a port of its own.
    other = server.value("addr")
    return other is None or (":" not in other.value and not other.references)
