from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.health.error_pages import ErrorPage, error_pages
from gwlint.syntax.nginx.amend import added_after

_BY_NGINX = frozenset({502, 504})
"""What nginx answers itself when the application does not: its error pages are always used."""

_FAMILIES = frozenset({"proxy", "fastcgi", "uwsgi", "scgi", "grpc"})


class ErrorPageBypassed(NginxRule):
    """The application's own 500 or 503 goes to the client without the error page.

    ## Problem
    `error_page` is for the answers that nginx makes itself. What the application answers is passed
    on as it is, unless `proxy_intercept_errors` (and its kin) is on.

    ## Why
    Measured on nginx 1.22.1: with `error_page 503` and an application that answers 503, clients got
    the application's page, and with interception the one of `error_page`; the status is 503 in
    both.

    ## In the log
    Nothing is logged.

    ## Silent when
    `error_page` names 502 and 504 alone, which nginx mostly makes itself; interception is written
    on or off; an include that could not be read may turn it on.

    ## Fix safety
    Turns interception on for the route. Unsafe: an API whose errors carry details then answers with
    the page instead.

    ## Learnt
    The page for 500 502 503 504 comes with the file that nginx installs, and most authors never
    think about it; so this is information.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_intercept_errors
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#error_page
    """

    code = "NGX511"
    name = "error-page-bypassed"
    severity = Severity.INFO
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    error_page 503 /busy.html;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                    location = /busy.html {
                        root /var/www/errors;
                    }
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
                    error_page 503 /busy.html;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_intercept_errors on;
                    }
                    location = /busy.html {
                        root /var/www/errors;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for route in config.passes:
            if route.family not in _FAMILIES or not route.is_http:
                continue
            interception = route.effective("intercept_errors")
            if interception.is_set or not interception.is_certain:
                continue
            page = next(filter(_is_for_the_application, error_pages(route)), None)
            if page is None:
                continue
            yield self.finding(
                route.directive,
                "errors that the application answers itself do not get the error page"
                f" {page.target}",
                advice=f"set {route.family}_intercept_errors on, or off where they should not",
                related=(Label(page.directive.span, "the error page"),),
                fix=_fix(config, route),
            )


def _is_for_the_application(page: ErrorPage) -> bool:
    return any(status >= 500 for status in page.statuses - _BY_NGINX)


def _fix(config: NginxConfig, route: Pass) -> Fix | None:
    name = f"{route.family}_intercept_errors"
    if any(context.own(name) for context in config.contexts_of(route.directive)):
        return None
    edit = added_after(route.directive, f"{name} on;")
    return Fix("use the error page", Safety.UNSAFE, (edit,))
