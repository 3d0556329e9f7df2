from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.buffers import BUFFER_FAMILIES, HEADER, LEVELS, PAGE, Values
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.units import size_of
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.buffers.levels import FamilyLevels, statement_text
from gwlint.syntax.nginx.amend import added_after, replaced
from gwlint.syntax.nginx.tree import Directive

FAMILIES = (*BUFFER_FAMILIES, "grpc")

RAISED = 8 * 1024
"""Bytes; twice the default, and the most that needs no other directive beside the defaults."""

FOR_LOGINS = 16 * 1024
"""Bytes; room for three cookies of the largest size that browsers keep (RFC 6265, 6.1: 4096)."""

_LOGIN = re.compile(
    r"(?<![a-z])(oauth2?|oidc|openid|saml2?|sso|login|signin|keycloak|authelia|authentik)(?![a-z])",
    re.IGNORECASE,
)


class HeaderBufferTooSmall(NginxRule):
    """The headers of an answer may not fit into the buffer that is there for them.

    ## Problem
    `proxy_buffer_size` must hold the status line and all headers of the application's answer. An
    answer with more is thrown away. The same holds for fastcgi, uwsgi, scgi and grpc.

    ## Why
    Measured on nginx 1.22.1: each answer with larger headers became a 502. With the default of 4k a
    cookie of 4040 bytes was already too much, since the buffer holds the other headers too. An
    application grows into it: one more cookie, one longer token, one more policy header.

    ## In the log
    `[error] upstream sent too big header while reading response header from upstream`

    ## Silent when
    The size is 4k, one page, or more; a size that is not set, unless the route visibly is one for
    logins: its location, upstream or host is named so (oauth2, oidc, saml, sso, login, keycloak,
    ...), or it answers an `auth_request` whose cookie is passed on. That is only information, as
    the size of the headers cannot be seen in a configuration. And where an include that could not
    be read, or the surroundings of a fragment, may set it.

    ## Fix safety
    Raises the size, and with it only those of the other buffer sizes that nginx demands. Each
    connection to the application takes some kilobytes more.

    ## Learnt
    All 5 findings in published files read, all right: one size of 2k beside others that were made
    small to save memory, and four routes for logins.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffer_size
    - https://nginx.org/en/docs/http/ngx_http_grpc_module.html#grpc_buffer_size
    """

    code = "NGX201"
    name = "header-buffer-too-small"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_buffer_size 2k;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                grpc_buffer_size 1k;
                server {
                    listen 8080;
                    location / {
                        grpc_pass grpc://127.0.0.1:3000;
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
                    location /oauth2/ {
                        proxy_pass http://127.0.0.1:4180;
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
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                    location /oauth2/ {
                        proxy_pass http://127.0.0.1:4180;
                        proxy_buffer_size 16k;
                        proxy_buffers 8 16k;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        asked = _cookie_answers(config)
        for family in FAMILIES:
            levels = FamilyLevels(config, family)
            name = f"{family}_{HEADER}"
            for context, directive in config.find(name):
                size = size_of(directive.values[0]) if len(directive.values) == 1 else None
                if context.kind in LEVELS and size is not None and size < PAGE:
                    yield self._too_small(levels, context, directive)
            for route in config.passes:
                if route.family == family and route.is_http:
                    yield from self._default(levels, route, asked)

    def _too_small(self, levels: FamilyLevels, level: Context, directive: Directive) -> Finding:
        fix, advice = _fix(levels, level, directive, RAISED)
        return self.finding(
            directive,
            f"{directive.normalised} is less than one page, 4k: an answer whose headers do not fit"
            " becomes a 502",
            advice=advice,
            fix=fix,
        )

    def _default(
        self, levels: FamilyLevels, route: Pass, asked: dict[str, Directive]
    ) -> Iterator[Finding]:
        size = route.effective(HEADER)
        level = route.context.within("location")
        if size.is_set or not size.is_certain or level is None or level is not route.context:
            return
        related: tuple[Label, ...] = ()
        by = asked.get(_uri(level))
        if by is not None:
            related = (Label(by.span, "the cookie is passed on here"),)
        elif not _LOGIN.search(_names(route, level)):
            return
        fix, advice = _fix(levels, level, route.directive, FOR_LOGINS)
        yield self.finding(
            route.directive,
            "this route is for logins, whose cookies and tokens are large, but"
            f" {levels.family}_{HEADER} has its default, 4k: an answer whose headers do not fit"
            " becomes a 502",
            advice=advice,
            severity=Severity.INFO,
            related=related,
            fix=fix,
        )


def _fix(
    levels: FamilyLevels, level: Context, anchor: Directive, size: int
) -> tuple[Fix | None, str]:
    settings: dict[str, Values] = {HEADER: (size,)}
    if levels.family in BUFFER_FAMILIES:
        raised = levels.raised(level, anchor, header=size)
        if raised is None:
            return None, f"set {statement_text(levels.family, HEADER, (size,))}"
        settings, edits = raised
    else:
        text = statement_text(levels.family, HEADER, (size,))
        written = levels.own(level).get(HEADER)
        if written is not None:
            edits = [replaced(written.arguments[0], text.split()[-1])]
        elif len(levels.config.contexts_of(anchor)) == 1:
            edits = [added_after(anchor, text + ";")]
        else:
            return None, f"set {text}"
    wanted = " and ".join(
        statement_text(levels.family, suffix, values) for suffix, values in settings.items()
    )
    return Fix("make room for the headers", Safety.SAFE, tuple(edits)), f"set {wanted}"


def _cookie_answers(config: NginxConfig) -> dict[str, Directive]:
    """URI of a subrequest -> the `auth_request_set` that passes on the cookies of its answer."""
    found: dict[str, Directive] = {}
    for context, directive in config.find("auth_request_set"):
        if "$upstream_http_set_cookie" not in directive.values:
            continue
        uri = context.effective("auth_request").value
        if uri is not None:
            found.setdefault(uri, directive)
    return found


def _uri(location: Context) -> str:
    assert location.directive is not None
    values = location.directive.values
    return values[-1] if values else ""


def _names(route: Pass, location: Context) -> str:
    """What the author calls the route: the location, and the upstream or host it goes to."""
    return f"{_uri(location)} {route.destination.authority}"
