"""Runs rules over a project, obeys suppressions, and puts what is left in order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from gwlint.model.deployment import Deployment
from gwlint.model.facts import facts_of
from gwlint.model.options import options_of
from gwlint.project.files import Project
from gwlint.registry import RuleFile, rule_files
from gwlint.rule import (
    DeploymentRule,
    Finding,
    HaproxyRule,
    NginxRule,
    Rule,
    Severity,
    SuppressionRule,
)
from gwlint.settings import Settings


class RuleError(Exception):
    """A defect in a rule: it raised while it read a configuration."""

    def __init__(self, rule: type[Rule], path: str, cause: Exception) -> None:
        super().__init__(f"{rule.code} {rule.name} failed on {path}: {cause!r}")
        self.rule = rule
        self.path = path


@dataclass(frozen=True)
class Report:
    """What a check found, sorted by path, line, column and code.

    `suppressed` findings are hidden by comments, `baselined` ones were known before.
    """

    project: Project
    findings: list[Finding]
    suppressed: int = 0
    baselined: int = 0


def check(
    project: Project,
    settings: Settings,
    rules: Sequence[type[Rule]],
    idle: Collection[str] = (),
) -> Report:
    """All findings of `rules` in `project`.

    `idle` are the codes of rules that were asked for as well, and would have nothing to read.
    Raises RuleError when a rule raises, and SettingsError for facts and options of these rules
    that cannot be used.
    """
    deployment = Deployment(
        project, settings.target_nginx, settings.target_haproxy, facts_of(settings)
    )
    made = [kind(options_of(kind.code, kind.options, settings)) for kind in rules]
    found: dict[tuple[object, ...], Finding] = {}
    ignored = _Ignored(project, settings)
    for finding in _run(deployment, made):
        if finding.path in project.surroundings or ignored.hides(finding.code, finding.path):
            continue
        # A file that is included twice is judged twice, but says each thing once.
        key = (finding.code, finding.path, finding.span.start, finding.span.end, finding.message)
        found.setdefault(key, _weighed(finding, settings.profile))
    findings, suppressed = list(found.values()), 0
    if any(file.mentions_gwlint for file in project.files):
        findings, suppressed = _obeying_suppressions(project, made, idle, findings, ignored)
    return Report(project, sorted(findings, key=_place), suppressed)


def _obeying_suppressions(
    project: Project,
    rules: Sequence[Rule],
    idle: Collection[str],
    findings: Sequence[Finding],
    ignored: _Ignored,
) -> tuple[list[Finding], int]:
    """The findings that no comment hides, with those about useless comments; and how many one
    does hide."""
    from gwlint.suppress import resolve

    ran = [*(rule.code for rule in rules), *idle]
    resolution = resolve(
        project,
        findings,
        lambda path: {code for code in ran if not ignored.hides(code, path)},
    )
    listed = resolution.listed
    for rule in rules:
        if isinstance(rule, SuppressionRule):
            about = _guarded(type(rule), "the project", partial(rule.check, resolution.flaws))
            listed += [one for one in about if not ignored.hides(one.code, one.path)]
    return listed, resolution.suppressed


class _Ignored:
    """What `per_file_ignores` of gwlint.yaml hides: rules by file."""

    def __init__(self, project: Project, settings: Settings) -> None:
        self._rules: dict[str, RuleFile] = {}
        self._selectors: dict[str, tuple[str, ...]] = {}
        if settings.per_file_ignores:
            self._rules = {file.code: file for file in rule_files()}
            self._selectors = {
                file.path: settings.ignored_in(file.absolute) for file in project.files
            }

    def hides(self, code: str, path: str) -> bool:
        rule = self._rules.get(code)
        if rule is None:
            return False
        return any(map(rule.answers_to, self._selectors.get(path, ())))


def _weighed(finding: Finding, profile: str) -> Finding:
    """The finding with the severity that it has in a profile."""
    if profile == "security" and finding.rule.warns_in_security:
        return finding._replace(severity=max(finding.severity, Severity.WARNING))
    return finding


def _place(finding: Finding) -> tuple[str, int, str, str]:
    return finding.path, finding.span.start, finding.code, finding.message


def _run(deployment: Deployment, rules: Sequence[Rule]) -> Iterator[Finding]:
    for rule in rules:
        kind = type(rule)
        if isinstance(rule, NginxRule):
            for nginx in deployment.nginx:
                yield from _guarded(kind, nginx.root.main.path, partial(rule.check, nginx))
        elif isinstance(rule, HaproxyRule):
            for haproxy in deployment.haproxy:
                yield from _guarded(kind, haproxy.root.files[0].path, partial(rule.check, haproxy))
        elif isinstance(rule, DeploymentRule):
            yield from _guarded(kind, "the project", partial(rule.check, deployment))


def _guarded(
    rule: type[Rule], path: str, findings: Callable[[], Iterable[Finding]]
) -> Iterator[Finding]:
    try:
        yield from findings()
    except Exception as cause:
        raise RuleError(rule, path, cause) from cause
