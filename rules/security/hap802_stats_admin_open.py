from __future__ import annotations

from collections.abc import Iterator, Sequence

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.security.stats_pages import reachable_pages
from gwlint.rules.security.strangers import Reach
from gwlint.syntax.haproxy.tree import Word
from gwlint.syntax.values.conditions import Operand, WordProblem, parse_condition

_ALWAYS = {
    "if": frozenset({"TRUE", "always_true"}),
    "unless": frozenset({"FALSE", "always_false"}),
}


class StatsAdminOpen(HaproxyRule):
    """Whoever reaches the statistics page takes servers out of service.

    ## Problem
    `stats admin if TRUE` puts buttons on the page that disable, drain and stop servers, and the
    page asks for no password.

    ## Why
    Measured on 2.6.12 and 2.8.25: one POST by an unknown client set the only server to MAINT, and
    the backend had no server any more: 503 for everybody. Without `stats admin` the same POST was
    refused.

    ## In the log
    `Server app/s1 is going DOWN for maintenance.`, for the last one also
    `backend app has no server available!`

    ## Silent when
    `stats auth` or `stats http-request` asks; the condition is another one than TRUE; the port
    is on a loopback address or a socket; a rule judges who asks; the mode is tcp; `.if` decides. On
    private addresses only, it is a warning.

    ## Fix safety
    None: who may administer is not known.

    ## Learnt
    Real files have `stats admin` beside a password, as the manual shows it.

    ## References
    - HAProxy configuration manual, section 4.2, keyword stats admin
    """

    code = "HAP802"
    name = "stats-admin-open"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            listen stats
                bind :8404
                stats enable
                stats admin if TRUE
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            listen stats
                bind :8404
                stats enable
                stats auth ops:Vq8-hw2k-Zz
                stats admin if TRUE
            listen local
                bind :8405
                stats enable
                stats admin if LOCALHOST
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for page in reachable_pages(config):
            if page.of("auth") or page.has_own_guard:
                continue
            for line in page.of("admin"):
                if _is_always(line.arguments[1:]):
                    yield self.finding(
                        line,
                        f"whoever reaches {page.uri} can take servers out of service: the page"
                        " has 'stats admin' and asks for no password",
                        advice="add 'stats auth', or test in 'stats admin if' who asks",
                        severity=Severity.ERROR
                        if page.reach is Reach.ANYWHERE
                        else Severity.WARNING,
                        related=(Label(page.port.span, "the page can be reached here"),),
                    )


def _is_always(words: Sequence[Word]) -> bool:
    """Whether the condition holds for every client."""
    if len(words) < 2:
        return False
    try:
        condition = parse_condition(words)
    except WordProblem:
        return False
    always = _ALWAYS[condition.keyword.value]
    return any(
        all(not operand.negated and _name(operand) in always for operand in term)
        for term in condition.terms
    )


def _name(operand: Operand) -> str:
    """The ACL's name, or the sample of one in braces."""
    word = operand.name if operand.anonymous is None else operand.anonymous.sample
    return "" if word is None else word.value
