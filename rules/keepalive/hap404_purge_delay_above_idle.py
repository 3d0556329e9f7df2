from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.facts import Service
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.model.haproxy.server import Server
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends, working_servers
from gwlint.syntax.haproxy.amend import replaced, words_added
from gwlint.syntax.values.times import time_text

_DEFAULT_SECONDS = 5.0
_HALVINGS = 3
"""In each delay half of the idle connections go: after three, few are left."""

_CONFIGURATION = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s

backend app
    server one 127.0.0.1:3000 check{parameters}
"""
_FACTS = """
services:
  app:
    addresses: ["127.0.0.1:3000"]
    idle_timeout: 5s
"""


def _example(parameters: str) -> Example:
    text = _CONFIGURATION.format(parameters=parameters).lstrip("\n")
    return Example({"haproxy.cfg": text, "gwlint.yaml": _FACTS.lstrip("\n")})


class PurgeDelayAboveIdle(HaproxyRule):
    """HAProxy keeps idle connections for longer than the application does.

    ## Problem
    HAProxy closes half of a server's idle connections every `pool-purge-delay`, 5 seconds by
    default. An application that closes them sooner may do so while a request is on its way.

    ## Why
    Measured on HAProxy 2.6.12 with an application that closes idle connections after 100 ms: of 120
    POST requests on kept-alive client connections 45 were lost, the client's connection closed
    without a status; with a purge delay well below that limit all 120 got 200.

    ## In the log
    Nothing. The client's connection ends without an answer.

    ## Silent when
    gwlint.yaml does not say when the application closes idle connections (`idle_timeout` of a
    service), or it is longer than the delay; the backend is not in mode http, or reuses no
    connections (http-reuse never, an option that closes them, pool-max-conn 0).

    ## Fix safety
    Sets `pool-purge-delay` to a third of the application's limit, so that few connections live
    that long. It costs some new connections, so the fix is safe. Raising the limit of the
    application is better.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 5.2, pool-purge-delay, pool-max-conn
    - https://github.com/haproxy/haproxy/issues/1236
    """

    code = "HAP404"
    name = "purge-delay-above-idle"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (_example(""), _example(" pool-purge-delay 10s"))
    good = (_example(" pool-purge-delay 1s"), _example(" pool-max-conn 0"))

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            if not backend.is_http or not _keeps_connections(backend):
                continue
            for server in working_servers(backend):
                service = config.facts.at(server.address)
                delay = _delay(server)
                if service is not None and delay is not None and delay > 0:
                    yield from self._judged(server, service, delay)

    def _judged(self, server: Server, service: Service, delay: float) -> Iterator[Finding]:
        limit = service.idle_timeout
        if not limit or delay < limit:
            return
        wanted = time_text(max(limit / _HALVINGS, 0.001))
        own = server.parsed.last("pool-purge-delay")
        yield self.finding(
            server.line,
            f"{service.name} closes idle connections after {time_text(limit)}, but HAProxy keeps"
            f" half of them for {time_text(delay)} or longer: a request that goes over one just"
            " then is lost",
            advice=f"set pool-purge-delay {wanted}, or let the application keep idle connections"
            " for longer",
            span=None if own is None else own.keyword.span,
            fix=Fix(
                "close idle connections before the application does",
                Safety.SAFE,
                (_delay_set(server, wanted),),
            ),
        )


def _keeps_connections(backend: Proxy) -> bool:
    if any(backend.option(name) for name in ("httpclose", "http-server-close")):
        return False
    return backend.effective("http-reuse").value != "never"


def _delay(server: Server) -> float | None:
    """Seconds between purges; None when connections are not kept, or the delay is not known."""
    most, delay = server.value("pool-max-conn"), server.value("pool-purge-delay")
    if (most is not None and most.value == "0") or (delay is not None and delay.references):
        return None
    return server.seconds("pool-purge-delay", _DEFAULT_SECONDS)


def _delay_set(server: Server, value: str) -> Edit:
    """On the server line itself: a default-server line serves others too."""
    own = server.parsed.last("pool-purge-delay")
    if own is not None and own.value is not None:
        return replaced(own.value, value)
    return words_added(server.line, f"pool-purge-delay {value}")
