from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.syntax.haproxy.amend import replaced
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.times import parse_time, time_text
from gwlint.syntax.values.whole_numbers import whole_number

_SMALLEST_PLAUSIBLE_MS = 100
_SMALLEST_SLIPPED_S = 5000
_PART = re.compile(r"[0-9]{1,9}(?:ms|us|[smhd])")
_PATIENT = frozenset({"tunnel", "client-fin", "server-fin", "http-keep-alive", "tarpit"})
"""Timeouts for which hours, or a few milliseconds, can be meant: they fail no request."""


class TimeUnitSlip(HaproxyRule):
    """A timeout without a unit counts in milliseconds, or a unit was put behind milliseconds.

    ## Problem
    `timeout server 30` is 30 milliseconds, not 30 seconds. `timeout server 50000s` is fourteen
    hours, where 50000 milliseconds was meant. `timeout server 1m30s` is one minute: HAProxy reads
    no further than the first unit (measured on 2.6.12 and 2.8.25).

    ## Why
    30 ms is less than nearly every answer takes: measured on HAProxy 2.6.12, an answer that comes
    later than `timeout server` is a 504. A timeout of hours is none: a hung application holds its
    clients as long.

    ## In the log
    `app/s1 ... 504 ... sH--` within milliseconds. HAProxy warns of values below 100 ms from version
    3.1 on.

    ## Silent when
    The value has a unit and is plausible, is 100 ms or more without a unit, or comes from the
    environment; timeouts that may be meant to be hours or nearly nothing (tunnel, client-fin,
    server-fin, http-keep-alive, tarpit).

    ## Fix safety
    Writes seconds for the small value and milliseconds for the large one. Unsafe, because only the
    author knows what was meant.

    ## Versions
    A number without a unit is milliseconds in every version. HAProxy warns of values below 100 ms
    from 3.1 on.

    ## Learnt
    10 of 24 findings in published files read, all right: `5000s` in eight entries of a contest that
    copied one another.

    ## References
    - HAProxy configuration manual, section 2.5 "Time format" and section 4.2, timeout server
    """

    code = "HAP302"
    name = "time-unit-slip"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5
                timeout client 30s
                timeout server 50000s
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 1m30s
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30000
                timeout server 50000ms
                timeout tunnel 36000s
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for line in config.lines:
            if line.keyword != "timeout" or len(line.arguments) < 2:
                continue
            kind, value = line.arguments[0].value, line.arguments[1]
            if kind not in _PATIENT and not value.references:
                yield from self._judged(line, kind, value, warns=config.is_at_least("3.1"))

    def _judged(self, line: Line, kind: str, value: Word, *, warns: bool) -> Iterator[Finding]:
        text = value.value
        whole = _whole_time(text)
        if whole is not None:
            read, meant = whole
            yield self.finding(
                line,
                f"timeout {kind} {text} is {read}: HAProxy reads no further than the first unit",
                advice=f"write one number with one unit, such as {meant}",
                severity=Severity.WARNING,
                span=value.span,
                fix=Fix("write the whole time", Safety.UNSAFE, (replaced(value, meant),)),
            )
            return
        if text.isdecimal() and 0 < whole_number(text) < _SMALLEST_PLAUSIBLE_MS:
            yield self.finding(
                line,
                f"timeout {kind} {text} is {text} milliseconds"
                + ("" if warns else ", and HAProxy below 3.1 takes it without a word"),
                advice=f"write the unit: {text}s, or {text}ms if that is meant",
                span=value.span,
                fix=Fix("count in seconds", Safety.UNSAFE, (replaced(value, f"{text}s"),)),
            )
        number = text.removesuffix("s")
        if not (text.endswith("s") and number.isdecimal()):
            return
        seconds = whole_number(number)
        if seconds >= _SMALLEST_SLIPPED_S and seconds % 1000 == 0:
            yield self.finding(
                line,
                f"timeout {kind} {text} is {seconds / 3600:.1f} hours; {number} reads like"
                " milliseconds",
                advice=f"write {seconds // 1000}s, or the hours if they are meant",
                severity=Severity.WARNING,
                span=value.span,
                fix=Fix("count in milliseconds", Safety.UNSAFE, (replaced(value, f"{number}ms"),)),
            )


def _whole_time(text: str) -> tuple[str, str] | None:
    """Of a time of several units: what HAProxy reads, and the whole time in one unit."""
    parts = _PART.findall(text)
    if len(parts) < 2 or "".join(parts) != text:
        return None
    try:
        return parts[0], time_text(sum(parse_time(part).seconds for part in parts))
    except ValueProblem:
        return None
