from __future__ import annotations

from collections.abc import Iterator
from math import inf

from gwlint.edits import Fix, Safety
from gwlint.model.deployment import Delivery, Deployment
from gwlint.model.gateway import Route
from gwlint.rule import DeploymentRule, Example, Finding, Severity
from gwlint.rules.timeouts.response_timeout import (
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
            proxy_read_timeout {timeout};
        }}
    }}
}}
"""
_HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server {timeout}

backend api
    server one 127.0.0.1:3000 check
"""
_SERVICES = """\
services:
  api:
    addresses: ["127.0.0.1:3000"]
    response_timeout: 30s
"""


def _example(name: str, text: str, timeout: str) -> Example:
    return Example({name: text.format(timeout=timeout), "gwlint.yaml": _SERVICES})


class AppTimeoutBelowProxy(DeploymentRule):
    """The application kills a slow request while the proxy still waits for its answer.

    ## Problem
    gwlint.yaml says after how long the application ends a request (`response_timeout`: the worker
    timeout of gunicorn, max_execution_time of PHP), and the proxy waits longer than that.

    ## Why
    Measured with nginx 1.22.1 in front of gunicorn with a timeout of 2 s, and a request of 3 s: the
    worker was killed and the client got 502 (gunicorn 21) or 500 (gunicorn 27), with all else that
    the worker did at that moment. With a read timeout of 1 s the same request ended as a clean 504.
    A connection that ends without an answer is 502 on HAProxy 2.6.12 and 2.8.25 as well.

    ## In the log
    - nginx: `upstream prematurely closed connection while reading response header from upstream`,
      or nothing where the application still answers 500.
    - HAProxy: `app/s1 ... 502 ... SH--`.

    ## Silent when
    gwlint.yaml does not say when the application gives up; the timeout of the proxy is not known
    for certain; the route carries web sockets, whose timeout is that of an idle tunnel, or passes
    TCP through.

    ## Fix safety
    Lowers the timeout of the route below that of the application. Unsafe, because a slow request
    then ends a moment earlier. There is no fix where a request may take longer than that
    (`slowest_response`): the application's own limit is then the one to raise.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout
    - HAProxy configuration manual, section 4.2, timeout server
    """

    code = "GTW303"
    name = "app-timeout-below-proxy"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        _example("nginx.conf", _NGINX, "60s"),
        _example("haproxy.cfg", _HAPROXY, "1m"),
    )
    good = (
        _example("nginx.conf", _NGINX, "25s"),
        _example("haproxy.cfg", _HAPROXY, "30s"),
    )

    def check(self, deployment: Deployment) -> Iterator[Finding]:
        soonest: dict[int, Delivery] = {}
        for delivery in deployment.deliveries:
            if not delivery.service.response_timeout:
                continue
            known = soonest.get(id(delivery.pool))
            if known is None or _limit(delivery) < _limit(known):
                soonest[id(delivery.pool)] = delivery
        said: set[int] = set()
        for delivery in soonest.values():
            for route in delivery.routes:
                place = place_of(route)
                if _waits_longer(route, _limit(delivery)) and id(place) not in said:
                    said.add(id(place))
                    yield self._killed(deployment, delivery, route)

    def _killed(self, deployment: Deployment, delivery: Delivery, route: Route) -> Finding:
        service, wait = delivery.service, route.timeouts.response.value
        wanted = _below(_limit(delivery))
        is_enough = (service.slowest_response or 0) < wanted
        edit = response_timeout_set(deployment, route, wanted) if is_enough else None
        waits = "without end" if wait is None else f"{wait:g} s"
        return self.finding(
            place_of(route),
            f'service "{service.name}" ends a request after {_limit(delivery):g} s (gwlint.yaml),'
            f" but {delivery.gateway.dialect} waits {waits}: slow requests end as the 502 or 500 of"
            " a killed worker, not as 504",
            advice=f"wait for {seconds_text(wanted)}, or let the application go on for longer"
            if is_enough
            else "let the application go on for longer than its slowest request takes",
            related=inherited(route),
            fix=None
            if edit is None
            else Fix("give up before the application does", Safety.UNSAFE, (edit,)),
        )


def _limit(delivery: Delivery) -> float:
    return delivery.service.response_timeout or inf


def _waits_longer(route: Route, limit: float) -> bool:
    response = route.timeouts.response
    if not route.is_http or route.is_upgraded or not response.is_certain:
        return False
    return response.value is None or response.value > limit


def _below(limit: float) -> float:
    """A tenth less, at least a second where there is room: the answer has to get out."""
    short_of = min(limit * 0.9, limit - 1)
    return float(int(short_of)) if short_of >= 1 else limit / 2
