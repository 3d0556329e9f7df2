from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.deployment import Deployment, Entrance
from gwlint.model.gateway import Gateway, Pool, Route
from gwlint.model.haproxy.gateway import DEFAULT_BUFSIZE, DEFAULT_MAXREWRITE
from gwlint.model.nginx.buffers import BUFFER_FAMILIES, HEADER, PAGE
from gwlint.rule import DeploymentRule, Example, Finding, Label, Severity
from gwlint.rules.buffers.levels import FamilyLevels, in_kilobytes, statement_text
from gwlint.source import Statement
from gwlint.syntax.haproxy import amend as haproxy
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.nginx.amend import added_after, replaced
from gwlint.syntax.nginx.tree import Directive

DEFAULT_LIMIT = DEFAULT_BUFSIZE - DEFAULT_MAXREWRITE
"""Bytes of headers that HAProxy takes unless told otherwise (measured)."""

_NGINX = """
events {{}}
http {{
    server {{
        listen 127.0.0.1:8080;
        location / {{
            proxy_pass http://127.0.0.1:3000;
            {buffers}
        }}
    }}
}}
"""
_HAPROXY = """\
global
    maxconn 2000
{more}
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 60s

frontend www
    bind :80
    default_backend nginx

backend nginx
    server nginx 127.0.0.1:8080 check
"""
_SERVICES = """\
services:
  api:
    addresses: ["127.0.0.1:3000"]
    response_header: 9k
"""
_LARGE = "proxy_buffer_size 32k; proxy_buffers 8 32k;"


def _service(buffers: str) -> Example:
    return Example({"nginx.conf": _NGINX.format(buffers=buffers), "gwlint.yaml": _SERVICES})


def _hop(more: str) -> Example:
    return Example(
        {
            "haproxy.cfg": _HAPROXY.format(more=more),
            "nginx.conf": _NGINX.format(buffers=_LARGE),
        }
    )


@dataclass(frozen=True, slots=True)
class _Excess:
    """Headers of `size` bytes may come to a route that has room for less."""

    gateway: Gateway
    route: Route
    size: int
    source: str
    related: tuple[Label, ...]


class HeaderLimitInversion(DeploymentRule):
    """The side behind may send larger headers than the proxy in front accepts.

    ## Problem
    The headers of an answer must fit into `proxy_buffer_size` of nginx (4k by default, and so for
    fastcgi, uwsgi, scgi, grpc) or `tune.bufsize` less `tune.maxrewrite` of HAProxy (15360 bytes).
    gwlint.yaml says that the service sends larger ones (`response_header`), or the proxy behind was
    given more room than the one in front, as for large cookies.

    ## Why
    Measured: an answer whose headers do not fit is thrown away, on nginx 1.22.1 and 1.31.3 and on
    HAProxy 2.6.12 and 2.8.25, and the client gets 502 though the application answered.

    ## In the log
    - nginx: `upstream sent too big header while reading response header from upstream`.
    - HAProxy: `app/s1 ... 502 ... PH--`.

    ## Silent when
    gwlint.yaml does not say how large the headers of the service are; the size of the proxy behind
    is a default, which nobody chose for its headers; one of the sizes is not known for certain; TCP
    is passed through. A layer in front counts where gwlint.yaml has its `response_header`.

    ## Fix safety
    Makes room in the proxy in front: the header buffer, and with it only those of the other sizes
    that nginx demands; `tune.bufsize` of HAProxy, where the file has a global section. Unsafe,
    because it takes more memory for each connection. A layer in front has fixed limits, so there is
    no fix for it.

    ## Learnt
    Published files write the default of tune.bufsize down: that is no room made for anything.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffer_size
    - HAProxy configuration manual, section 3.2, tune.bufsize, tune.maxrewrite
    """

    code = "GTW201"
    name = "header-limit-inversion"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (_service(""), _hop(""))
    good = (
        _service("proxy_buffer_size 12k; proxy_buffers 8 12k;"),
        _hop("    tune.bufsize 40960\n"),
    )

    def check(self, deployment: Deployment) -> Iterator[Finding]:
        worst: dict[int, _Excess] = {}
        for excess in _excesses(deployment):
            # tune.bufsize is one for all of HAProxy.
            is_nginx = isinstance(excess.route.statement, Directive)
            place = id(_place(excess) if is_nginx else excess.gateway)
            if place not in worst or excess.size > worst[place].size:
                worst[place] = excess
        for excess in worst.values():
            yield self._too_small(deployment, excess)
        yield from self._layer(deployment)

    def _too_small(self, deployment: Deployment, excess: _Excess) -> Finding:
        limit = excess.route.header_limit.value
        assert limit is not None
        edits, what = _made_room(deployment, excess)
        return self.finding(
            _place(excess),
            f"{excess.source} of up to {in_kilobytes(excess.size)}, but {excess.gateway.dialect}"
            f" takes no more than {in_kilobytes(limit)} here: a larger one ends as 502",
            advice=f"set {what}",
            related=excess.related,
            fix=None
            if edits is None
            else Fix("make room for the headers", Safety.UNSAFE, tuple(edits)),
        )

    def _layer(self, deployment: Deployment) -> Iterator[Finding]:
        layer = deployment.facts.nearest_layer
        if layer is None or layer.response_header is None:
            return
        said: set[int] = set()
        for entrance in deployment.outermost:
            route = _roomiest(entrance)
            if route is None or (route.header_limit.value or 0) <= layer.response_header:
                continue
            setting = route.header_limit.statement
            assert setting is not None
            if id(setting) not in said:
                said.add(id(setting))
                yield self.finding(
                    setting,
                    f"{entrance.gateway.dialect} takes response headers of up to"
                    f' {in_kilobytes(route.header_limit.value or 0)}, but layer "{layer.name}" in'
                    f" front no more than {in_kilobytes(layer.response_header)}: it answers 502",
                    advice=f"keep the headers below {in_kilobytes(layer.response_header)}",
                )


