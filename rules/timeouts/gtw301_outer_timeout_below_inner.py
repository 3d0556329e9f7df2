from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.deployment import Deployment, Hop
from gwlint.rule import DeploymentRule, Example, Finding, Label, Severity
from gwlint.source import Statement

if TYPE_CHECKING:
    from gwlint.model.gateway import Route

MARGIN_SECONDS = 5
"""What the outer proxy waits longer: enough for the inner one to answer 504 and be heard."""

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


class OuterTimeoutBelowInner(DeploymentRule):
    """The outer proxy gives up on a request while the inner one still waits for the answer.

    ## Problem
    A request goes through two proxies, and the first one has the shorter response timeout
    (`timeout server` of HAProxy, `proxy_read_timeout` of nginx).

    ## Why
    Measured with HAProxy in front of nginx, 1 s outside, 5 s inside, an application that takes 2 s:
    504 on every request, while the application finished every one of them for nobody.

    ## In the log
    HAProxy: `504 sH` for the server that is nginx. nginx, at level info: `client prematurely closed
    connection, so upstream connection is closed too`, and 499 in its access log.

    ## Silent when
    One of the two timeouts is not known for certain, the inner route carries web sockets (a tunnel
    has its own timeout), or the addresses of the two configurations do not meet.

    ## Fix safety
    Raises the outer timeout to 5 s above the inner one. Unsafe, because a request may then hold its
    client and its connection for longer.

    ## References
    - HAProxy configuration manual, section 4.2, timeout server
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout
    """

    code = "GTW301"
    name = "outer-timeout-below-inner"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (Example({"haproxy.cfg": _HAPROXY.format(outer="20s"), "nginx.conf": _NGINX}),)
    good = (Example({"haproxy.cfg": _HAPROXY.format(outer="65s"), "nginx.conf": _NGINX}),)

    def check(self, deployment: Deployment) -> Iterator[Finding]:
        worst: dict[Statement, tuple[Hop, Route]] = {}
        for hop in deployment.hops:
            inner = hop.entrance.slowest_route
            if inner is None or not _gives_up_before(hop.route, inner):
                continue
            known = worst.get(hop.route.statement)
            if known is None or _seconds(inner) > _seconds(known[1]):
                worst[hop.route.statement] = (hop, inner)
        for hop, inner in worst.values():
            outer = hop.route
            where = outer.timeouts.response.statement or outer.statement
            inner_place = inner.timeouts.response.statement or inner.statement
            wanted = f"{_seconds(inner) + MARGIN_SECONDS:g}s"
            yield self.finding(
                where,
                f"{hop.gateway.dialect} waits {_seconds(outer):g} s for an answer, but"
                f" {hop.entrance.gateway.dialect} behind it waits {_seconds(inner):g} s: slow"
                " requests end as 504 out here while the work goes on inside",
                advice=f"let the outer timeout be the longer one, such as {wanted}",
                related=(Label(inner_place.span, "the longer timeout, inside"),),
                fix=Fix(
                    "wait longer than the proxy behind", Safety.UNSAFE, (_raised(outer, wanted),)
                ),
            )


def _gives_up_before(outer: Route, inner: Route) -> bool:
    response = outer.timeouts.response
    if not (response.is_certain and outer.is_http) or response.value is None:
        return False
    return response.value < _seconds(inner)


def _seconds(route: Route) -> float:
    return route.timeouts.response.value or 0.0


def _raised(outer: Route, wanted: str) -> Edit:
    """The timeout in the backend or location itself: others may need their shorter one."""
    from gwlint.syntax.haproxy import amend as haproxy
    from gwlint.syntax.haproxy.tree import Line
    from gwlint.syntax.nginx import amend as nginx
    from gwlint.syntax.nginx.tree import Directive

    place, setting = outer.statement, outer.timeouts.response.statement
    if isinstance(place, Line):
        assert place.section is not None
        if isinstance(setting, Line) and setting.section is place.section:
            return haproxy.replaced(setting.arguments[1], wanted)
        return haproxy.added_to_section(place.section, f"timeout server {wanted}")
    assert isinstance(place, Directive)
    if isinstance(setting, Directive) and setting.parent is place.parent:
        return nginx.arguments_replaced(setting, wanted)
    family = place.name.removesuffix("_pass")
    return nginx.added_after(place, f"{family}_read_timeout {wanted};")
