from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.nginx.tree import Directive

LONGEST = 75
"""Seconds; from above here on NGX302 says that connecting takes too long."""


class ReadTimeoutBelowConnect(NginxRule):
    """A dead server is waited for longer than a living one.

    ## Problem
    `proxy_connect_timeout` is longer than `proxy_read_timeout` on the same route. Connecting takes
    milliseconds and the answer takes the rest, so the one that should be short is the long one.
    The same holds for fastcgi, uwsgi, scgi, grpc and memcached.

    ## Why
    Measured on nginx 1.22.1, one black-holed server among two: half of the requests got no answer
    within 5 s, since the long timeout for connecting had to pass before the other server was tried.
    Whoever waits in front has reckoned with the read timeout.

    ## In the log
    `[error] upstream timed out (110: Connection timed out) while connecting to upstream`, later
    than `proxy_read_timeout`.

    ## Silent when
    The timeout for connecting is not longer, or is above 75 s, of which NGX302 speaks. Only
    information where it has its default, 60 s. And where an include that could not be read, or the
    surroundings of a fragment, may set one of them.

    ## Fix safety
    None: whether one is too long or the other too short is a decision.

    ## Learnt
    Rare: whoever sets the read timeout sets the one for connecting as well, and shorter.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_connect_timeout
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout
    """

    code = "NGX306"
    name = "read-timeout-below-connect"
    severity = Severity.WARNING
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_connect_timeout 60s;
                        proxy_read_timeout 10s;
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
                        proxy_read_timeout 10s;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        reported: set[tuple[int, int]] = set()
        for route in config.passes:
            pair = _inverted(route)
            if pair is None:
                continue
            connect, read = pair
            key = id(connect), id(read)
            if key in reported:
                continue
            reported.add(key)
            yield self._at(route, connect, read)

    def _at(self, route: Pass, connect: Directive | None, read: Directive) -> Finding:
        waits, answers = route.seconds("connect_timeout"), route.seconds("read_timeout")
        default = "" if connect is not None else ", the default"
        return self.finding(
            connect or read,
            f"a server that is gone without a word is waited for {waits:g} s{default}, one that is"
            f" there only {answers:g} s",
            advice=f"set {route.family}_connect_timeout 5s or less",
            severity=Severity.INFO if connect is None else Severity.WARNING,
            related=() if connect is None else (Label(read.span, "the shorter timeout"),),
        )


def _inverted(route: Pass) -> tuple[Directive | None, Directive] | None:
    """The directives for connecting, if it is set, and for reading, if the latter is shorter."""
    if not route.is_http:
        return None
    connecting, reading = route.effective("connect_timeout"), route.effective("read_timeout")
    connect, read = route.seconds("connect_timeout"), route.seconds("read_timeout")
    if connect is None or read is None or reading.directive is None:
        return None
    if not connecting.is_certain or not reading.is_certain:
        return None
    if not 0 < read < connect <= LONGEST:
        return None
    return connecting.directive, reading.directive
