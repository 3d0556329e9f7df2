from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.nginx.amend import added_before
from gwlint.syntax.nginx.tree import Directive

WANTED = ("upstream_addr", "upstream_status", "upstream_response_time")

_ADDED = "upstream=$upstream_addr upstream_status=$upstream_status time=$upstream_response_time"

_VARIABLE = re.compile(r"\$\{?([a-z0-9_]+)")

NEW_FORMAT = "combined_upstream"

_COMBINED = (
    "'$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent'"
    ' \' "$http_referer" "$http_user_agent"\''
)
"""The predefined format, as nginx documents it."""


class LogWithoutUpstream(NginxRule):
    """The access log does not tell which server answered, with what, and how long it took.

    ## Problem
    Requests are passed on, but the format of their access log has not all of `$upstream_addr`,
    `$upstream_status` and `$upstream_response_time`. The predefined format, combined, has none.

    ## Why
    With them a 502 or 504 is explained by its own line: which servers were tried, what each of them
    said, how long it took. Without them a slow application looks like a slow client, and a retry
    that went well is not seen at all.

    ## In the log
    A status and nothing about where it came from.

    ## Silent when
    The log is off or thrown away, or not set in any file that was read; no HTTP request is passed
    on where it holds; the format is defined in a file that could not be read.

    ## Fix safety
    Adds the three to a format of one's own, or writes a format `combined_upstream` and uses it.
    Unsafe: whatever reads the log has to know the new fields. No fix for formats in JSON.

    ## Learnt
    Nearly all published logs that were found have none of the three: they use the predefined
    format, or the one named "main" of nginx's own package.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#variables
    """

    code = "NGX901"
    name = "log-without-upstream"
    severity = Severity.INFO
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                log_format main '$remote_addr [$time_local] "$request" $status';
                access_log /dev/stdout main;
                server {
                    listen 8080;
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
                server {
                    listen 8080;
                    access_log /dev/stdout;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
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
                log_format main '$remote_addr [$time_local] "$request" $status $request_time '
                                '$upstream_addr $upstream_status $upstream_response_time';
                access_log /dev/stdout main;
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        formats = _formats(config)
        reported: set[int] = set()
        for route in config.passes:
            if not route.is_http:
                continue
            log = route.context.effective("access_log")
            where = log.context
            if (
                where is None
                or not log.is_certain
                or not where.is_complete
                or id(where) in reported
            ):
                continue
            reported.add(id(where))
            judged = [(one, _missing(one, formats)) for one in log.directives]
            # One log that has them all is enough to look at.
            if not all(missing for _, missing in judged):
                continue
            directive, missing = judged[0]
            yield self.finding(
                directive,
                f"requests are passed on, but the log does not have {_listed(missing)}: it does not"
                " explain a 502 or 504",
                advice=f"use a log_format with {', '.join('$' + name for name in WANTED)}",
                related=(Label(route.word.span, "a route that is logged here"),),
                fix=_fix(config, directive, formats),
            )


def _formats(config: NginxConfig) -> dict[str, Directive]:
    return {
        directive.values[0]: directive
        for context, directive in config.find("log_format")
        if context.kind == "http" and directive.values
    }


def _missing(directive: Directive, formats: dict[str, Directive]) -> list[str]:
    """The variables that the log lacks; none where it is off or its format is not known."""
    values = directive.values
    if not values or values[0] in ("off", "/dev/null"):
        return []
    name = _format_name(directive)
    if name == "combined":
        return list(WANTED)
    definition = formats.get(name)
    if definition is None:
        return []
    used = set(_VARIABLE.findall(" ".join(definition.values[1:])))
    return [variable for variable in WANTED if variable not in used]


def _format_name(directive: Directive) -> str:
    values = directive.values
    return values[1] if len(values) > 1 and "=" not in values[1] else "combined"


def _listed(names: list[str]) -> str:
    written = ["$" + name for name in names]
    return written[0] if len(written) == 1 else f"{', '.join(written[:-1])} and {written[-1]}"


def _fix(config: NginxConfig, directive: Directive, formats: dict[str, Directive]) -> Fix | None:
    name = _format_name(directive)
    if name == "combined":
        edits = _own_format_edits(config, directive, formats)
    else:
        edits = _extended_format_edits(formats[name])
    if not edits:
        return None
    return Fix("log what the servers behind said", Safety.UNSAFE, tuple(edits))


def _extended_format_edits(definition: Directive) -> list[Edit]:
    text = "".join(value for value in definition.values[1:] if not value.startswith("escape="))
    if text.lstrip().startswith(("{", "[{")) or "escape=json" in definition.values:
        return []
    used = set(_VARIABLE.findall(text))
    missing = [part for part in _ADDED.split() if part.partition("=$")[2] not in used]
    last = definition.arguments[-1]
    return [Edit.insert(last.source, last.end, f" ' {' '.join(missing)}'")]


def _own_format_edits(
    config: NginxConfig, directive: Directive, formats: dict[str, Directive]
) -> list[Edit]:
    """A format is known from its definition on, so it goes to the top of http."""
    if NEW_FORMAT in formats or not directive.arguments:
        return []
    http = next((one for one in config.main.children if one.kind == "http"), None)
    first = None if http is None else _first(http)
    if first is None or len(config.contexts_of(first)) > 1:
        return []
    path, rest = directive.arguments[0], directive.values[1:]
    named = bool(rest) and rest[0] == "combined"
    place = directive.arguments[1] if named else path
    edit = (
        Edit(place.span, NEW_FORMAT)
        if named
        else Edit.insert(place.source, place.end, f" {NEW_FORMAT}")
    )
    return [added_before(first, f"log_format {NEW_FORMAT} {_COMBINED} ' {_ADDED}';"), edit]


def _first(http: Context) -> Directive | None:
    """The first directive that is written in the http block itself."""
    return next((one for one in http.directives if one.parent is http.directive), None)
