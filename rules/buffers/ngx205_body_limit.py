from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.units import bytes_of
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.addresses.listeners import Listeners

NAME = "client_max_body_size"

_UPLOADS = re.compile(
    r"(?<![a-z])(uploads?|uploader|attachments?|webdav|dav|remote\.php)(?![a-z])", re.IGNORECASE
)


class BodyLimit(NginxRule):
    """Uploads are refused before the application sees them.

    ## Problem
    nginx refuses a request body above `client_max_body_size`, which is 1m where nobody sets it. A
    route for uploads with that limit refuses most photographs. And where a request goes through
    nginx twice, the smaller limit counts: the larger one promises what the inner server refuses.

    ## Why
    Measured on nginx 1.22.1: with the default, each upload of 2 MB was answered with 413 and did
    not reach the application.

    ## In the log
    `[error] client intended to send too large body: 2000000 bytes`

    ## Silent when
    A limit is set at any level around the route; an include that could not be read, or the
    surroundings of a fragment, may set one. Only information for a route that is named for uploads
    (upload, attachments, webdav, dav, ...): how large the bodies are cannot be seen. The inner
    server is known only when it is one of this configuration, on an address of this machine.

    ## Fix safety
    None: how much to accept is a decision.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size
    """

    code = "NGX205"
    name = "body-limit"
    severity = Severity.WARNING
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location /api/upload {
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
                    client_max_body_size 50m;
                    location / {
                        proxy_pass http://127.0.0.1:8081;
                    }
                }
                server {
                    listen 127.0.0.1:8081;
                    client_max_body_size 10m;
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
                server {
                    listen 8080;
                    location /api/upload {
                        client_max_body_size 50m;
                        proxy_pass http://127.0.0.1:3000;
                    }
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        inner = _InnerLimits(config)
        for route in config.passes:
            if route.is_http:
                yield from self._default(route)
                yield from self._inner(route, inner)

    def _default(self, route: Pass) -> Iterator[Finding]:
        limit = route.context.effective(NAME)
        location = route.context.within("location")
        if limit.is_set or not limit.is_certain or location is None or location.directive is None:
            return
        path = location.directive.arguments[-1:]
        if not path or not _UPLOADS.search(path[0].value):
            return
        yield self.finding(
            route.directive,
            f"this route is named for uploads ({path[0].value}), but a body above 1m, the default"
            f" of {NAME}, is refused with 413",
            advice=f"set {NAME} to the largest upload that the application takes",
            severity=Severity.INFO,
        )

    def _inner(self, route: Pass, inner: _InnerLimits) -> Iterator[Finding]:
        here = route.context.effective(NAME)
        limit = _limit(route.context)
        if limit is None or not here.is_certain or here.directive is None:
            return
        largest = inner.behind(route)
        if largest is None or limit <= largest[0]:
            return
        behind = largest[1].effective(NAME)
        place = behind.directive or largest[1].directive
        yield self.finding(
            route.directive,
            f"bodies up to {here.value} are accepted here, but the server behind accepts no more"
            f" than {behind.value} and answers 413",
            advice=f"set {NAME} {here.value} in the server behind too, or the smaller limit here",
            span=route.word.span,
            related=(
                Label(here.directive.span, "the limit here"),
                *(() if place is None else (Label(place.span, "the server behind"),)),
            ),
        )


class _InnerLimits:
    """The largest body that the servers of this configuration accept, by address."""

    def __init__(self, config: NginxConfig) -> None:
        self._config = config
        self._listeners: Listeners | None = None
        self._reached: dict[int, tuple[float, Context] | None] = {}

    def behind(self, route: Pass) -> tuple[float, Context] | None:
        """Bytes and where they are set, the largest of all that a request can reach there.

        None when the destination is not one of this configuration, or its limits are not certain.
        """
        if route.address is None:
            return None
        if self._listeners is None:
            self._listeners = self._config.once(Listeners)
        reached = self._listeners.reached_by(route.address)
        if id(reached) not in self._reached:
            found = [self._of(one.server) for one in reached.by_server.values()]
            known = [one for one in found if one is not None]
            is_whole = bool(known) and len(known) == len(found)
            self._reached[id(reached)] = max(known, key=_bytes) if is_whole else None
        return self._reached[id(reached)]

    def _of(self, server: Context) -> tuple[float, Context] | None:
        """The largest limit of a server and its locations; None when one is not certain."""
        levels = [one for one in server.descendants() if one is server or one.kind == "location"]
        limits = [
            (limit, level)
            for level in levels
            if (limit := _limit(level)) is not None and level.effective(NAME).is_certain
        ]
        return max(limits, key=_bytes) if len(limits) == len(levels) else None


def _bytes(limit: tuple[float, Context]) -> float:
    return limit[0]


def _limit(context: Context) -> float | None:
    """Bytes, infinite where there is no limit; None when the value cannot be read."""
    value = context.effective(NAME).value
    size = None if value is None else bytes_of(value)
    if size is None:
        return None
    return float("inf") if size == 0 else float(size)
