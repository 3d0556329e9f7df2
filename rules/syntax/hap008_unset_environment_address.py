from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.syntax.haproxy.amend import line_before
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.address import Address
from gwlint.syntax.values.addresses import parse_address
from gwlint.syntax.values.problem import ValueProblem

_PLAIN = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
"""A reference without default; names with a leading dot are HAProxy's own."""

_SETTERS = frozenset({"presetenv", "setenv"})
_ASKED = re.compile(r"defined\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*\)")
_OWN = "HAPROXY_"
"""HAProxy sets variables of this prefix itself (manual, section 2.3)."""


class UnsetEnvironmentAddress(HaproxyRule):
    """An address comes from a variable, and without it becomes another one.

    ## Problem
    A variable that is not set is empty. `"$HOST:80"` is then `:80`.

    ## Why
    Measured on 2.6.12 and 2.8.25: a server `"$HOST:80"` without the variable is the machine itself,
    and a bind listens on all addresses. A server `"10.0.0.1:$PORT"` takes the port that the client
    came in on, which may be HAProxy's own: requests then go round until none is left. Nothing is
    said at start.

    ## In the log
    Nothing.

    ## Silent when
    The reference has a default (`${HOST-127.0.0.1}`), `setenv` or `presetenv` sets the variable, or
    an `.if` asks for `defined(HOST)`. A variable that is the whole address, or the port of a bind,
    stops HAProxy from starting when it is not set, which is no silent fault.

    ## Fix safety
    Adds `.if !defined(HOST)` with `.alert` before the section, so that HAProxy says what is missing
    instead of starting (since 2.4). Unsafe: a start that worked by chance no longer does.

    ## Learnt
    One finding in published files, and right: a port from the environment.

    ## References
    - HAProxy configuration manual, section 2.3, Environment variables, and 2.4, Conditional blocks
    """

    code = "HAP008"
    name = "unset-environment-address"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind "$LISTEN:8080"
                default_backend app
            backend app
                server s1 "${APP_HOST}:3000" check
                server s2 "10.0.0.1:$APP_PORT"
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            global
                setenv APP_HOST 10.0.0.1
            .if !defined(APP_PORT)
                .alert "APP_PORT is not set"
            .endif
            defaults
                mode http
            frontend web
                bind "${LISTEN-127.0.0.1}:8080"
                default_backend app
            backend app
                server s1 "${APP_HOST}:3000" check
                server s2 "10.0.0.1:$APP_PORT"
                server s3 "$APP"
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        known = _known(config)
        for proxy in config.proxies:
            if proxy.is_disabled:
                continue
            for line, bind in proxy.binds if proxy.is_frontend else ():
                if bind.address is not None:
                    yield from self._judge(line, bind.address, known, is_server=False)
            for server in proxy.servers:
                if server.address_word is not None:
                    yield from self._judge(server.line, server.address_word, known, is_server=True)

    def _judge(
        self, line: Line, word: Word, known: frozenset[str], *, is_server: bool
    ) -> Iterator[Finding]:
        names = [name for name in _unset(word.value) if name not in known]
        if not names or line.conditions or line.section is None or "," in word.value:
            return
        try:
            address = parse_address(word.value)
        except ValueProblem:
            return
        effect = _effect(address, is_server=is_server)
        if effect is None:
            return
        guards = [
            text
            for name in names
            for text in (f".if !defined({name})", f'    .alert "{name} is not set"', ".endif")
        ]
        header = line.section.header
        listed = " and ".join(dict.fromkeys(names))
        yield self.finding(
            line,
            f"if {listed} is not set in the environment, {effect}",
            advice=f"write a default, as in ${{{names[0]}-...}}, or stop with .alert (since 2.4)",
            span=word.span,
            fix=None
            if header.conditions
            else Fix(f"ask for {listed}", Safety.UNSAFE, (line_before(header, *guards),)),
        )


def _effect(address: Address, *, is_server: bool) -> str | None:
    """What becomes of the address without its variables; None when HAProxy refuses it."""
    if not address.family.is_network:
        return None
    rest = address.text
    for match in _PLAIN.finditer(address.text):
        rest = rest.replace(match[0], "")
    host, colon, port = rest.rpartition(":")
    if "$" in rest or not rest.strip(":"):
        return None
    if is_server:
        if not colon or not port:
            return "the server gets the port that the client came in on" if host else None
        return "this server is the machine itself (0.0.0.0)" if not host else None
    return "HAProxy listens on all addresses" if colon and port and not host else None


def _unset(text: str) -> list[str]:
    found = [match[1] or match[2] for match in _PLAIN.finditer(text)]
    return [name for name in found if not name.startswith(_OWN)]


def _known(config: HaproxyConfig) -> frozenset[str]:
    """Variables that the configuration sets or asks for."""
    found: set[str] = set()
    for line in config.lines:
        if line.keyword in _SETTERS and line.arguments:
            found.add(line.arguments[0].value)
        elif line.is_preprocessor:
            found.update(_ASKED.findall(line.normalised))
    return frozenset(found)
