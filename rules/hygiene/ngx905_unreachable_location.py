from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.addresses.locations import Location
from gwlint.rules.hygiene.patterns import Pattern, pattern_of
from gwlint.syntax.nginx.tree import Directive

MOST_REGEXES = 400
"""Regular expressions of one level that are compared with each other; above that they are not."""

_BEFORE = frozenset({"rewrite", "if", "break"})
_PARENTS = frozenset({"http server", "location"})


class UnreachableLocation(NginxRule):
    """No request ever comes to this location.

    ## Problem
    nginx takes the longest prefix that fits, then the first regular expression that fits, unless
    the prefix has `^~` or the match is exact. So a regular expression behind one that takes at
    least as much is never used, nor is one below a `^~` prefix; and a `return` beside the
    locations of a server answers before any location is looked for.

    ## Why
    Whatever the location says, the other one decides: a route to the wrong application, a longer
    timeout that does not count, a challenge of a certificate authority that is redirected. Measured
    on nginx 1.22.1 and 1.31.3 for each form that is reported.

    ## In the log
    Nothing is logged.

    ## Silent when
    The regular expressions are more than what can be compared with certainty: text from the start
    (`^/api`), whole paths (`^/api$`), endings (`\\.(js|css)$`), everything (`.*`); a prefix without
    `^~` takes some of the requests; the level has an include that could not be read, or more than
    400 regular expressions. Two locations of the same path are NGX007. A `return` of an error
    status, which an `error_page` may send to a location, and one behind `if`, `rewrite` or `break`.

    ## Fix safety
    None: whether to move it, merge it or drop it is a decision.

    ## Learnt
    Rare in published files: a block for some endings of files behind one for more of them, and
    error pages beside a `return` that redirects everything.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#location
    - https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#return
    """

    code = "NGX905"
    name = "unreachable-location"
    severity = Severity.WARNING
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location ~* \\.(js|css|png)$ {
                        root /srv/static;
                    }
                    location ~ \\.js$ {
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
                server {
                    listen 8080;
                    location ^~ /api/ {
                        proxy_pass http://127.0.0.1:3000;
                    }
                    location ~ ^/api/v2/ {
                        proxy_pass http://127.0.0.1:3001;
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
                    return 301 https://example.com$request_uri;
                    location /.well-known/acme-challenge/ {
                        root /srv/acme;
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
                    location ~ \\.js$ {
                        proxy_pass http://127.0.0.1:3000;
                    }
                    location ~* \\.(js|css|png)$ {
                        root /srv/static;
                    }
                    location ^~ /api/ {
                        proxy_pass http://127.0.0.1:3000;
                    }
                    location /api/v2/ {
                        proxy_pass http://127.0.0.1:3000;
                    }
                    location ~ ^/api/v2/users {
                        proxy_pass http://127.0.0.1:3001;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for context in config.main.descendants():
            if context.kind not in _PARENTS or not context.is_complete:
                continue
            if context.kind == "http server":
                yield from self._behind_return(context)
            yield from self._shadowed(_entries(context))

    def _behind_return(self, server: Context) -> Iterator[Finding]:
        answer = _first_answer(server)
        locations = [one for one in server.children if one.kind == "location"]
        unnamed = [one for one in locations if not _is_named(one)]
        if answer is None or not unnamed:
            return
        directive = unnamed[0].directive
        assert directive is not None
        more = f" ({len(unnamed)} locations in all)" if len(unnamed) > 1 else ""
        yield self.finding(
            directive,
            "this location never gets a request: the server answers all of them with its return"
            f"{more}",
            advice="put the return into location /",
            related=(Label(answer.span, "this comes before any location"),),
        )

    def _shadowed(self, entries: Sequence[_Entry]) -> Iterator[Finding]:
        regexes = [one for one in entries if one.pattern is not None]
        prefixes = [one for one in entries if one.location.is_prefix]
        exact = {one.location.pattern: one for one in entries if one.location.modifier == "="}
        compared = regexes if len(regexes) <= MOST_REGEXES else []
        for index, entry in enumerate(compared):
            pattern = entry.pattern
            assert pattern is not None
            other = _same_path(pattern, exact) or _closed_prefix(pattern, prefixes)
            if other is None:
                earlier = (one for one in compared[:index] if one.pattern is not None)
                other = next((one for one in earlier if _covers(one, pattern)), None)
            if other is None:
                continue
            header = other.directive.normalised
            yield self.finding(
                entry.directive,
                f'no request comes here: each that fits is taken by "{header}"',
                advice="move it in front, or drop it"
                if other.pattern is not None
                else "make it a location without a regular expression, or drop it",
                related=(Label(other.directive.span, "this one takes them"),),
            )


@dataclass(frozen=True, slots=True)
class _Entry:
    """A location of one level; `pattern` is its regular expression, if that is understood."""

    directive: Directive
    location: Location
    pattern: Pattern | None


def _entries(context: Context) -> list[_Entry]:
    found: list[_Entry] = []
    understood = 0
    for child in context.children:
        location = Location.of(child)
        if location is None or child.directive is None:
            continue
        pattern = None
        # Where there are too many to be compared, the rest need not be understood either.
        if location.is_regex and understood <= MOST_REGEXES:
            pattern = pattern_of(location.pattern, location.modifier == "~*")
            understood += pattern is not None
        found.append(_Entry(child.directive, location, pattern))
    return found


def _is_named(context: Context) -> bool:
    location = Location.of(context)
    return location is None or location.is_named


def _first_answer(server: Context) -> Directive | None:
    """The `return` that ends every request of the server, before locations are looked for."""
    for directive in server.directives:
        if directive.name in _BEFORE:
            return None
        if directive.name != "return":
            continue
        values = directive.values
        is_final = bool(values) and (values[0][:1] in "23" or not values[0].isdecimal())
        # An error_page for the status may lead to a location.
        caught = {
            code for page in server.effective("error_page").directives for code in page.values
        }
        return directive if is_final and values[0] not in caught else None
    return None


def _same_path(pattern: Pattern, exact: dict[str, _Entry]) -> _Entry | None:
    """The exact location that has the only path that fits."""
    if pattern.kind != "whole" or pattern.ignores_case or len(pattern.texts) != 1:
        return None
    (text,) = pattern.texts
    return exact.get(text)


def _closed_prefix(pattern: Pattern, prefixes: Sequence[_Entry]) -> _Entry | None:
    """The `^~` prefix that takes each path that fits, none of which has a longer open prefix."""
    if pattern.kind not in ("start", "whole") or pattern.ignores_case or len(pattern.texts) != 1:
        return None
    (text,) = pattern.texts
    around = [one for one in prefixes if text.startswith(one.location.pattern)]
    longest = max(around, key=lambda one: len(one.location.pattern), default=None)
    if longest is None or longest.location.modifier != "^~":
        return None
    if pattern.kind == "start" and any(
        one.location.modifier != "^~" and one.location.pattern.startswith(text) for one in prefixes
    ):
        return None
    return longest


def _covers(one: _Entry, pattern: Pattern) -> bool:
    return one.pattern is not None and one.pattern.covers(pattern)
