from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.deployment import Deployment, Entrance, Hop
from gwlint.model.gateway import Retries, Route
from gwlint.rule import DeploymentRule, Example, Finding, Label, Severity
from gwlint.source import Span, Statement
from gwlint.syntax.haproxy import amend as haproxy
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.nginx import amend as nginx
from gwlint.syntax.nginx.tree import Directive

_HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 60s

frontend www
    bind :80
    default_backend nginx

backend nginx
    retry-on {retry_on}
    server nginx 127.0.0.1:8080 check
"""
_NGINX = """\
events {{}}
http {{
    upstream app {{
        server 10.0.0.1:3000;
        server 10.0.0.2:3000;
    }}
    server {{
        listen 127.0.0.1:8080;
        location / {{
            proxy_pass http://app;
            proxy_read_timeout 20s;
            {more}
        }}
    }}
}}
"""


def _example(retry_on: str, more: str = "") -> Example:
    return Example(
        {
            "haproxy.cfg": _HAPROXY.format(retry_on=retry_on),
            "nginx.conf": _NGINX.format(more=more),
        }
    )


class RetriesMultiply(DeploymentRule):
    """Two layers repeat the same request, so that one request becomes many.

    ## Problem
    The proxy in front sends a request again that the one behind may have begun to work on
    (`retry-on` with more than conn-failure, or a written `proxy_next_upstream` with more than
    `error`), and the one behind does so as well, at each of its servers. The tries multiply.

    ## Why
    Measured with HAProxy 2.6.12 and 2.8.25 in front of nginx 1.22.1 and 1.31.3, one retry outside
    and two servers inside: an application that did not answer in time began each request four
    times instead of two. An overloaded application gets the more to do the slower it becomes.

    ## In the log
    - HAProxy: the number of retries in the HTTP log (the field before the queues).
    - nginx: two or more addresses in `$upstream_addr`.

    The application's own log has the same request several times.

    ## Silent when
    One of the two sides repeats only what was not sent for certain, or has one server only in
    nginx; `http-request disable-l7-retry` decides; a setting is not known for certain. What is
    outside must be written: nobody chose the default of nginx.

    ## Fix safety
    Leaves the retries to the proxy behind, which knows the servers: `retry-on conn-failure`, or
    `proxy_next_upstream error`. Unsafe, because a request that the second try outside would have
    saved fails.

    ## References
    - HAProxy configuration manual, section 4.2, retry-on
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream
    """

    code = "GTW302"
    name = "retries-multiply"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (_example("all-retryable-errors"),)
    good = (
        _example("conn-failure"),
        _example("all-retryable-errors", "proxy_next_upstream off;"),
    )

    def check(self, deployment: Deployment) -> Iterator[Finding]:
        said: set[int] = set()
        for hop in deployment.hops:
            inner = _least_busy(hop.entrance)
            if inner is None:
                continue
            for outer in hop.routes:
                again = outer.retries
                if again.statement is None or not _repeats(again) or id(outer.statement) in said:
                    continue
                said.add(id(outer.statement))
                yield self._multiplied(deployment, hop, outer, inner)

    def _multiplied(self, deployment: Deployment, hop: Hop, outer: Route, inner: Route) -> Finding:
        here, there = outer.retries, inner.retries
        setting = here.statement
        assert setting is not None
        is_own = _is_own(outer, setting)
        edit = _edit(deployment, outer, setting) if not _is_shared(deployment, setting) else None
        written = "retry-on conn-failure"
        if isinstance(outer.statement, Directive):
            family = outer.statement.name.removesuffix("_pass")
            written = f"{family}_next_upstream error"
        return self.finding(
            setting if is_own else outer.statement,
            f"a request may be sent to {hop.entrance.gateway.dialect} {here.tries} times, and each"
            f" time it tries up to {there.tries} servers: the application may begin it"
            f" {here.tries * there.tries} times",
            advice=f"let one side repeat requests: {written} here",
            related=(
                Label((there.statement or inner.statement).span, "repeated here, too"),
                *(() if is_own else (Label(setting.span, "the retries are set here"),)),
            ),
            fix=None
            if edit is None
            else Fix("leave retries to the proxy behind", Safety.UNSAFE, (edit,)),
        )


def _repeats(retries: Retries) -> bool:
    return retries.is_certain and retries.after_sending and retries.tries > 1


def _least_busy(entrance: Entrance) -> Route | None:
    """The route with the fewest tries among the worst of each site, if all sites repeat requests:
    whatever site a request reaches, it has a route that repeats as often."""
    found: list[Route] = []
    for routes in entrance.sites.values():
        repeating = [route for route in routes if route.is_http and _repeats(route.retries)]
        if not repeating:
            return None
        found.append(max(repeating, key=_tries))
    return min(found, key=_tries, default=None)


def _tries(route: Route) -> int:
    return route.retries.tries


def _is_own(outer: Route, setting: Statement) -> bool:
    if isinstance(setting, Line) and isinstance(outer.statement, Line):
        return setting.section is outer.statement.section
    return (
        isinstance(setting, Directive)
        and isinstance(outer.statement, Directive)
        and setting.source is outer.statement.source
        and setting.parent is outer.statement.parent
    )


def _is_shared(deployment: Deployment, setting: Statement) -> bool:
    return isinstance(setting, Directive) and deployment.is_shared(setting)


def _edit(deployment: Deployment, outer: Route, setting: Statement) -> Edit | None:
    """In the backend or location itself: the others keep what they inherit."""
    place = outer.statement
    if isinstance(place, Line):
        assert place.section is not None
        if isinstance(setting, Line) and _is_own(outer, setting):
            first, last = setting.arguments[0], setting.arguments[-1]
            return Edit(Span(setting.source, first.start, last.end), "conn-failure")
        return haproxy.added_to_section(place.section, "retry-on conn-failure")
    assert isinstance(place, Directive)
    if isinstance(setting, Directive) and _is_own(outer, setting):
        return nginx.arguments_replaced(setting, "error")
    if deployment.is_shared(place) or (place.parent is not None and place.parent.name == "if"):
        return None
    family = place.name.removesuffix("_pass")
    return nginx.added_after(place, f"{family}_next_upstream error;")