def _excesses(deployment: Deployment) -> Iterator[_Excess]:
    largest: dict[int, tuple[int, str, tuple[Label, ...], Gateway, Pool, tuple[Route, ...]]] = {}
    for delivery in deployment.deliveries:
        size = delivery.service.response_header
        if size is not None and size > largest.get(id(delivery.pool), (0,))[0]:
            source = f'service "{delivery.service.name}" (gwlint.yaml) sends headers'
            largest[id(delivery.pool)] = (
                size, source, (), delivery.gateway, delivery.pool, delivery.routes,
            )  # fmt: skip
    for hop in deployment.hops:
        inner = _roomiest(hop.entrance)
        if inner is None or inner.header_limit.statement is None:
            continue
        size = inner.header_limit.value or 0
        # Who writes the default down has not made more room.
        if hop.entrance.gateway.dialect == "haproxy" and size <= DEFAULT_LIMIT:
            continue
        if size > largest.get(id(hop.pool), (0,))[0]:
            span = inner.header_limit.statement.span
            labels: tuple[Label, ...] = (Label(span, "more room was made here"),)
            source = f"{hop.entrance.gateway.dialect} behind takes and sends on headers"
            largest[id(hop.pool)] = (size, source, labels, hop.gateway, hop.pool, hop.routes)
    for size, source, labels, gateway, _, routes in largest.values():
        for route in routes:
            limit = route.header_limit
            if route.is_http and limit.is_certain and limit.value and limit.value < size:
                yield _Excess(gateway, route, size, source, labels)


def _roomiest(entrance: Entrance) -> Route | None:
    """The route with the largest limit that somebody set, of the site that has the least.

    So whatever site a request reaches, it has a route with as much room.
    """
    found: list[Route] = []
    for routes in entrance.sites.values():
        chosen = [
            route
            for route in routes
            if route.is_http
            and route.header_limit.is_certain
            and route.header_limit.statement is not None
        ]
        if not chosen:
            return None
        found.append(max(chosen, key=_limit))
    return min(found, key=_limit, default=None)


def _limit(route: Route) -> int:
    return route.header_limit.value or 0


def _place(excess: _Excess) -> Statement:
    """tune.bufsize holds for all of HAProxy; in nginx each location may have its own size."""
    route, setting = excess.route, excess.route.header_limit.statement
    if isinstance(route.statement, Directive) and (
        not isinstance(setting, Directive) or setting.parent is not route.statement.parent
    ):
        return route.statement
    return setting or route.statement


def _made_room(deployment: Deployment, excess: _Excess) -> tuple[list[Edit] | None, str]:
    found = deployment.pass_of(excess.route)
    if found is None:
        return _larger_bufsize(deployment, excess)
    config, one = found
    # Whole pages, with room for the status line.
    size = -(-(excess.size + 1) // PAGE) * PAGE
    text = statement_text(one.family, HEADER, (size,))
    level = one.context.within("location")
    if level is None or level is not one.context:
        return None, text
    if one.family in BUFFER_FAMILIES:
        raised = FamilyLevels(config, one.family).raised(level, one.directive, header=size)
        if raised is None:
            return None, text
        wanted = " and ".join(
            statement_text(one.family, suffix, values) for suffix, values in raised[0].items()
        )
        return raised[1], wanted
    own = level.own(f"{one.family}_{HEADER}")
    if deployment.is_shared(one.directive):
        return None, text
    return [replaced(own[0].arguments[0], in_kilobytes(size))] if own else [
        added_after(one.directive, text + ";")
    ], text


def _larger_bufsize(deployment: Deployment, excess: _Excess) -> tuple[list[Edit] | None, str]:
    """`tune.bufsize` in whole kilobytes, with what `tune.maxrewrite` takes of it by default."""
    size = -(-(excess.size + DEFAULT_MAXREWRITE) // 1024) * 1024
    text = f"tune.bufsize {size}"
    setting = excess.route.header_limit.statement
    if isinstance(setting, Line):
        return [haproxy.replaced(setting.arguments[0], str(size))], text
    config = deployment.haproxy_of(excess.gateway)
    if config is None or not config.global_sections:
        return None, text
    return [haproxy.added_to_section(config.global_sections[0], text)], text
