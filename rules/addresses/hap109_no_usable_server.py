from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.syntax.values.whole_numbers import whole_number


class NoUsableServer(HaproxyRule):
    """Every server of a backend is switched off.

    ## Problem
    All `server` lines are `disabled`, or have `weight 0`. Where several are there and all are
    `backup`, only one of them works.

    ## Why
    Measured on 2.6.12 and 2.8.25: the configuration is accepted, and each request is answered with
    503. Backups of weight 0 do not help either; a usable backup does. Of two backups and no other
    server the first got all of ten requests; with `option allbackups` each got five.

    ## In the log
    `web app/<NOSRV> 0/-1/-1/-1/0 503 ... SC--`

    ## Silent when
    Nothing routes to the backend; an agent may change the weight; `use-server` picks a server of
    weight 0; a state file restores what was set while it ran; the section is disabled; the line of
    a server stands in an `.if` block or hangs on a variable. Nothing but backups is info, and may
    be meant: one server at work, and others to take its place.

    ## Fix safety
    None: which server is to work is the author's decision.

    ## Learnt
    Templates for tools that fill in servers while HAProxy runs disable all of them on purpose: a
    socket with level admin makes it a warning. One finding in published files, and right.

    ## References
    - HAProxy configuration manual, section 5.2, keywords disabled, weight and backup
    """

    code = "HAP109"
    name = "no-usable-server"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080
                default_backend app
            backend app
                server s1 10.0.0.1:80 weight 0
                server s2 10.0.0.2:80 disabled
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            listen app
                bind :8080
                server s1 10.0.0.1:80 backup
                server s2 10.0.0.2:80 backup
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080
                default_backend app
            backend app
                server s1 10.0.0.1:80 weight 0
                server s2 10.0.0.2:80 backup
            backend unused
                server s1 10.0.0.1:80 disabled
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        used = {
            route.backend.value
            for frontend in config.frontends
            if not frontend.is_disabled
            for route in frontend.routes
        }
        admin = any(
            line.values[:1] == ["socket"] and "admin" in line.values
            for section in config.global_sections
            for line in section.lines
            if line.keyword == "stats"
        )
        for backend in config.backends:
            accepts = backend.is_frontend and bool(backend.binds) and not backend.routes
            if (backend.name not in used and not accepts) or backend.is_disabled:
                continue
            if not backend.servers or any(backend.lines("load-server-state-from-file")):
                continue
            if backend.option("transparent") or backend.own("dispatch"):
                continue
            if all(_is_off(backend, server) for server in backend.servers):
                yield self._off(backend, is_administered=admin)
            elif _has_only_backups(backend):
                yield self._idle(backend)

    def _idle(self, backend: Proxy) -> Finding:
        first, *others = backend.servers
        return self.finding(
            first.line,
            f'all servers of "{backend.name}" are backups: only {first.name} takes requests, and'
            " the next one when it is down",
            advice="remove 'backup', or set 'option allbackups', if all of them are to work",
            severity=Severity.INFO,
            related=tuple(Label(server.line.span, "waits") for server in others),
        )

    def _off(self, backend: Proxy, *, is_administered: bool) -> Finding:
        first, *others = backend.servers
        return self.finding(
            first.line,
            f'no server of "{backend.name}" takes requests: each is disabled or has weight 0, so'
            " the answer is 503",
            advice="enable a server, or remove the backend",
            severity=Severity.WARNING if is_administered else Severity.ERROR,
            related=tuple(Label(server.line.span, "switched off as well") for server in others),
        )


def _has_only_backups(backend: Proxy) -> bool:
    servers = backend.servers
    return (
        len(servers) > 1
        and all(server.is_backup and server.is_certain for server in servers)
        and backend.option("allbackups") is None
        and not backend.own("use-server")
    )


def _is_off(backend: Proxy, server: Server) -> bool:
    if server.line.conditions or any(one.uncertain for one in server.parsed.parameters):
        return False
    if server.has("agent-check"):
        return False
    if server.is_disabled:
        return True
    weight = server.value("weight")
    is_zero = weight is not None and weight.value.isdecimal() and whole_number(weight.value) == 0
    return is_zero and not backend.own("use-server")
