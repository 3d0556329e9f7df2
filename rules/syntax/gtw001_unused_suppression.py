from __future__ import annotations

from collections.abc import Iterable, Iterator

from gwlint.edits import Safety
from gwlint.rule import Example, Finding, Severity, SuppressionFlaw, SuppressionRule
from gwlint.source import Place


class UnusedSuppression(SuppressionRule):
    """A comment that should suppress findings suppresses none.

    ## Problem
    `# gwlint: ignore[NGX401] reason` keeps a finding out of the report. This one hides nothing:
    what it names is not found here, no rule has that name, the reason is missing, or a range has
    a beginning and no end.

    ## Why
    A suppression that outlived its reason hides the next fault of the same kind. One that is
    misspelt makes its author believe that a fault was looked at.

    ## In the log
    Nothing: the server skips comments.

    ## Silent when
    A rule that the suppression names did not run (it was not selected, is ignored for the file, or
    is of the other dialect); the file does not parse, or is a fragment whose main file was not
    read, since rules say less there. A suppression never hides findings of this rule:
    `per_file_ignores` in gwlint.yaml does.

    ## Fix safety
    Safe: removes the comment, or the useless part of its list. Only gwlint reads it, and it hid
    nothing.

    ## References
    - docs/pages/adopt.md has the forms of suppressions that exist.
    """

    code = "GTW001"
    name = "unused-suppression"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    # gwlint: ignore[NGX302]
                    proxy_connect_timeout 90s;
                }
            }
            """
        ),
        Example.haproxy(
            """
            # gwlint: ignore-file[HAP3O1] set by the orchestrator
            frontend web
                bind :8080
                http-request return status 204
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
                    # gwlint: ignore[NGX302] the origin is a satellite link away
                    proxy_connect_timeout 90s;
                }
            }
            """
        ),
        Example.haproxy(
            """
            # gwlint: ignore-file[HAP301] set by the orchestrator
            frontend web
                bind :8080
                http-request return status 204
            """
        ),
    )

    def check(self, flaws: Iterable[SuppressionFlaw]) -> Iterator[Finding]:
        for flaw in flaws:
            yield self.finding(Place(flaw.comment), flaw.problem, advice=flaw.advice, fix=flaw.fix)
