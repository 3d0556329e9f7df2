from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.buffers.haproxy_sizes import plain_value
from gwlint.syntax.haproxy.amend import replaced
from gwlint.syntax.values.whole_numbers import whole_number

_DEFAULT = 101


class MaxhdrSmall(HaproxyRule):
    """Fewer header lines are allowed than by default, so that ordinary messages are refused.

    ## Problem
    `tune.http.maxhdr` limits how many header lines a request or response may have, its first line
    included. Browsers with client hints, and applications that set several cookies and security
    headers, come to dozens.

    ## Why
    Measured on HAProxy 2.6.12 and 2.8.25 with a limit of 20 and 40 headers: a response with them
    ended as 502, a request with them as 400; with the default limit of 101 both passed.

    ## In the log
    `app/s1 ... 502 ... PH--` for a response, `web/<NOSRV> ... 400 ... PR--` for a request.

    ## Silent when
    The limit is the default of 101 or more, comes from the environment, or stands under `.if`.

    ## Fix safety
    Writes the default. It costs a little memory, and nothing that was accepted is refused: safe.

    ## Learnt
    One finding in published files, and right.

    ## References
    - HAProxy configuration manual, section 3.2, tune.http.maxhdr
    """

    code = "HAP203"
    name = "maxhdr-small"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.haproxy(
            """
            global
                tune.http.maxhdr 20

            defaults
                mode http
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            global
                tune.http.maxhdr 256

            defaults
                mode http
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        line = config.global_line("tune.http.maxhdr")
        value = plain_value(line)
        if line is None or value is None or not value.value.isdecimal():
            return
        limit = whole_number(value.value)
        # HAProxy refuses 0 (accepted range 1 to 32767).
        if 0 < limit < _DEFAULT:
            yield self.finding(
                line,
                f"messages of more than {limit} header lines are refused: 502 for a response,"
                " 400 for a request",
                advice=f"leave tune.http.maxhdr at its default of {_DEFAULT}, or raise it",
                span=value.span,
                fix=Fix(
                    "allow the default number of headers",
                    Safety.SAFE,
                    (replaced(value, str(_DEFAULT)),),
                ),
            )
