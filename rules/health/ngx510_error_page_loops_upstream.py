from __future__ import annotations

from collections.abc import Iterable, Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.health.error_pages import ErrorPage, Locations, error_pages

_DEAD_UPSTREAM = frozenset({502, 504})
_OTHER_ANSWERS = ("try_files", "return", "rewrite")

_Loop = tuple[ErrorPage, Pass]


class ErrorPageLoopsUpstream(NginxRule):
    """The page for a dead upstream is fetched from the same upstream.

    ## Problem
    `error_page 502 /error.html` is an internal request. Where no location serves that URI from
    disk, it goes where all requests go: to the upstream that has just failed.

    ## Why
    Measured on nginx 1.22.1: clients get nginx's plain 502 after twice the connects, never the
    page; with `recursive_error_pages on` they get 500.

    ## In the log
    `connect() failed (111: Connection refused) while connecting to upstream` twice for a request;
    when `recursive_error_pages` is on also `rewrite or internal redirection cycle while internally
    redirecting to "/..."`.

    ## Silent when
    It is not certain to which location the URI leads (an include, nested locations, a regular
    expression that cannot be read), or that location may answer otherwise (`try_files`, `return`,
    `rewrite`); it is a location other than `/` that fails itself, as one with a server for error
    pages does.

    ## Fix safety
    No fix: the page has to exist on disk, in a location such as `location = /error.html { root ...;
    internal; }`.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#error_page
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#recursive_error_pages
    """

    code = "NGX510"
    name = "error-page-loops-upstream"
    severity = Severity.WARNING
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    error_page 502 504 /error.html;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                upstream app { server 127.0.0.1:3000; server 127.0.0.1:3001; }
                server {
                    listen 8080;
                    location / {
                        error_page 502 = @again;
                        proxy_pass http://app;
                    }
                    location @again { proxy_pass http://app; }
                }
            }
            """
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    error_page 502 504 /error.html;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                    location = /error.html {
                        root /var/www/errors;
                        internal;
                    }
                }
                server {
                    listen 8081;
                    location / {
                        error_page 502 = @other;
                        proxy_pass http://127.0.0.1:3000;
                    }
                    location @other {
                        proxy_pass http://127.0.0.1:3001;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        loops = _Loops(config)
        seen: set[int] = set()
        for route in config.passes:
            server = route.context.within("http server")
            if server is None:
                continue
            untold = loops.of(route, server)
            for page, again in untold:
                is_own = again is route and not _is_root(route)
                if not is_own and id(page.directive) not in seen:
                    seen.add(id(page.directive))
                    yield self._loop(route, page, again)
            # Told once, except where it is this location's own: others may still go there.
            untold[:] = [one for one in untold if one[1] is route and not _is_root(route)]

    def _loop(self, route: Pass, page: ErrorPage, again: Pass) -> Finding:
        labels = [Label(again.directive.span, f"{page.target} goes here")]
        if again is not route:
            labels.append(Label(route.directive.span, "and so does the request that failed"))
        return self.finding(
            page.directive,
            f"when {route.destination.authority} is down, its error page {page.target} is asked of"
            " the same servers, and clients never see it",
            advice=f"serve {page.target} from disk, in a location of its own",
            related=tuple(labels),
        )


class _Loops:
    """Error pages that are asked of an upstream.

    Routes that inherit the same pages share the answer: there may be thousands of both.
    """

    def __init__(self, config: NginxConfig) -> None:
        self._passes = {id(route.context): route for route in config.passes}
        self._locations: dict[int, Locations] = {}
        self._known: dict[tuple[int, int], dict[tuple[str, str], list[_Loop]]] = {}

    def of(self, route: Pass, server: Context) -> list[_Loop]:
        """The error pages of a route that go to its own servers, each with the pass that does it.

        The list is shared with all routes that have the same pages and the same servers.
        """
        effective = route.context.effective("error_page")
        if effective.context is None or not effective.is_certain:
            return []
        key = id(effective.context), id(server)
        if key not in self._known:
            self._known[key] = self._by_destination(error_pages(route), server)
        return self._known[key].get(_destination(route), [])

    def _by_destination(
        self, pages: Iterable[ErrorPage], server: Context
    ) -> dict[tuple[str, str], list[_Loop]]:
        if id(server) not in self._locations:
            self._locations[id(server)] = Locations(server)
        found: dict[tuple[str, str], list[_Loop]] = {}
        for page in pages:
            if not page.is_internal or page.statuses.isdisjoint(_DEAD_UPSTREAM):
                continue
            location = self._locations[id(server)].find(page.target)
            again = None if location is None else self._passes.get(id(location))
            if again is not None and not any(map(again.context.own, _OTHER_ANSWERS)):
                found.setdefault(_destination(again), []).append((page, again))
        return found


def _destination(route: Pass) -> tuple[str, str]:
    return route.destination.authority, route.family


def _is_root(route: Pass) -> bool:
    """Whether requests of all kinds go there; another location may be made for error pages."""
    location = route.context.directive
    return location is not None and location.values == ["/"]
