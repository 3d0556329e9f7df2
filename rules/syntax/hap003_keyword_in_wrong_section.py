from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.syntax.statements import Statement, home_of, statements
from gwlint.source import Span
from gwlint.syntax.haproxy.keywords import PROXY_SECTIONS, KeywordSpec, Placement
from gwlint.syntax.version import Version

_MEASURED = Version.parse("2.8")
"""What becomes of a later keyword in the wrong section was not measured."""


class KeywordInWrongSection(HaproxyRule):
    """The keyword exists, but not in a section of this kind.

    ## Problem
    Each keyword belongs to certain sections: `bind` to frontends, `server` to backends, `daemon` to
    the global section. Rules such as `http-request` may stand in a `defaults` section only when
    that section has a name.

    ## Why
    Some keywords are refused in the wrong section, so that HAProxy does not start; others are
    ignored with a warning, and a few without a word (measured for each keyword on 2.6.12 and
    2.8.25). Ignored ones are warnings here: the line does not do what it says.

    ## In the log
    `[ALERT] parsing [haproxy.cfg:9]: 'server' not allowed because frontend 'web' has no backend
    capability`, `[ALERT] ... unknown keyword 'timeout' in 'global' section`,
    `[WARNING] ... 'bind' ignored because backend 'app' has no frontend capability`.

    ## Silent when
    The section depends on an `.if` block; the keyword was removed from HAProxy (HAP005), or came
    after 2.8, so that its reaction was not measured.

    ## Fix safety
    None: into which section it should go is the author's decision.

    ## Learnt
    All 5 findings in published files read, all right.

    ## References
    - HAProxy configuration manual, section 4.1 (matrix of proxy keywords)
    """

    code = "HAP003"
    name = "keyword-in-wrong-section"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            global
                timeout client 30s
            frontend web
                bind :8080
                server s1 10.0.0.1:80
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                daemon
                http-request deny if { path /admin }
            """
        ),
        Example.haproxy(
            """
            frontend web
                bind :8080
                timeout server 30s
                default_backend app
            backend app
                bind :8081
                server s1 10.0.0.1:80
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            global
                daemon
            defaults shared
                mode http
                timeout server 30s
                http-request deny if { path /admin }
            frontend web
                bind :8080
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for statement in statements(config):
            spec = statement.lookup.spec
            kind = statement.section.kind
            if spec is None:
                homes = home_of(statement.words, kind) if statement.lookup.is_unknown else ()
                if homes:
                    yield self._refused(statement, homes)
            elif kind in PROXY_SECTIONS and spec.removed is None and spec.known_in(_MEASURED):
                yield from self._placed(statement, spec)

    def _placed(self, statement: Statement, spec: KeywordSpec) -> Iterator[Finding]:
        kind = statement.section.kind
        placement = spec.placement(kind)
        homes = tuple(home for home in PROXY_SECTIONS if home in spec.sections)
        if placement is Placement.REFUSED:
            yield self._refused(statement, homes)
        elif placement is Placement.NAMED_ONLY and statement.section.name is None:
            yield self.finding(
                statement.line,
                f'"{spec.name}" may stand only in a defaults section that has a name, so HAProxy'
                " refuses it here",
                advice="give the section a name, or move the rule to the frontends and backends",
                span=_keyword_span(statement, spec.length),
            )
        elif placement in (Placement.IGNORED, Placement.SILENT):
            how = "with a warning" if placement is Placement.IGNORED else "without a word"
            yield self.finding(
                statement.line,
                f'"{spec.name}" has no effect in a {kind} section: HAProxy ignores it {how}',
                advice=f"move it to {_listed(homes)}, or remove it",
                severity=Severity.WARNING,
                span=_keyword_span(statement, spec.length),
            )

    def _refused(self, statement: Statement, homes: tuple[str, ...]) -> Finding:
        kind = statement.section.kind
        keyword = " ".join(
            statement.words[:2] if statement.words[0] == "option" else statement.words[:1]
        )
        return self.finding(
            statement.line,
            f'"{keyword}" may not stand in a {kind} section, so HAProxy refuses the configuration',
            advice=f"move it to {_listed(homes)}",
            span=_keyword_span(statement, 1),
        )


def _listed(homes: tuple[str, ...]) -> str:
    return homes[0] if len(homes) == 1 else f"{', '.join(homes[:-1])} or {homes[-1]}"


def _keyword_span(statement: Statement, length: int) -> Span:
    line = statement.line
    first = 0 if line.modifier is None else 1
    words = line.words[first : first + length]
    return Span(line.source, words[0].start, words[-1].end)
