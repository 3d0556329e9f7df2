from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.buffers.haproxy_sizes import (
    DEFAULT_BUFSIZE,
    DEFAULT_MAXREWRITE,
    global_size,
    plain_value,
)
from gwlint.syntax.haproxy.amend import line_after, replaced
from gwlint.syntax.haproxy.tree import Line

_DEFAULT_ROOM = DEFAULT_BUFSIZE - DEFAULT_MAXREWRITE


class MaxrewriteEatsBuffer(HaproxyRule):
    """The reserve for rewriting takes so much of the buffer that ordinary headers do not fit.

    ## Problem
    Headers must fit into `tune.bufsize` less `tune.maxrewrite`, 15360 bytes by default. Whoever
    raises `tune.maxrewrite` alone makes that room smaller.

    ## Why
    Measured on HAProxy 2.6.12: response headers that fit `tune.bufsize`, but not what
    `tune.maxrewrite` leaves of it, ended as 502 on every request; with the default reserve all got
    200. HAProxy cuts a reserve of more than half of the buffer to that half, without a word.

    ## In the log
    `app/s1 ... 502 ... PH--` for a response, `web/<NOSRV> ... 400 ... PR--` for a request.

    ## Silent when
    15360 bytes are left, as by default, or more; the reserve is the default or less, so that only
    `tune.bufsize` can be to blame (HAP201); one of the two comes from the environment or stands
    under `.if`.

    ## Fix safety
    Raises `tune.bufsize` until the reserve leaves the default room. It costs memory, and nothing
    that fitted fails, so the fix is safe. Where the reserve is not needed, lower it instead.

    ## Learnt
    A large reserve is sound beside a large buffer: 8192 of 32768 is silent.

    ## References
    - HAProxy configuration manual, section 3.2, tune.maxrewrite, tune.bufsize
    """

    code = "HAP202"
    name = "maxrewrite-eats-buffer"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.haproxy(
            """
            global
                tune.maxrewrite 8192

            defaults
                mode http
            """
        ),
        Example.haproxy(
            """
            global
                tune.bufsize 16384   # the default
                tune.maxrewrite 4096

            defaults
                mode http
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            global
                tune.bufsize 32768
                tune.maxrewrite 8192

            defaults
                mode http
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        line = config.global_line("tune.maxrewrite")
        value = plain_value(line)
        reserve = global_size(config, "tune.maxrewrite", DEFAULT_MAXREWRITE)
        bufsize = global_size(config, "tune.bufsize", DEFAULT_BUFSIZE)
        if line is None or value is None or reserve is None or bufsize is None:
            return
        # A reserve above half of the buffer is cut to half (section 3.2, tune.maxrewrite).
        room = bufsize - min(reserve, bufsize // 2)
        if reserve <= DEFAULT_MAXREWRITE or room >= _DEFAULT_ROOM:
            return
        wanted = _DEFAULT_ROOM + reserve
        buffer = config.global_line("tune.bufsize")
        yield self.finding(
            line,
            f"headers of more than {room} bytes do not fit, since tune.maxrewrite {value.value}"
            f" keeps {min(reserve, bufsize // 2)} of {bufsize} bytes free: 502 for a response,"
            " 400 for a request",
            advice=f"lower tune.maxrewrite to {DEFAULT_MAXREWRITE}, or raise tune.bufsize"
            f" to {wanted}",
            span=value.span,
            related=() if buffer is None else (Label(buffer.span, "the buffer"),),
            fix=Fix("make the buffer larger", Safety.SAFE, (_buffer_raised(line, buffer, wanted),)),
        )


def _buffer_raised(line: Line, buffer: Line | None, wanted: int) -> Edit:
    if buffer is None:
        return line_after(line, f"tune.bufsize {wanted}")
    return replaced(buffer.arguments[0], str(wanted))
