from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gwlint.edits import Fix, Safety
from gwlint.model.deployment import Deployment, Hop
from gwlint.rule import DeploymentRule, Example, Finding, Label, Severity
from gwlint.rules.timeouts.response_timeout import (
    MARGIN_SECONDS,
    inherited,
    place_of,
    response_timeout_set,
    seconds_text,
)
from gwlint.source import Statement

if TYPE_CHECKING:
    from gwlint.model.gateway import Route

_HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server {outer}

frontend www
    bind :80
    default_backend nginx

backend nginx
    server nginx 127.0.0.1:8080
"""
_NGINX = """\
events {}
http {
    server {
        listen 127.0.0.1:8080;
        location / {
            proxy_pass http://127.0.0.1:3000;
            proxy_read_timeout 60s;
        }
    }
}
"""


_LAYERS = """\
layers:
  - {name: alb, preset: aws-alb}
"""


class OuterTimeoutBelowInner(DeploymentRule):
    """The outer proxy gives up on a request while the inner one still waits for the answer.

    ## Problem
    A request goes through two proxies, and the first one has the shorter response timeout
    (`timeout server` of HAProxy, `proxy_read_timeout` of nginx). The same holds for a load balancer
    or CDN that gwlint.yaml names in front (`layers`, with their `response_timeout`).

    ## Why
    Measured with HAProxy in front of nginx, 1 s outside, 5 s inside, an application that takes 2 s:
    504 on every request, while the application finished every one of them for nobody.

    ## In the log
    - HAProxy: `app/s1 ... 504 ... sH--` for the server that is nginx.
    - nginx, at level info: `client prematurely closed connection, so upstream connection is closed
      too while reading response header from upstream`, and 499 in its access log.

    ## Silent when
    One of the two timeouts is not known for certain, the inner route carries web sockets (a tunnel
    has its own timeout), or the addresses of the two configurations do not meet. Only the layer
    next to the gateway is compared, and no gateway that listens on this machine alone.

    ## Fix safety
    Raises the outer timeout to 5 s above the inner one. Unsafe, because a request may then hold its
    client and its connection for longer. There is no fix for a layer, nor in a file that several
    places include.

    ## References
    - HAProxy configuration manual, section 4.2, timeout server
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout
    """

    code = "GTW301"
    name = "outer-timeout-below-inner"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example({"haproxy.cfg": _HAPROXY.format(outer="20s"), "nginx.conf": _NGINX}),
        Example({"haproxy.cfg": _HAPROXY.format(outer="90s"), "gwlint.yaml": _LAYERS}),
    )
    good = (
        Example({"haproxy.cfg": _HAPROXY.format(outer="65s"), "nginx.conf": _NGINX}),
        Example({"haproxy.cfg": _HAPROXY.format(outer="50s"), "gwlint.yaml": _LAYERS}),
    )

    def check(self, deployment: Deployment) -> Iterator[Finding]:
        worst: dict[Statement, tuple[Hop, Route, Route]] = {}
        for hop in _slowest_hops(deployment):
            inner = hop.entrance.slowest_route
            assert inner is not None
            for outer in hop.routes:
                known = worst.get(outer.statement)
                if _gives_up_before(outer, inner) and (
                    known is None or _seconds(inner) > _seconds(known[2])
                ):
                    worst[outer.statement] = (hop, outer, inner)
        for hop, outer, inner in worst.values():
            edit = response_timeout_set(deployment, outer, _seconds(inner) + MARGIN_SECONDS)
            inner_place = inner.timeouts.response.statement or inner.statement
            wanted = seconds_text(_seconds(inner) + MARGIN_SECONDS)
            yield self.finding(
                place_of(outer),
                f"{hop.gateway.dialect} waits {_seconds(outer):g} s for an answer, but"
                f" {hop.entrance.gateway.dialect} behind it waits {_seconds(inner):g} s: slow"
                " requests end as 504 out here while the work goes on inside",
                advice=f"let the outer timeout be the longer one, such as {wanted}",
                related=(
                    Label(inner_place.span, "the longer timeout, inside"),
                    *inherited(outer),
                ),
                fix=None
                if edit is None
                else Fix("wait longer than the proxy behind", Safety.UNSAFE, (edit,)),
            )
        yield from self._layer(deployment)

    def _layer(self, deployment: Deployment) -> Iterator[Finding]:
        layer = deployment.facts.nearest_layer
        if layer is None or not layer.response_timeout:
            return
        said: set[int] = set()
        for entrance in deployment.outermost:
            inner = entrance.slowest_route
            if inner is None or _seconds(inner) <= layer.response_timeout:
                continue
            if entrance.address.is_loopback or id(inner.statement) in said:
                continue
            said.add(id(inner.statement))
            yield self.finding(
                place_of(inner),
                f'layer "{layer.name}" waits {layer.response_timeout:g} s for an answer'
                f" (gwlint.yaml), but {entrance.gateway.dialect} behind it waits"
                f" {_seconds(inner):g} s: slow requests end as 504 out there while the work goes"
                " on inside",
                advice=f"let {layer.name} wait longer, or this route give up sooner",
                related=inherited(inner),
            )


def _slowest_hops(deployment: Deployment) -> Iterator[Hop]:
    """Of each pool the hop to the entrance that is the most patient, by its slowest route."""
    found: dict[int, Hop] = {}
    for hop in deployment.hops:
        inner = hop.entrance.slowest_route
        if inner is None:
            continue
        known = found.get(id(hop.pool))
        best = None if known is None else known.entrance.slowest_route
        if best is None or _seconds(inner) > _seconds(best):
            found[id(hop.pool)] = hop
    yield from found.values()


def _gives_up_before(outer: Route, inner: Route) -> bool:
    response = outer.timeouts.response
    if not (response.is_certain and outer.is_http) or response.value is None:
        return False
    return response.value < _seconds(inner)


def _seconds(route: Route) -> float:
    return route.timeouts.response.value or 0.0
