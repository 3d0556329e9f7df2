from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import FAMILIES
from gwlint.model.nginx.units import seconds_of
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.syntax.nginx.amend import replaced
from gwlint.syntax.nginx.tree import Directive, Word
from gwlint.syntax.values.whole_numbers import whole_number

SHORTEST = 0.1
"""Seconds; few applications answer within less, and a busy one never does."""

SLIPPED = 5000
HOUR = 3600

_UPSTREAM = tuple(
    f"{family}_{name}_timeout" for family in FAMILIES for name in ("connect", "read", "send")
)
_DECIDES = tuple(name for name in _UPSTREAM if not name.endswith("_send_timeout"))
"""Timeouts that fail each request when they are next to nothing (measured)."""

_OTHERS = (
    "proxy_timeout",
    "client_body_timeout",
    "client_header_timeout",
    "send_timeout",
    "resolver_timeout",
    *(f"{family}_next_upstream_timeout" for family in FAMILIES),
)


class TimeUnitSlip(NginxRule):
    """A timeout reads like milliseconds but counts in seconds, or is next to nothing.

    ## Problem
    A bare number is seconds in nginx: `proxy_read_timeout 60000` is nearly 17 hours, where 60000
    milliseconds was meant, as in HAProxy and in most languages. And `proxy_read_timeout 60ms` is
    less than most answers take.

    ## Why
    A timeout of hours is none: a hung application holds its clients as long, and a dead server
    stalls them. A timeout below what the application takes is a 504; measured on nginx 1.22.1 with
    an answer that takes 50 ms: `proxy_read_timeout` of 20ms and of 0, and `proxy_connect_timeout
    0`, answered every request with 504.

    ## In the log
    For the short one: `[error] upstream timed out (110: Connection timed out) while reading
    response header from upstream`, or `[error] upstream timed out (110: Connection timed out) while
    connecting to upstream`. For the long one, nothing.

    ## Silent when
    The value has a unit and is 100 ms or more; a bare number is below 5000, is no multiple of
    1000, or is a multiple of 3600, which is hours; the short value is one of another timeout than
    those for connecting and reading, which decide whether there is an answer.

    ## Fix safety
    Takes the large number for milliseconds, 60000 becomes 60s, and the small one for seconds.
    Unsafe: only the author knows what was meant. A value of 0 has no fix.

    ## Learnt
    Rare: the published files have hours written as 3600, 7200 or 86400, which are meant. All that
    was found is `0s`, in what a generator makes of unset values.

    ## References
    - https://nginx.org/en/docs/syntax.html
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout
    """

    code = "NGX301"
    name = "time-unit-slip"
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
                        proxy_read_timeout 60000;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000 fail_timeout=10000;
                    server 127.0.0.1:3001 fail_timeout=10000;
                }
                fastcgi_read_timeout 30ms;
            }
            """
        ),
        Example.nginx("events {}\nhttp {\n    uwsgi_read_timeout 0;\n}\n"),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                send_timeout 10000ms;
                proxy_connect_timeout 500ms;
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_read_timeout 60;
                    }
                    location /ws {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_read_timeout 86400;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for _, directive in config.find(*_UPSTREAM, *_OTHERS):
            if len(directive.arguments) == 1:
                word = directive.arguments[0]
                yield from self._long(directive, word, directive.name, word.value)
                if directive.name in _DECIDES:
                    yield from self._short(directive, word)
        for upstream in config.upstreams:
            for server in upstream.servers:
                parameter = server.parameter("fail_timeout")
                if parameter is not None:
                    name, _, value = parameter.value.partition("=")
                    yield from self._long(server.directive, parameter, name, value)

    def _long(self, directive: Directive, word: Word, name: str, value: str) -> Iterator[Finding]:
        if not (value.isascii() and value.isdecimal()):
            return
        number = whole_number(value)
        if number < SLIPPED or number % 1000 or number % HOUR == 0:
            return
        prefix = f"{name}=" if name == "fail_timeout" else ""
        yield self.finding(
            directive,
            f"{name} {value} is {_long_text(number)}: a bare number counts in seconds, and this"
            " one reads like milliseconds",
            advice=f"write {number // 1000}s, or the hours if they are meant",
            span=word.span,
            fix=Fix(
                "count in milliseconds",
                Safety.UNSAFE,
                (replaced(word, f"{prefix}{number // 1000}s"),),
            ),
        )

    def _short(self, directive: Directive, word: Word) -> Iterator[Finding]:
        seconds = seconds_of(word.value)
        if seconds is None or seconds >= SHORTEST:
            return
        number = word.value.removesuffix("ms")
        fix = None
        if seconds > 0 and number != word.value and number.isdecimal():
            edit = replaced(word, f"{number}s")
            fix = Fix("count in seconds", Safety.UNSAFE, (edit,))
        what = "connection" if "_connect_" in directive.name else "answer"
        yield self.finding(
            directive,
            f"{directive.normalised} is {seconds * 1000:g} milliseconds: a request whose {what}"
            " takes longer becomes a 504"
            if seconds
            else f"{directive.normalised} is no time at all, not an unlimited one: every request"
            " becomes a 504",
            advice="write the unit that is meant" if seconds else "write how long to wait",
            span=word.span,
            fix=fix,
        )


def _long_text(seconds: int) -> str:
    return f"{seconds / HOUR:.1f} hours"
