from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.deployment import Deployment, Entrance, Hop
from gwlint.model.gateway import Route
from gwlint.rule import DeploymentRule, Example, Finding, Label, Severity
from gwlint.rules.buffers.levels import in_kilobytes
from gwlint.syntax.nginx.amend import added_after, arguments_replaced
from gwlint.syntax.nginx.tree import Directive

NAME = "client_max_body_size"

_OUTER = """
events {{}}
http {{
    server {{
        listen 80;
        location / {{
            proxy_pass http://127.0.0.1:8080;
            {limit}
        }}
    }}
}}
"""
_INNER = """\
events {}
http {
    client_max_body_size 10m;
    server {
        listen 127.0.0.1:8080;
        location / {
            proxy_pass http://127.0.0.1:3000;
        }
    }
}
"""


def _example(limit: str) -> Example:
    return Example({"edge/nginx.conf": _OUTER.format(limit=limit), "app/nginx.conf": _INNER})


class BodyLimitInversion(DeploymentRule):
    """The side in front accepts request bodies that the one behind refuses.

    ## Problem
    A request passes two limits, and the smaller one counts. Here a larger one was written in front:
    `client_max_body_size` of an nginx before another nginx, or `body_limit` of a layer in
    gwlint.yaml.

    ## Why
    Measured on nginx 1.22.1: a body above the limit is answered with 413, and the application never
    sees it. An nginx in front has read all of it by then, since it buffers bodies.

    ## In the log
    - nginx behind: `client intended to send too large body: 2000000 bytes`. In front a 413 with an
      `$upstream_addr`.

    ## Silent when
    Nobody wrote the limit in front; a limit is not known for certain; a route behind takes bodies
    as large, as that may be where they go; the limits are of one configuration, which body-limit
    compares. HAProxy has no such limit, so it promises nothing.

    ## Fix safety
    Writes the smaller limit in front, which refuses at once what would be refused later. Unsafe,
    because it may be the one behind that should be raised. There is no fix for a layer, nor in a
    file that several places include.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size
    """

    code = "GTW202"
    name = "body-limit-inversion"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (_example("client_max_body_size 50m;"),)
    good = (_example("client_max_body_size 10m;"), _example(""))

    def check(self, deployment: Deployment) -> Iterator[Finding]:
        said: set[int] = set()
        for hop in deployment.hops:
            inner = _most_generous(hop.entrance)
            if inner is None or inner.body_limit.value is None:
                continue
            for outer in hop.routes:
                if _promises_more(outer, inner) and id(outer.statement) not in said:
                    said.add(id(outer.statement))
                    yield self._promised(deployment, hop, outer, inner)
        yield from self._layer(deployment)

    def _promised(self, deployment: Deployment, hop: Hop, outer: Route, inner: Route) -> Finding:
        setting, smaller = outer.body_limit.statement, inner.body_limit.value
        assert setting is not None
        assert smaller is not None
        text = in_megabytes(smaller)
        is_own = _is_own(outer)
        edit = _edit(deployment, outer, text)
        return self.finding(
            setting if is_own else outer.statement,
            f"bodies {_amount(outer)} are accepted here, but {hop.entrance.gateway.dialect} on"
            f" {hop.server.address.text} behind accepts no more than {text} and answers 413",
            advice=f"set {NAME} {text} here, or the larger limit behind",
            related=(
                Label((inner.body_limit.statement or inner.statement).span, "the smaller limit"),
                *(() if is_own else (Label(setting.span, "the limit here"),)),
            ),
            fix=None
            if edit is None
            else Fix("refuse at once what is refused later", Safety.UNSAFE, (edit,)),
        )

    def _layer(self, deployment: Deployment) -> Iterator[Finding]:
        layer = deployment.facts.nearest_layer
        if layer is None or layer.body_limit is None:
            return
        said: set[int] = set()
        for entrance in deployment.outermost:
            route = _most_generous(entrance)
            if route is None or route.body_limit.value is None:
                continue
            setting = route.body_limit.statement or route.statement
            if route.body_limit.value < layer.body_limit and id(setting) not in said:
                said.add(id(setting))
                size = in_megabytes(route.body_limit.value)
                yield self.finding(
                    setting,
                    f'layer "{layer.name}" lets bodies of up to {in_megabytes(layer.body_limit)}'
                    f" through (gwlint.yaml), but no route here accepts more than {size}: they end"
                    " as 413",
                    advice=f"set {NAME} {in_megabytes(layer.body_limit)} where they should go",
                )


def _promises_more(outer: Route, inner: Route) -> bool:
    limit = outer.body_limit
    if limit.statement is None or not limit.is_certain or not outer.is_http:
        return False
    return _size(outer) > _size(inner)


def _most_generous(entrance: Entrance) -> Route | None:
    """The route that takes the largest bodies; None when a limit is not known for certain."""
    routes = [route for found in entrance.sites.values() for route in found if route.is_http]
    if not all(route.body_limit.is_certain for route in routes):
        return None
    return max(routes, key=_size, default=None)


def _size(route: Route) -> float:
    value = route.body_limit.value
    return float("inf") if value is None else value


def _amount(outer: Route) -> str:
    value = outer.body_limit.value
    return "of any size" if value is None else f"of up to {in_megabytes(value)}"


def in_megabytes(size: int) -> str:
    """Bytes as nginx reads them, as short as can be: "10m", "1536k"."""
    return f"{size >> 20}m" if size and size % (1 << 20) == 0 else in_kilobytes(size)


def _is_own(outer: Route) -> bool:
    place, setting = outer.statement, outer.body_limit.statement
    return (
        isinstance(place, Directive)
        and isinstance(setting, Directive)
        and setting.source is place.source
        and setting.parent is place.parent
        and place.parent is not None
    )


def _edit(deployment: Deployment, outer: Route, text: str) -> Edit | None:
    """In the location itself: the others keep the limit that they inherit."""
    place, setting = outer.statement, outer.body_limit.statement
    assert isinstance(place, Directive)
    if deployment.is_shared(place):
        return None
    if isinstance(setting, Directive) and _is_own(outer):
        return arguments_replaced(setting, text)
    if place.parent is None or place.parent.name != "location":
        return None
    return added_after(place, f"{NAME} {text};")
