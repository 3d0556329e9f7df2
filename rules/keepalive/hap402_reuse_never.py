from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends, working_servers
from gwlint.rules.timeouts.haproxy_placement import names
from gwlint.syntax.haproxy.amend import replaced, words_removed
from gwlint.syntax.haproxy.tree import Line, Word


class ReuseNever(HaproxyRule):
    """Each client keeps a connection to the server for itself, also while it is idle.

    ## Problem
    `http-reuse never` ties a connection to the server to the client connection that opened it, so
    that nobody else can use it. `pool-max-conn 0` keeps no idle connection to the server at all.

    ## Why
    Measured on HAProxy 2.6.12 with 30 clients that are mostly idle: `never` kept 30 connections to
    the server, `aggressive` 15 or 16, `always` 2. The default, `safe`, opens as many as `never`,
    since the first request of a client never goes over a connection that was idle. An application
    that serves a connection with a worker of its own runs out of workers. With `pool-max-conn 0`
    ten requests opened ten connections, also those of one client, and without it one (`http-reuse
    always`, 2.6.12 and 2.8.25).

    ## In the log
    Nothing. The application sees as many connections as there are clients.

    ## Silent when
    The backend is not in mode http; an option closes the connections after each request anyway;
    a server is told who the client is by the connection (send-proxy, source), which is why it
    must not be shared.

    ## Fix safety
    Writes `aggressive`, which lets a first request use an idle connection that was used more than
    once before. Unsafe: an application that ties a login to its connection, as NTLM does, needs
    `never`. `always` shares more, and loses requests (HAP403). `pool-max-conn 0` is removed.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 4.2, http-reuse, and section 5.2, pool-max-conn
    """

    code = "HAP402"
    name = "reuse-never"
    severity = Severity.INFO
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                http-reuse never
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                server one 127.0.0.1:3000 check
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                server one 127.0.0.1:3000 check pool-max-conn 0
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                http-reuse safe
                server one 127.0.0.1:3000 check

            backend behind
                http-reuse never
                server one 127.0.0.1:3001 check send-proxy
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        faulty: dict[Line, list[Proxy]] = {}
        for backend in balanced_backends(config):
            setting = backend.effective("http-reuse")
            if setting.line is None or setting.value != "never" or not setting.is_certain:
                continue
            if backend.is_http and not _closes(backend) and not _names_clients(backend):
                faulty.setdefault(setting.line, []).append(backend)
        for line, backends in faulty.items():
            yield self.finding(
                line,
                f"each client of {names(backends)} holds a connection to the server of its own,"
                " also while it is idle",
                advice="use http-reuse aggressive, unless the application ties a login to its"
                " connection",
                fix=Fix(
                    "share connections",
                    Safety.UNSAFE,
                    (replaced(line.arguments[0], "aggressive"),),
                ),
            )
        yield from self._pools(config)

    def _pools(self, config: HaproxyConfig) -> Iterator[Finding]:
        told: set[Word] = set()
        for backend in balanced_backends(config):
            if not backend.is_http or _closes(backend) or _names_clients(backend):
                continue
            for server in working_servers(backend):
                limit = server.parameter("pool-max-conn")
                if limit is None or limit.value is None or limit.value.value != "0":
                    continue
                if limit.keyword in told:
                    continue
                told.add(limit.keyword)
                line = next(
                    one for one in (server.line, *server.inherited) if limit.keyword in one.words
                )
                yield self.finding(
                    line,
                    "with pool-max-conn 0 no idle connection to the server is kept: each request"
                    " opens a new one",
                    advice="remove it: as many as are idle are kept by default",
                    span=limit.keyword.span,
                    fix=Fix(
                        "keep connections",
                        Safety.UNSAFE,
                        (words_removed(limit.keyword, limit.value),),
                    ),
                )


def _closes(backend: Proxy) -> bool:
    return any(backend.option(name) for name in ("httpclose", "http-server-close"))


def _names_clients(backend: Proxy) -> bool:
    keywords = ("send-proxy", "send-proxy-v2", "source")
    return any(backend.lines("source")) or any(
        server.has(keyword) for server in working_servers(backend) for keyword in keywords
    )
