from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import bind_addresses
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.security.strangers import Reach, reach_of_address
from gwlint.syntax.haproxy.amend import replaced
from gwlint.syntax.values.bind_line import BindLine, parse_bind

_OCTAL = re.compile(r"[0-7]{1,4}")
_OTHERS_WRITE = 0o002
_NARROW = "660"


class SocketTooOpen(HaproxyRule):
    """The runtime socket obeys others than the administrators of this machine.

    ## Problem
    A `stats socket` that every user of the machine may write to, or with level admin on a TCP port:
    the socket knows no password.

    ## Why
    Measured on 2.6.12 and 2.8.25: another user sent commands to a socket of mode 666, and not to
    one of mode 660, 664 or 755 (connecting takes the right to write); without `mode` it was 755 at
    the usual umask, and `unix-bind mode` did not change it. On a TCP port with level admin, whoever
    connected disabled a server.

    ## In the log
    Nothing tells who sent a command.

    ## Silent when
    `mode` gives nothing to others; a unix socket has no `mode`; the level is user. A TCP port on a
    loopback address is information: it obeys every user and container that shares the address.
    So is a TCP port of level operator, which shows everything and changes little.

    ## Fix safety
    Sets mode 660. Safe: no request fails; who reads the socket without being in its group has to
    join it. There is none for TCP ports.

    ## Learnt
    Most real sockets are right. The TCP ports stand in examples for the Data Plane API.

    ## References
    - HAProxy configuration manual, sections 3.1 and 5.1, keywords stats socket, mode, level
    - HAProxy management guide, section 9.3
    """

    code = "HAP803"
    name = "socket-too-open"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.haproxy(
            """
            global
                stats socket /run/haproxy/admin.sock mode 666 level admin
            """
        ),
        Example.haproxy(
            """
            global
                stats socket ipv4@0.0.0.0:9999 level admin
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            global
                stats socket /run/haproxy/admin.sock mode 660 level admin
                stats socket /run/haproxy/read.sock mode 666 level user
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for section in config.global_sections:
            for line in section.lines:
                if line.keyword == "stats" and line.values[:1] == ["socket"]:
                    bind = parse_bind(line)
                    level = bind.value("level") or "operator"
                    if level != "user":
                        yield from self._of_file(bind, level)
                        yield from self._of_port(bind, level)

    def _of_file(self, bind: BindLine, level: str) -> Iterator[Finding]:
        parameter = bind.get("mode")
        word = None if parameter is None else parameter.value
        if word is None or not _OCTAL.fullmatch(word.value):
            return
        if any(address.family.is_network for address in bind_addresses(bind)):
            return
        if int(word.value, 8) & _OTHERS_WRITE:
            yield self.finding(
                bind.line,
                f"every user of this machine may send commands of level {level} to the socket:"
                f" its mode is {word.value}",
                advice="use mode 660, and put who needs it into the group of the socket",
                span=word.span,
                fix=Fix("narrow the socket", Safety.SAFE, (replaced(word, _NARROW),)),
            )

    def _of_port(self, bind: BindLine, level: str) -> Iterator[Finding]:
        reaches = [
            reach_of_address(address)
            for address in bind_addresses(bind)
            if address.family.is_network and address.port is not None
        ]
        known = [reach for reach in reaches if reach is not None]
        if not known or bind.address is None:
            return
        is_local = max(known) is Reach.MACHINE
        if is_local and level != "admin":
            return
        who = "every user and container of this machine" if is_local else "whoever reaches the port"
        yield self.finding(
            bind.line,
            f"{who} may send commands of level {level}: the port asks for no password",
            advice="use a unix socket with mode 660",
            span=bind.address.span,
            severity=Severity.INFO if is_local or level != "admin" else Severity.WARNING,
        )
