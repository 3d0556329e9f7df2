from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.keepalive import idle_limit, keeps_connections
from gwlint.model.nginx.upstream import Upstream
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.keepalive.pool import (
    IDLE_LIMIT_SINCE,
    ApplicationLimit,
    application_limit,
    time_text,
)
from gwlint.syntax.nginx.amend import added_after, added_inside, replaced

_SERVICES = """
services:
  app:
    addresses: ["127.0.0.1:3000"]
    idle_timeout: 5s
"""


class IdleRaceByDefault(NginxRule):
    """The application may close an idle connection just when nginx sends a request on it.

    ## Problem
    nginx keeps an idle upstream connection for 60 s unless the upstream's `keepalive_timeout` says
    otherwise. Many applications close theirs much sooner: Node.js, uvicorn and Apache httpd after
    5 s, gunicorn after 2 s. Others keep them longer: Go's net/http without end, ASP.NET Core for
    130 s. A request that meets the closing one gets no answer.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: with an application that closed its idle connections first,
    45 of 120 POST requests got 502. A GET is tried again, and shows in the log alone. With nginx
    closing first there was none.

    ## In the log
    `upstream prematurely closed connection while reading response header from upstream` or
    `recv() failed (104: Connection reset by peer) while reading response header from upstream`, for
    POST requests now and then, without any fault of the application.

    ## Silent when
    The pool is not used: below nginx 1.29.7 without `keepalive`, HTTP/1.1 and a cleared Connection
    header, or with a `Connection: close`. Without facts about the application (gwlint.yaml,
    `services`, `idle_timeout`) it is info, and only where `keepalive_timeout` is not set.

    ## Fix safety
    Sets `keepalive_timeout` below the application's limit, or to 4s where that is not known. Safe:
    nginx opens a new connection instead of using one that may be closed.

    ## Versions
    From nginx 1.29.7 on upstream blocks without `keepalive` have a pool as well. Without a target
    only those count whose pool is certainly used. `keepalive_timeout` in an upstream needs nginx
    1.15.3: there is no fix for an older target.

    ## Learnt
    34 of 49 findings in real files read: the pool is used and the limit is nginx's in all. Many of
    the applications are in Go or on ASP.NET Core, as far as their names tell, and keep connections
    for longer. The message says so now, and without facts it is never more than info.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout
    """

    code = "NGX410"
    name = "idle-race-by-default"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example(
            {
                "nginx.conf": """events {}
http {
    upstream app {
        server 127.0.0.1:3000;
        keepalive 32;
        keepalive_timeout 30s;
    }
    server {
        listen 8080;
        location / {
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
    }
}
""",
                "gwlint.yaml": _SERVICES.lstrip(),
            }
        ),
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                }
            }
            """,
            target="1.29.7",
        ),
    )
    good = (
        Example(
            {
                "nginx.conf": """events {}
http {
    upstream app {
        server 127.0.0.1:3000;
        keepalive_timeout 4s;
    }
    server {
        listen 8080;
        location / {
            proxy_pass http://app;
        }
    }
}
""",
                "gwlint.yaml": _SERVICES.lstrip(),
            },
            target="1.29.7",
        ),
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for upstream in config.upstreams:
            if not upstream.context.is_complete:
                continue
            routes = [one for one in config.passes_to(upstream) if keeps_connections(config, one)]
            seconds = idle_limit(upstream)
            if not routes or seconds is None:
                continue
            known = application_limit(config, upstream)
            own = upstream.context.first("keepalive_timeout")
            if known.seconds is None:
                if own is not None:
                    continue
            elif seconds < known.seconds:
                continue
            yield self.finding(
                own or upstream.keepalive or upstream.directive,
                _message(upstream, seconds, known),
                advice=f"set keepalive_timeout {time_text(known.wanted)} in the upstream"
                + (
                    ""
                    if known.seconds is not None
                    else ", or less where the application closes idle connections sooner"
                ),
                severity=Severity.INFO if known.seconds is None else Severity.WARNING,
                related=(Label(routes[0].directive.span, "a POST sent here may get 502"),),
                fix=_fix(config, upstream, known),
            )


def _message(upstream: Upstream, seconds: float, known: ApplicationLimit) -> str:
    kept = f'nginx keeps idle connections to "{upstream.name}" for {time_text(seconds)}'
    if known.seconds is None:
        return (
            f"{kept}, its default; if the application closes them sooner, as Node.js, uvicorn and"
            " Apache httpd do after 5 s, a POST on one that it is closing gets 502"
        )
    return (
        f"{kept}, the application for {time_text(known.seconds)}; a POST on one that the"
        " application is closing gets 502"
    )


def _fix(config: NginxConfig, upstream: Upstream, known: ApplicationLimit) -> Fix | None:
    title = "close idle connections before the application does"
    text = time_text(known.wanted)
    own = upstream.context.first("keepalive_timeout")
    if own is not None:
        return Fix(title, Safety.SAFE, (replaced(own.arguments[0], text),))
    if config.is_older_than(IDLE_LIMIT_SINCE):
        return None
    statement = f"keepalive_timeout {text};"
    beside = upstream.keepalive
    edit = (
        added_inside(upstream.directive, statement)
        if beside is None
        else added_after(beside, statement)
    )
    return Fix(title, Safety.SAFE, (edit,))
