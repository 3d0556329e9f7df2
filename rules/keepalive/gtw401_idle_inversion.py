from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.deployment import Deployment, Entrance, Hop
from gwlint.model.gateway import H2, HTTP1, HTTP_VERSIONS, Listener
from gwlint.model.layers import Layer
from gwlint.rule import DeploymentRule, Example, Finding, Label, Severity
from gwlint.rules.protocol.crossings import own_parameter
from gwlint.rules.timeouts.response_timeout import seconds_text
from gwlint.source import Statement
from gwlint.syntax.haproxy import amend as haproxy
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.nginx import amend as nginx
from gwlint.syntax.nginx.tree import Directive

MARGIN_SECONDS = 5
"""What the inner side keeps connections longer: more than any way back takes."""

_HALVINGS = 3
"""HAProxy closes half of the idle connections in each purge: after three, few are left."""

_NGINX = """
events {{}}
http {{
    server {{
        listen 80;
        keepalive_timeout {timeout};
        location / {{
            proxy_pass http://127.0.0.1:3000;
        }}
    }}
}}
"""
_HAPROXY = """\
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 60s
    timeout http-request 10s
{more}
frontend www
    bind :80
    default_backend app

backend app
    server one 127.0.0.1:8080 check{parameters}
"""
_BEHIND = """\
events {{}}
http {{
    keepalive_timeout {timeout};
    server {{
        listen 127.0.0.1:8080;
        location / {{
            proxy_pass http://127.0.0.1:3000;
        }}
    }}
}}
"""
_LAYERS = """\
layers:
  - {name: alb, preset: aws-alb}
"""


def _layer(timeout: str) -> Example:
    return Example({"nginx.conf": _NGINX.format(timeout=timeout), "gwlint.yaml": _LAYERS})


def _haproxy_layer(more: str) -> Example:
    text = _HAPROXY.format(more=more, parameters="")
    return Example({"haproxy.cfg": text, "gwlint.yaml": _LAYERS})


def _hop(parameters: str, timeout: str) -> Example:
    return Example(
        {
            "haproxy.cfg": _HAPROXY.format(more="", parameters=parameters),
            "nginx.conf": _BEHIND.format(timeout=timeout),
        }
    )


class IdleInversion(DeploymentRule):
    """The inner side closes idle connections that the outer side still means to use.

    ## Problem
    A load balancer, or a proxy, keeps connections to the next one open to use them again. The next
    one closes them sooner: `keepalive_timeout` of nginx (75 s by default), `timeout
    http-keep-alive` of HAProxy, for which `timeout http-request`, then `timeout client` stands in.

    ## Why
    A request that is sent just when the other side closes is lost. Measured with applications that
    close first: nginx 1.22.1 and 1.31.3 in front gave 502 for up to 45 of 120 POST requests,
    HAProxy 2.6.12 closed the client's connection without a status; with the outer side closing
    first there was none. Measured with a kept connection as a load balancer has it: after the
    gateway's idle time it was closed without an answer, on both.

    ## In the log
    - The side that closes: nothing.
    - A load balancer: 502 of its own.
    - nginx in front: `upstream prematurely closed connection while reading response header from
      upstream` or `recv() failed (104: Connection reset by peer) while reading response header from
      upstream`.

    ## Silent when
    gwlint.yaml names no layer with an `idle_timeout` in front (`layers`) and no other configuration
    leads here; a time is not known for certain, or one of the sides keeps no connections; the
    gateway listens on this machine only, or passes TCP through. Only the layer that is next to the
    gateway holds connections to it. What happens between the gateway and the application is said by
    idle-race-by-default and purge-delay-above-idle.

    ## Fix safety
    Behind a layer, keeps idle connections for 5 s more than it does. Between two proxies, lets the
    outer one close first: a shorter `keepalive_timeout` in the upstream, or `pool-purge-delay` at a
    third, since HAProxy closes half of its idle connections each time. Unsafe, because idle
    connections take memory, or more new ones are made.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout
    - HAProxy configuration manual, section 4.2, timeout http-keep-alive, and 5.2, pool-purge-delay
    """

    code = "GTW401"
    name = "idle-inversion"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (_layer("30s"), _haproxy_layer(""), _hop("", "3s"))
    good = (
        _layer("65s"),
        _haproxy_layer("    timeout http-keep-alive 65s\n"),
        _hop("", "65s"),
        _hop(" pool-purge-delay 1s", "3s"),
    )

    def check(self, deployment: Deployment) -> Iterator[Finding]:
        layer = deployment.facts.nearest_layer
        if layer is not None and layer.idle_timeout:
            yield from self._behind_layer(deployment, layer, layer.idle_timeout)
        said: set[int] = set()
        for hop in deployment.hops:
            place = id(_keeping_place(hop))
            if place not in said and _is_inverted(hop):
                said.add(place)
                yield self._between(hop)

    def _behind_layer(self, deployment: Deployment, layer: Layer, kept: float) -> Iterator[Finding]:
        said: set[int] = set()
        for entrance in deployment.outermost:
            if entrance.address.is_loopback or entrance.address.path is not None:
                continue
            for listener in entrance.sites:
                idle = listener.idle
                if not _speaks_http(listener) or not idle.is_certain or not idle.value:
                    continue
                home = _home(listener)
                if idle.value > kept or id(home) in said:
                    continue
                said.add(id(home))
                yield self._too_short(deployment, layer, kept, entrance, listener)

    def _too_short(
        self,
        deployment: Deployment,
        layer: Layer,
        kept: float,
        entrance: Entrance,
        listener: Listener,
    ) -> Finding:
        idle = listener.idle
        assert idle.value is not None
        dialect = entrance.gateway.dialect
        wanted = seconds_text(kept + MARGIN_SECONDS)
        name = "keepalive_timeout" if dialect == "nginx" else "timeout http-keep-alive"
        by_default = "" if idle.statement is not None else ", its default"
        own = _own_setting(listener)
        related = () if own or idle.span is None else (Label(idle.span, "the time in force"),)
        edit = _kept_longer(deployment, listener, wanted)
        where = f" ({layer.file}:{layer.line})" if layer.file else ""
        return self.finding(
            own or listener.statement,
            f'layer "{layer.name}" keeps idle connections for {kept:g} s{where}, but {dialect}'
            f" closes them after {idle.value:g} s{by_default}: a request that comes just then is"
            f' lost, and "{layer.name}" answers 502',
            advice=f"set {name} {wanted}, or more than {layer.name} has",
            related=related,
            fix=None
            if edit is None
            else Fix("keep idle connections for longer", Safety.UNSAFE, (edit,)),
        )

    def _between(self, hop: Hop) -> Finding:
        outer, inner = hop.server.idle.value or 0.0, _idle_of(hop.entrance) or 0.0
        wanted = _sooner(hop, inner)
        name = "keepalive_timeout" if hop.gateway.dialect == "nginx" else "pool-purge-delay"
        listener = hop.entrance.listener
        kept = "half of them for" if hop.gateway.dialect == "haproxy" else "them for"
        return self.finding(
            _keeping_place(hop),
            f"{hop.entrance.gateway.dialect} on {hop.server.address.text} closes idle connections"
            f" after {inner:g} s, but {hop.gateway.dialect} keeps {kept} {outer:g} s: a request"
            " that goes over one just then is lost",
            advice=f"set {name} {wanted} here, or let the side behind keep them for longer",
            span=hop.server.address_span if hop.gateway.dialect == "haproxy" else None,
            related=(
                Label((listener.idle.statement or listener.statement).span, "closed sooner here"),
            ),
            fix=Fix("close idle connections first", Safety.UNSAFE, (_closed_sooner(hop, wanted),)),
        )


