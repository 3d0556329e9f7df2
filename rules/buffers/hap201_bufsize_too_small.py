from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.syntax.haproxy.amend import replaced
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.sizes import parse_size

DEFAULT_BYTES = 16384


class BufsizeTooSmall(HaproxyRule):
    """The buffers are smaller than the default, so that ordinary headers do not fit.

    ## Problem
    Request and response headers must fit into `tune.bufsize` less `tune.maxrewrite` (1024 bytes).

    ## Why
    Measured on HAProxy 2.6.12: response headers that do not fit end as 502 on every such request,
    request headers as 400 (431 from 3.2 on). HTTP/2 needs at least 16384 bytes.

    ## In the log
    `app/s1 ... 502 ... PH--` for a response, `web/<NOSRV> ... 400 ... PR--` for a request.

    ## Silent when
    The size is 16384, the default, or more, or comes from the environment.

    ## Fix safety
    Writes the default. It costs memory, and nothing that fitted fails, so the fix is safe.

    ## Learnt
    Both findings in published files read, right: 1024 bytes leave 512 for headers.

    ## References
    - HAProxy configuration manual, section 3.2, tune.bufsize
    """

    code = "HAP201"
    name = "bufsize-too-small"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.haproxy(
            """
            global
                tune.bufsize 8192

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

            defaults
                mode http
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        line = config.global_line("tune.bufsize")
        if line is None or not line.arguments or line.arguments[0].references:
            return
        value = line.arguments[0]
        try:
            size = parse_size(value.value)
        except ValueProblem:
            return
        if size < DEFAULT_BYTES:
            yield self.finding(
                line,
                # maxrewrite, 1024 by default, is cut to half of a small buffer (section 3.2).
                f"headers of more than about {size - min(1024, size // 2)} bytes do not fit:"
                " 502 for a response, 400 for a request",
                advice=f"leave tune.bufsize at its default of {DEFAULT_BYTES}, or raise it",
                span=value.span,
                fix=Fix(
                    "use the default buffer size",
                    Safety.SAFE,
                    (replaced(value, str(DEFAULT_BYTES)),),
                ),
            )
