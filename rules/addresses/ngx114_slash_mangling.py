from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.addresses.locations import Location
from gwlint.source import encode
from gwlint.syntax.nginx.tree import Directive

_JOINS = "-_."
"""A prefix that ends so is a part of a name on purpose, as in `location /img_`."""


class SlashMangling(NginxRule):
    """Only one of location and `proxy_pass` URI ends with a slash, so paths come out wrong.

    ## Problem
    nginx cuts the location's prefix off the path, letter by letter, and puts the URI of
    `proxy_pass` in its place. With `location /api` and `http://app/`, the path /api/v1 becomes
    //v1, and /apix, which matches as well, becomes /x. With `location /api/` and `http://app/v2`,
    /api/users becomes /v2users.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3. Applications answer such paths with 404, or redirect.

    ## In the log
    Nothing. The application's own log has the path.

    ## Silent when
    The location is exact (`=`), named, or has a regular expression; a `rewrite` in it ends with
    `break`, so that the URI is not used; the address holds a variable or a query; another location
    takes all paths below, as `/api/` does beside `/api`; the prefix ends with `-`, `_` or a dot.

    ## Fix safety
    Adds the missing slash to the location or to the URI. Unsafe: with `location /api/`, nginx
    answers /api with a redirect to /api/.

    ## Learnt
    `location /` with `http://app/path` maps / alone to what was meant, which is how single pages
    are often served; all else that such a page asks for is wrong.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#location
    """

    code = "NGX114"
    name = "slash-mangling"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location /api {
                        proxy_pass http://127.0.0.1:3000/;
                    }
                    location ^~ /old {
                        proxy_pass http://127.0.0.1:3000/legacy/;
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
                    location /api/ {
                        proxy_pass http://127.0.0.1:3000/v2;
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
                    location /api/ {
                        proxy_pass http://127.0.0.1:3000/;
                    }
                    location /same {
                        proxy_pass http://127.0.0.1:3000/same;
                    }
                    location = /one {
                        proxy_pass http://127.0.0.1:3000/;
                    }
                    location /plain {
                        proxy_pass http://127.0.0.1:3000;
                    }
                    location / {
                        proxy_pass http://127.0.0.1:3001/;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        siblings: dict[int, set[str]] = {}
        for route in config.passes:
            uri = route.destination.uri
            if route.family != "proxy" or not route.is_http or "$" in route.word.value:
                continue
            location = Location.of(route.context)
            if location is None or not location.is_prefix or not uri.startswith("/"):
                continue
            if "?" in uri or "#" in uri or location.pattern.endswith("/") is uri.endswith("/"):
                continue
            if _rewrites(route.context) or location.pattern[-1] in _JOINS:
                continue
            around = route.context.parent
            assert around is not None
            if id(around) not in siblings:
                siblings[id(around)] = set(_prefixes(around))
            slashed = f"{location.pattern}/"
            if slashed in siblings[id(around)]:
                continue
            yield self._mangled(route, location, uri)

    def _mangled(self, route: Pass, location: Location, uri: str) -> Finding:
        pattern = location.pattern
        directive = route.context.directive
        assert directive is not None
        if uri.endswith("/"):
            path, other = f"{pattern}/v1", f"{pattern}x"
            message = (
                f"{path} is passed on as {uri}/v1, and {other}, which location {pattern} takes"
                f" as well, as {uri}x"
            )
            advice = f"write location {pattern}/"
            fix = _slash_behind_location(location)
        else:
            message = f"{pattern}page is passed on as {uri}page"
            advice = f"end the URI with a slash: {uri}/"
            fix = _slash_behind_uri(route, uri)
        return self.finding(
            route.directive,
            message,
            advice=advice,
            span=route.word.span,
            related=(Label(directive.span, "this prefix is replaced letter by letter"),),
            fix=fix,
        )


def _prefixes(around: Context) -> Iterator[str]:
    for context in around.children:
        location = Location.of(context)
        if location is not None and location.is_prefix:
            yield location.pattern


def _rewrites(context: Context) -> bool:
    """Whether a `rewrite ... break` may have changed the path: then nginx ignores the URI."""
    return any(
        _is_break(directive)
        for inner in (context, *context.children)
        for directive in inner.own("rewrite")
    )


def _is_break(directive: Directive) -> bool:
    return directive.values[2:3] == ["break"]


def _slash_behind_location(location: Location) -> Fix | None:
    word = location.word
    if word.is_quoted:
        return None
    edit = Edit.insert(word.source, word.end, "/")
    return Fix("end the location with a slash", Safety.UNSAFE, (edit,))


def _slash_behind_uri(route: Pass, uri: str) -> Fix | None:
    word, raw = route.word, encode(uri)
    at = word.raw.rfind(raw)
    if at == -1:
        return None
    edit = Edit.insert(word.source, word.start + at + len(raw), "/")
    return Fix("end the URI with a slash", Safety.UNSAFE, (edit,))
