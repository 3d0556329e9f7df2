from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity

_FATAL_SINCE = "3.3"


class EmptyArgument(HaproxyRule):
    """An empty word ends the line: HAProxy does not read what follows.

    ## Problem
    `""` or `''` in the middle of a line marks the end of the arguments.

    ## Why
    Measured on 2.6.12 and 2.8.25: `http-request deny "" if FALSE` denies every request, and
    `server s1 10.0.0.1:80 "" weight 0` has no weight of 0; nothing is said. HAProxy 3.2 warns, 3.3
    does not start.

    ## In the log
    From 3.2 on: `[WARNING] argument number 4 at position 31 is empty and marks the end of the
    argument list; all subsequent arguments will be ignored`.

    ## Silent when
    The empty word is the last one, or comes from a variable.

    ## Fix safety
    None: whether a value is missing or the word is too many is not known.

    ## Versions
    An error from HAProxy 3.3 on, which does not start. A warning for an older or unknown target,
    and the message names this version.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 2.2, Quoting and escaping
    """

    code = "HAP007"
    name = "empty-argument"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080
                http-request deny "" if { path_beg /admin }
                default_backend app
            backend app
                server s1 10.0.0.1:80 '' check
            """
        ),
        Example.haproxy('backend app\n    server s1 10.0.0.1:80 "" check\n', target="3.3"),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                acl is_empty req.hdr(x) -m str ""
                server s1 10.0.0.1:80 check  # ""
                server s2 10.0.0.2:80 "$OPTIONS" check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        severity = Severity.ERROR if config.is_at_least(_FATAL_SINCE) else Severity.WARNING
        for line in config.lines:
            for word in line.words[:-1]:
                if not word.is_quoted_empty or word.references:
                    continue
                rest = " ".join(one.value for one in line.words if one.start > word.start)
                effect = (
                    "HAProxy does not start"
                    if severity is Severity.ERROR
                    else f'HAProxy does not read "{_shortened(rest)}"'
                )
                yield self.finding(
                    line,
                    f"an empty argument ends the line here, so {effect}",
                    advice="write the value that is missing, or remove the empty word"
                    " (HAProxy 3.3 refuses it)",
                    span=word.span,
                    severity=severity,
                )
                break


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