def _speaks_http(listener: Listener) -> bool:
    return bool(listener.protocols & {HTTP1, H2})


def _home(listener: Listener) -> object:
    """What a fix changes: the nginx directive in force, else the server block or section."""
    statement, own = listener.statement, _own_setting(listener)
    if isinstance(statement, Line):
        return statement.section
    return own or (statement.parent if isinstance(statement, Directive) else statement)


def _own_setting(listener: Listener) -> Statement | None:
    """The setting in force, where the fix replaces it.

    A section of HAProxy gets its own, as a defaults section may serve others; of nginx a longer
    time suits every place that inherits it.
    """
    setting, statement = listener.idle.statement, listener.statement
    if isinstance(setting, Line):
        is_here = isinstance(statement, Line) and setting.section is statement.section
        return setting if is_here and setting.values[:1] == ["http-keep-alive"] else None
    return setting


def _idle_of(entrance: Entrance) -> float | None:
    """The longest of the sites, which a request may reach; None when one is not known."""
    found: list[float] = []
    for listener in entrance.listeners:
        if not listener.idle.is_certain or not listener.idle.value or not _speaks_http(listener):
            return None
        found.append(listener.idle.value)
    return max(found, default=None)


def _is_inverted(hop: Hop) -> bool:
    idle, inner = hop.server.idle, _idle_of(hop.entrance)
    if hop.server.protocol not in HTTP_VERSIONS or hop.server.is_down or inner is None:
        return False
    return idle.is_certain and bool(idle.value) and (idle.value or 0) >= inner


def _keeping_place(hop: Hop) -> Statement:
    """Where the outer side says for how long it keeps connections, or should."""
    if hop.gateway.dialect == "haproxy":
        return hop.server.statement
    return hop.server.idle.statement or hop.pool.statement


def _kept_longer(deployment: Deployment, listener: Listener, text: str) -> Edit | None:
    statement, own = listener.statement, _own_setting(listener)
    if isinstance(own, Line):
        return haproxy.replaced(own.arguments[1], text)
    if isinstance(own, Directive):
        return nginx.replaced(own.arguments[0], text)
    if isinstance(statement, Line):
        assert statement.section is not None
        return haproxy.added_to_section(statement.section, f"timeout http-keep-alive {text}")
    assert isinstance(statement, Directive)
    if deployment.is_shared(statement):
        return None
    return nginx.added_after(statement, f"keepalive_timeout {text};")


def _sooner(hop: Hop, inner: float) -> str:
    if hop.gateway.dialect == "haproxy":
        return f"{max(round(inner * 1000 / _HALVINGS), 1)}ms"
    return seconds_text(float(int(inner - 1)) if inner >= 2 else inner / 2)


def _closed_sooner(hop: Hop, text: str) -> Edit:
    server, setting = hop.server.statement, hop.server.idle.statement
    if isinstance(server, Line):
        own = own_parameter(server, "pool-purge-delay")
        if own is not None and own.value is not None:
            return haproxy.replaced(own.value, text)
        return haproxy.words_added(server, f"pool-purge-delay {text}")
    if isinstance(setting, Directive):
        return nginx.replaced(setting.arguments[0], text)
    upstream = hop.pool.statement
    assert isinstance(upstream, Directive)
    return nginx.added_inside(upstream, f"keepalive_timeout {text};")
