from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.addresses.placeholders import placeholder_reason
from gwlint.source import Span
from gwlint.syntax.haproxy.tree import Word
from gwlint.syntax.values.address import Address, Family


class PlaceholderAddress(HaproxyRule):
    """The server is an address from a manual, every address, or `localhost`.

    ## Problem
    192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32 and names such as example.com are
    reserved for documentation; `YOUR_SERVER` and the like wait for a name. 0.0.0.0 is an address to
    listen on, none to connect to. `localhost` stands for 127.0.0.1 and, on many machines, ::1.

    ## Why
    Addresses for documentation are routed nowhere: requests wait for `timeout connect` and get 503.
    A name that cannot be looked up stops HAProxy from starting (measured on 2.6.12 and 2.8.25).
    0.0.0.0 reaches the machine itself (measured on Linux), so it works by chance. HAProxy takes
    one address of `localhost`; where it is ::1 and the application listens on 127.0.0.1 only,
    connections are refused.

    ## In the log
    `web app/s1 ... 503 ... sC--`, or at start
    `[ALERT] config : 'server app/s1' : could not resolve address 'your-server'.`

    ## Silent when
    The server is disabled, or stands in a file without `global` and `defaults`. 0.0.0.0 and
    `localhost` are info only.

    ## Fix safety
    For `localhost` and 0.0.0.0 only: 127.0.0.1. Unsafe, since the application may listen on ::1.

    ## Learnt
    Applications on the same machine are often written as `localhost`, and work: info. 10 findings
    in published files read, all right.

    ## References
    - HAProxy configuration manual, section 5.2, keyword server
    - https://www.rfc-editor.org/rfc/rfc5737
    """

    code = "HAP112"
    name = "placeholder-address"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 192.0.2.10:80
                server s2 app.example.com:80
                server s3 YOUR_SERVER_IP:80
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 localhost:3000 check
                server s2 0.0.0.0:3001
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                server s1 10.0.0.1:80
                server s2 127.0.0.1:80
                server s3 192.0.2.10:80 disabled
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole:
            return
        for backend in config.backends:
            if backend.is_disabled:
                continue
            for server in backend.servers:
                word, address = server.address_word, server.address
                if word is None or address is None or address.variables or server.is_disabled:
                    continue
                yield from self._judge(server, word, address)

    def _judge(self, server: Server, word: Word, address: Address) -> Iterator[Finding]:
        reason = placeholder_reason(address)
        host = address.canonical_host
        if reason is not None:
            yield self.finding(
                server.line,
                f'"{address.host}" {reason}, so no request gets an answer from there',
                advice="write the address of the service",
                span=word.span,
            )
        elif host == "0.0.0.0" and address.family is Family.IPV4:
            yield self._local(
                server,
                word,
                address,
                "0.0.0.0 is an address to listen on; Linux connects to the machine itself"
                " instead, other systems refuse",
            )
        elif host == "localhost":
            yield self._local(
                server,
                word,
                address,
                "HAProxy takes one address of localhost, which may be ::1: then an application that"
                " listens on 127.0.0.1 only refuses",
            )

    def _local(self, server: Server, word: Word, address: Address, message: str) -> Finding:
        place = _host_span(word, address.host or "")
        fix = None
        if place is not None:
            edit = Edit(place, "127.0.0.1")
            fix = Fix("write 127.0.0.1", Safety.UNSAFE, (edit,))
        return self.finding(
            server.line,
            message,
            advice="write 127.0.0.1, or the address on which the application listens",
            span=word.span,
            severity=Severity.INFO,
            fix=fix,
        )


def _host_span(word: Word, host: str) -> Span | None:
    """Where the host stands in its word; None when it is written with quotes or escapes."""
    at = word.raw.find(host.encode())
    if at == -1 or b"\\" in word.raw:
        return None
    return Span(word.source, word.start + at, word.start + at + len(host))
