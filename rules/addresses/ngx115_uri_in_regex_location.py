from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.addresses.locations import Location
from gwlint.source import Span, encode


class UriInRegexLocation(NginxRule):
    """A URI behind the address is refused where no prefix of the request can be replaced by it.

    ## Problem
    nginx puts the URI of `proxy_pass` in the place of the location's prefix. A location with a
    regular expression, a named location, an `if` and a `limit_except` have no prefix. A single
    slash is a URI too.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: the configuration is refused.

    ## In the log
    `[emerg] "proxy_pass" cannot have URI part in location given by regular expression, or inside
    named location, or inside "if" statement, or inside "limit_except" block`

    ## Silent when
    A variable stands anywhere in the address: then the URI is sent as it is written.

    ## Fix safety
    Takes away a URI that is a single slash, so that the URI of the request is passed on. Unsafe,
    since the application may have been meant to see another one. A longer URI has no fix: write
    it with variables, such as `http://app/v2/$1$is_args$args`.

    ## Learnt
    Generated files had `//test` for a URI: such a one cannot be dropped without a loss.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
    """

    code = "NGX115"
    name = "uri-in-regex-location"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            r"""
            events {}
            http {
                server {
                    listen 8080;
                    location ~ \.php$ {
                        proxy_pass http://127.0.0.1:3000/;
                    }
                    location @app {
                        proxy_pass http://unix:/run/app.sock:/;
                    }
                    location / {
                        if ($arg_new) {
                            proxy_pass http://127.0.0.1:3001/;
                        }
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location ~ ^/api/ {
                        proxy_pass http://127.0.0.1:3000/v2/;
                    }
                }
            }
            """
        ),
    )
    good = (
        Example.nginx(
            r"""
            events {}
            http {
                server {
                    listen 8080;
                    location ~ \.php$ {
                        proxy_pass http://127.0.0.1:3000;
                    }
                    location ~ ^/api/(.*) {
                        proxy_pass http://127.0.0.1:3000/v2/$1$is_args$args;
                    }
                    location /app/ {
                        proxy_pass http://127.0.0.1:3000/;
                    }
                    location @app {
                        proxy_pass http://unix:/run/app.sock;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for route in config.passes:
            if route.family != "proxy" or not route.is_http or "$" in route.word.value:
                continue
            where = _without_prefix(route.context)
            uri = route.destination.uri
            if where is None or not uri:
                continue
            place, directive = where
            span = _uri_span(route)
            yield self.finding(
                route.directive,
                f'the address has the URI "{uri}", but {place} has no prefix that it could'
                " replace, so nginx does not start",
                advice="leave out the URI, or write it with variables",
                span=route.word.span if span is None else span,
                related=(Label(directive, f"{place} begins here"),),
                fix=_fix(span) if uri == "/" else None,
            )


_BLOCKS = {"location if": "an if block", "limit_except": "a limit_except block"}


def _without_prefix(context: Context) -> tuple[str, Span] | None:
    """What kind of block without a prefix the context is, and its header."""
    kind = _BLOCKS.get(context.kind)
    location = Location.of(context)
    if location is not None and location.is_named:
        kind = "a named location"
    elif location is not None and location.is_regex:
        kind = "a location with a regular expression"
    if kind is None or context.directive is None:
        return None
    return kind, context.directive.span


def _uri_span(route: Pass) -> Span | None:
    """Where the URI stands, with the colon that separates it from the path of a socket."""
    word, uri = route.word, encode(route.destination.uri)
    if route.destination.authority.startswith("unix:"):
        uri = b":" + uri
    at = word.raw.rfind(uri)
    if at == -1:
        return None
    return Span(word.source, word.start + at, word.start + at + len(uri))


def _fix(span: Span | None) -> Fix | None:
    if span is None:
        return None
    return Fix("pass the URI of the request on", Safety.UNSAFE, (Edit.delete(span),))
