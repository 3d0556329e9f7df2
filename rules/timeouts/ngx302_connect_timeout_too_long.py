from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import FAMILIES, Pass
from gwlint.model.nginx.units import seconds_of
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.nginx.amend import replaced
from gwlint.syntax.nginx.tree import Directive

LONGEST = 75
"""Seconds; "it should be noted that this timeout cannot usually exceed 75 seconds", says nginx."""

KERNEL_LIMIT = 133
"""Seconds after which Linux itself gives up connecting, by default (measured)."""

CUSTOMARY = "5s"


class ConnectTimeoutTooLong(NginxRule):
    """Connecting may take longer than anyone waits, so one dead server stalls requests.

    ## Problem
    `proxy_connect_timeout` bounds nothing but the TCP connection, which takes milliseconds in a
    data centre and seconds at worst. A server that is gone without a word, its machine off or its
    packets dropped, is only left after this time. The same holds for fastcgi, uwsgi, scgi, grpc,
    memcached and for `stream`.

    ## Why
    Measured on nginx 1.22.1, one black-holed server among two: half of the requests got no answer
    within 5 s; with a short timeout the other server answered all of them. Above about 133 s the
    value means nothing: the kernel gives up first.

    ## In the log
    `[info] epoll_wait() reported that client prematurely closed connection, so upstream connection
    is closed too while connecting to upstream`, and 499 in the access log; or, for a client with
    patience, `[error] upstream timed out (110: Connection timed out) while connecting to upstream`.

    ## Silent when
    The value is 75 s or less, the default of 60 s among it. That it is longer than the read
    timeout is the business of NGX306.

    ## Fix safety
    Sets 5s, enough for a SYN that is lost twice (Linux repeats it after 1 s and after 3 s). Unsafe:
    a server behind a very bad line may need longer.

    ## Learnt
    In all published files in which it was found, the value stands beside a read and a send timeout
    of the same length ("300" three times): meant for answers that take long, which need the read
    timeout alone.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_connect_timeout
    - https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_connect_timeout
    """

    code = "NGX302"
    name = "connect-timeout-too-long"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                        proxy_connect_timeout 300s;
                        proxy_read_timeout 300s;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                fastcgi_connect_timeout 2m;
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
                        proxy_connect_timeout 5s;
                        proxy_read_timeout 300s;
                    }
                    location /default {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        routes = _routes_with_a_choice(config)
        for context, directive in config.find(
            *(f"{family}_connect_timeout" for family in FAMILIES)
        ):
            arguments = directive.arguments
            seconds = seconds_of(arguments[0].value) if len(arguments) == 1 else None
            if seconds is None or seconds <= LONGEST:
                continue
            route = routes.get(id(directive))
            whom = "a server"
            related: tuple[Label, ...] = ()
            if route is not None and route.upstream is not None:
                whom = f'a server of upstream "{route.upstream.name}"'
                related = (Label(route.word.span, "the other servers are tried only then"),)
            yield self.finding(
                directive,
                f"a request waits {_wait(seconds)} for {whom} that is gone without a word",
                advice=f"set {directive.name} {CUSTOMARY}; slow answers need"
                f" {_reading(context, directive)} alone",
                related=related,
                fix=Fix(
                    f"connect within {CUSTOMARY}",
                    Safety.UNSAFE,
                    (replaced(arguments[0], CUSTOMARY),),
                ),
            )


def _routes_with_a_choice(config: NginxConfig) -> dict[int, Pass]:
    """id of a connect timeout -> the first route that it holds for and that has more servers."""
    found: dict[int, Pass] = {}
    for route in config.passes:
        if route.upstream is not None and route.upstream.has_failover:
            directive = route.effective("connect_timeout").directive
            if directive is not None:
                found.setdefault(id(directive), route)
    return found


def _wait(seconds: float) -> str:
    if seconds <= KERNEL_LIMIT:
        return f"{seconds:g} s"
    return f"about {KERNEL_LIMIT} s (the kernel gives up before {seconds:g} s are over)"


def _reading(context: Context, directive: Directive) -> str:
    """The directive that bounds how long an answer may take."""
    if context.kind.startswith("stream"):
        return "proxy_timeout"
    return directive.name.replace("_connect_", "_read_")
