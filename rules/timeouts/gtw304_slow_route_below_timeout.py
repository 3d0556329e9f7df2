from __future__ import annotations

from collections.abc import Iterator
from math import inf

from gwlint.edits import Fix, Safety
from gwlint.model.deployment import Delivery, Deployment
from gwlint.model.facts import Service
from gwlint.model.gateway import Route
from gwlint.rule import DeploymentRule, Example, Finding, Severity
from gwlint.rules.timeouts.response_timeout import (
    MARGIN_SECONDS,
    inherited,
    place_of,
    response_timeout_set,
    seconds_text,
)

_NGINX = """
events {{}}
http {{
    server {{
        listen 8080;
        location / {{
            proxy_pass http://127.0.0.1:3000;
            {timeout}
        }}
    }}
}}
"""
_HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s

backend api
    timeout server {timeout}
    server one 127.0.0.1:3000 check
"""
_SERVICES = """\
services:
  api:
    addresses: ["127.0.0.1:3000"]
    slowest_response: 90s
"""


def _nginx(timeout: str) -> Example:
    return Example({"nginx.conf": _NGINX.format(timeout=timeout), "gwlint.yaml": _SERVICES})


def _haproxy(timeout: str) -> Example:
    return Example({"haproxy.cfg": _HAPROXY.format(timeout=timeout), "gwlint.yaml": _SERVICES})


class SlowRouteBelowTimeout(DeploymentRule):
    """The application needs longer for some requests than the proxy waits.

    ## Problem
    gwlint.yaml says how long a request to the service may take (`slowest_response`), and no route
    that leads there waits that long: `proxy_read_timeout` and its kin in nginx, 60 s by default,
    or `timeout server` in HAProxy.

    ## Why
    Measured with an application that takes longer than the timeout: each such request ends as 504,
    on nginx 1.22.1 and 1.31.3 and on HAProxy 2.6.12 and 2.8.25, while the application goes on with
    its work for nobody.

    ## In the log
    - nginx: `upstream timed out (110: Connection timed out) while reading response header from
      upstream`.
    - HAProxy: `app/s1 ... 504 ... sH--`.

    ## Silent when
    gwlint.yaml does not say how long a request takes; a route to the service waits long enough,
    since slow requests may all go that way; a timeout is not known for certain; the route carries
    web sockets, or passes TCP through.

    ## Fix safety
    Raises the timeout of the most patient routes to 5 s more than the slowest request takes.
    Unsafe, because a request may then hold its client and its connection for longer. There is no
    fix in a file that several places include.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout
    - HAProxy configuration manual, section 4.2, timeout server
    """

    code = "GTW304"
    name = "slow-route-below-timeout"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (_nginx(""), _nginx("proxy_read_timeout 80s;"), _haproxy("45s"))
    good = (_nginx("proxy_read_timeout 95s;"), _haproxy("2m"))

    def check(self, deployment: Deployment) -> Iterator[Finding]:
        said: set[int] = set()
        for delivery, routes in _impatient_pools(deployment):
            for route in routes:
                place = place_of(route)
                if id(place) not in said:
                    said.add(id(place))
                    yield self._impatient(
                        deployment, delivery.gateway.dialect, route, delivery.service
                    )

    def _impatient(
        self, deployment: Deployment, dialect: str, route: Route, service: Service
    ) -> Finding:
        wait, slowest = route.timeouts.response.value, service.slowest_response
        assert wait is not None
        assert slowest is not None
        wanted = slowest + MARGIN_SECONDS
        edit = response_timeout_set(deployment, route, wanted)
        return self.finding(
            place_of(route),
            f'{dialect} waits {wait:g} s for an answer, but a request to service "{service.name}"'
            f" takes up to {slowest:g} s (gwlint.yaml): it ends as 504",
            advice=f"wait for {seconds_text(wanted)}, or let the application answer sooner",
            related=inherited(route),
            fix=None
            if edit is None
            else Fix("wait for the slowest answer", Safety.UNSAFE, (edit,)),
        )


def _impatient_pools(deployment: Deployment) -> Iterator[tuple[Delivery, list[Route]]]:
    """The slowest service of each pool, with the routes there that wait as long as any route to
    that service does, where that is not long enough."""
    slowest: dict[int, Delivery] = {}
    patience: dict[int, float] = {}
    longest: dict[tuple[int, str], float] = {}
    for delivery in deployment.deliveries:
        if delivery.service.slowest_response is None:
            continue
        pool = id(delivery.pool)
        if pool not in patience:
            patience[pool] = _patience(delivery.routes)
        known = slowest.get(pool)
        if known is None or _slowest(delivery) > _slowest(known):
            slowest[pool] = delivery
        key = (id(delivery.gateway), delivery.service.name)
        longest[key] = max(longest.get(key, 0.0), patience[pool])
    for pool, delivery in slowest.items():
        wait = longest[id(delivery.gateway), delivery.service.name]
        if patience[pool] == wait < _slowest(delivery):
            yield (
                delivery,
                [
                    route
                    for route in delivery.routes
                    if _counts(route) and route.timeouts.response.value == wait
                ],
            )


def _slowest(delivery: Delivery) -> float:
    return delivery.service.slowest_response or 0.0


def _counts(route: Route) -> bool:
    return route.is_http and not route.is_upgraded


def _patience(routes: tuple[Route, ...]) -> float:
    """The longest that one of the routes waits: without end where that is not certain."""
    found = [0.0]
    for route in filter(_counts, routes):
        response = route.timeouts.response
        found.append(inf if response.value is None or not response.is_certain else response.value)
    return max(found)
