from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.buffers import BUFFER_FAMILIES
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.websocket import is_upgraded
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.nginx.amend import replaced
from gwlint.syntax.nginx.tree import Directive

_STREAMS = re.compile(
    r"(?<![a-z])(events?|sse|streams?|streaming|subscribe|subscriptions?|poll|polling|longpoll|"
    r"long-polling|comet|bosh|http-bind|push|notifications?|live|logs?|tail|watch|mercure|"
    r"wss?|websockets?|socket\.io|sockjs|cable|hubs?|signalr|mcp|chat|completions?|rpc|grpc|v2|"
    r"video|videos|hls|media|download|downloads|proxy|terminal|console|shell|kernels?)(?![a-z])",
    re.IGNORECASE,
)

LASTING = 3600
"""Seconds; a route that may be silent for an hour has answers that never end."""


class ResponseBufferingOff(NginxRule):
    """Slow clients keep the application busy, since nginx does not take its answer off its hands.

    ## Problem
    With `proxy_buffering off`, nginx reads from the application only as fast as the client takes
    the bytes. A worker of the application is occupied for as long as the slowest client needs. The
    same holds for fastcgi, uwsgi and scgi.

    ## Why
    Measured on nginx 1.22.1, a client that needs 2 s for an answer: the application was busy for
    1.45 s instead of 0.09 s. An application with a fixed number of workers then has none left, and
    requests queue up to 504.

    ## In the log
    Nothing is logged. `$upstream_response_time` is as long as `$request_time`.

    ## Silent when
    Each route below the directive is upgraded (web sockets), may be since an include could not be
    read or the surroundings of a fragment are not known, waits an hour or more for the next byte,
    or is named for streams, events, polls, logs, media or downloads, which need each byte at once
    or are too large to keep.

    ## Fix safety
    Turns buffering on. Unsafe: an answer that is sent bit by bit is then held back until a buffer
    is full. The application can turn it off for one answer with the header `X-Accel-Buffering: no`.
    No fix where a route below the directive is exempt.

    ## Learnt
    Nearly all published configurations in which it was found turn it off for small answers in
    JSON, copied from one another in the hope of speed. The others are samples for applications
    whose web sockets an included file turns on: hence the silence about such includes.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
    """

    code = "NGX206"
    name = "response-buffering-off"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_buffering off;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                fastcgi_buffering off;
                server {
                    listen 8080;
                    location ~ \\.php$ {
                        fastcgi_pass 127.0.0.1:9000;
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
                    location /events {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_buffering off;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        below: dict[int, tuple[Directive, list[Pass]]] = {}
        for route in config.passes:
            if not route.is_http or route.family not in BUFFER_FAMILIES:
                continue
            setting = route.effective("buffering")
            if setting.directive is not None and setting.is_certain and setting.value == "off":
                below.setdefault(id(setting.directive), (setting.directive, []))[1].append(route)
        for directive, routes in below.values():
            plain = [route for route in routes if not _needs_each_byte(route)]
            if not plain:
                continue
            related: tuple[Label, ...] = ()
            if plain[0].context is not config.contexts_of(directive)[0]:
                related = (Label(plain[0].word.span, "a route without buffering"),)
            yield self.finding(
                directive,
                "a large answer keeps the application busy until the client has taken it, however"
                " slow the client is",
                advice="turn it off only for routes that stream, or let the application send"
                " X-Accel-Buffering: no",
                related=related,
                fix=None
                if len(plain) < len(routes)
                else Fix(
                    "buffer answers", Safety.UNSAFE, (replaced(directive.arguments[0], "on"),)
                ),
            )


def _needs_each_byte(route: Pass) -> bool:
    """Whether the route is one for streams, or may be, as far as names, headers and times tell."""
    headers = route.effective("set_header")
    is_known = headers.is_certain and (headers.context is None or headers.context.is_complete)
    if not is_known or is_upgraded(route):
        return True
    if (route.seconds("read_timeout") or 0) >= LASTING:
        return True
    location = route.context.within("location")
    server = route.context.within("http server")
    names = [route.destination.authority, route.destination.uri]
    if location is not None and location.directive is not None:
        names += location.directive.values[-1:]
    if server is not None:
        names += [name for one in server.own("server_name") for name in one.values]
    return any(_STREAMS.search(name) for name in names)
