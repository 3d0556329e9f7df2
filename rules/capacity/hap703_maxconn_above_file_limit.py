from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.capacity.haproxy_limits import global_number
from gwlint.syntax.haproxy.amend import replaced
from gwlint.syntax.haproxy.tree import Line

_KERNEL_LIMIT = 1_048_576
"""fs.nr_open as Linux sets it (proc(5)): no process may have a higher file limit."""

_OVERHEAD = 100
"""Files beside connections that the fix leaves room for: ports, checks, logs, the pollers."""


class MaxconnAboveFileLimit(HaproxyRule):
    """HAProxy would need more open files than it may have, and does not start.

    ## Problem
    Each connection takes two files, one on either side. `maxconn` asks for more than
    `fd-hard-limit`, or than Linux gives to any process (1048576, fs.nr_open).

    ## Why
    Measured on 2.6.12 and 2.8.25: `haproxy -c` accepts the configuration, and the start fails, so
    the fault shows on the next restart, not on the check before it. `maxconn 2000` wants 4017
    files.

    ## In the log
    `[ALERT] [haproxy.main()] Cannot raise FD limit to 200017, limit is 1024.`

    ## Silent when
    The need is below these limits: which file limit the service is started with (LimitNOFILE,
    ulimit -Hn) cannot be seen here. `no strict-limits`, with which HAProxy starts and warns; a
    number that hangs on a variable or `.if`.

    ## Fix safety
    Lowers `maxconn` to what fits. Unsafe: where the machine was set up for more, the limit is then
    lower than it could be.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 3.1 and 3.2, keywords fd-hard-limit, maxconn and
      strict-limits
    """

    code = "HAP703"
    name = "maxconn-above-file-limit"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            global
                fd-hard-limit 1000
                maxconn 2000
            defaults
                mode http
            """
        ),
        Example.haproxy("global\n    maxconn 1000000\ndefaults\n    mode http\n"),
    )
    good = (
        Example.haproxy(
            """
            global
                fd-hard-limit 10000
                maxconn 2000
            defaults
                mode http
            """
        ),
        Example.haproxy("global\n    maxconn 1000000\n    no strict-limits\n"),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        found = global_number(config, "maxconn")
        strict = config.global_line("strict-limits")
        if found is None or (strict is not None and (strict.modifier or strict.conditions)):
            return
        line, number = found
        hard = global_number(config, "fd-hard-limit")
        limit = _KERNEL_LIMIT
        if hard is not None:
            limit = min(limit, hard[1])
        elif config.global_line("fd-hard-limit") is not None:
            return
        if 2 * number < limit:
            return
        yield self._above(line, number, limit, None if hard is None else hard[0])

    def _above(self, line: Line, number: int, limit: int, hard: Line | None) -> Finding:
        fitting = (limit - _OVERHEAD) // 2
        fix = None
        if fitting > 0:
            edit = replaced(line.arguments[0], str(fitting))
            fix = Fix(f"lower maxconn to {fitting}", Safety.UNSAFE, (edit,))
        origin = "Linux gives to a process" if hard is None else "fd-hard-limit allows"
        return self.finding(
            line,
            f"maxconn {number} needs more than {2 * number} files, and {origin} {limit}:"
            " 'haproxy -c' accepts it, and the start fails",
            advice="lower maxconn" + (" (or raise fs.nr_open)" if hard is None else ""),
            related=() if hard is None else (Label(hard.span, "the limit of files"),),
            fix=fix,
        )
