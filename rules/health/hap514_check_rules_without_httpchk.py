from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.checks import protocol_check
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import balanced_backends, working_servers
from gwlint.syntax.haproxy.amend import line_before

_NO_STEPS = (["disable-on-404"], ["send-state"])
"""Not a step of a check: HAProxy does not warn of them."""

_OPTIONS = {"http-check": "httpchk", "tcp-check": "tcp-check"}


class CheckRulesWithoutHttpchk(HaproxyRule):
    """Rules say how to check, but the option that makes them count is missing.

    ## Problem
    `http-check` rules count only with `option httpchk`, `tcp-check` rules only with `option
    tcp-check`. Without it, a check opens a connection and asks for nothing.

    ## Why
    HAProxy 2.6.12 and 2.8.25 say that the rules are ignored, and start. Measured of a check that
    only opens a connection: an application that answered 500 to everything stayed in use, and half
    of the requests got 500.

    ## In the log
    At start, and when the configuration is tested: `[WARNING] ... backend
    'app' uses http-check rules without 'option httpchk', so the rules are ignored.`.

    ## Silent when
    The option is set here or in the defaults, also under `.if`; the rules stand in the defaults
    alone; the file holds neither global nor defaults, so that others complete it.

    ## Fix safety
    Adds the option in front of the rules. Unsafe, because the check then asks for the first time:
    servers that answer it with an error are taken out. No fix where an option for another protocol
    is set, since only the author knows which one is meant.

    ## Learnt
    One finding in published files, and right: the option was commented out when the rules were
    written.

    ## References
    - HAProxy configuration manual, section 4.2, http-check expect, option httpchk, tcp-check
      connect, option tcp-check
    """

    code = "HAP514"
    name = "check-rules-without-httpchk"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                http-check send meth GET uri /health
                http-check expect status 200
                server one 127.0.0.1:3000 check
            """
        ),
        Example.haproxy(
            """
            defaults
                mode tcp
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend redis
                tcp-check send PING\\r\\n  # a binary-safe protocol
                tcp-check expect string +PONG
                server one 127.0.0.1:6379 check
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                option httpchk
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                http-check send meth GET uri /health
                http-check expect status 200
                server one 127.0.0.1:3000 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            for keyword, option in _OPTIONS.items():
                rules = [line for line in backend.own(keyword) if line.values[:1] not in _NO_STEPS]
                if not rules or any(backend.lines("option", option)):
                    continue
                other = protocol_check(backend)
                runs = any(server.has("check") for server in working_servers(backend))
                what = "only opens a connection" if other is None else "follows another option"
                yield self.finding(
                    rules[0],
                    f"{keyword} rules of {backend.name} are ignored without option {option}"
                    + (f": the check {what}" if runs else ""),
                    advice=f"add option {option}, or remove the rules",
                    span=rules[0].words[0].span,
                    related=() if other is None else (Label(other.span, "the check that counts"),),
                    fix=None
                    if other is not None
                    else Fix(
                        "let the rules count",
                        Safety.UNSAFE,
                        (line_before(rules[0], f"option {option}"),),
                    ),
                )
