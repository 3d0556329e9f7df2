"""Runs rules over a project, obeys suppressions, and puts what is left in order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gwlint.jobs.processes import processes_for, shares
from gwlint.model.deployment import Deployment
from gwlint.model.facts import facts_of
from gwlint.model.options import options_of
from gwlint.project.files import HaproxyRoot, NginxRoot, Project
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
    jobs: int | None = 1,
) -> Report:
    """All findings of `rules` in `project`.

    `idle` are the codes of rules that were asked for as well, and would have nothing to read.
    `jobs` is how many processes may be used, None for as many as pay; findings from others have no
    tree behind their statements. Raises RuleError when a rule raises, WorkerError when a process is
    lost, and SettingsError for facts and options of these rules that cannot be used.
    """
    deployment = Deployment(
        project, settings.target_nginx, settings.target_haproxy, facts_of(settings)
    )
    made = [kind(options_of(kind.code, kind.options, settings)) for kind in rules]
    found: dict[tuple[object, ...], Finding] = {}
    ignored = _Ignored(project, settings)
    for finding in _run_at_once(deployment, made, jobs):
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


Known = Mapping[tuple[int, int], Sequence[Finding]]
"""Number of a rule and of a configuration among those of its dialect -> what the rule says of it;
of a deployment the number is 0."""


def _run(
    deployment: Deployment, rules: Sequence[Rule], known: Known | None = None
) -> Iterator[Finding]:
    """What the rules find, by rule and configuration; what is known is not asked again."""
    for number, rule in enumerate(rules):
        for other, check in enumerate(_checks(rule, deployment)):
            key = (number, other)
            yield from known[key] if known is not None and key in known else check()


def _checks(rule: Rule, deployment: Deployment) -> list[Callable[[], Iterator[Finding]]]:
    """What a rule does: one check for each configuration of its dialect, or one for all."""
    kind = type(rule)
    if isinstance(rule, NginxRule):
        return [
            partial(_guarded, kind, nginx.root.main.path, partial(rule.check, nginx))
            for nginx in deployment.nginx
        ]
    if isinstance(rule, HaproxyRule):
        return [
            partial(_guarded, kind, haproxy.root.files[0].path, partial(rule.check, haproxy))
            for haproxy in deployment.haproxy
        ]
    if isinstance(rule, DeploymentRule):
        return [partial(_guarded, kind, "the project", partial(rule.check, deployment))]
    return []


def _run_at_once(
    deployment: Deployment, rules: Sequence[Rule], jobs: int | None
) -> Iterator[Finding]:
    """The same findings in the same order, from several processes if that is allowed and pays.

    Trees are large, so the processes are copies of this one that have them already: one for each
    share of the configurations, while this one does a share and what looks across all. Raises
    WorkerError when a process is lost.
    """
    roots: list[NginxRoot | HaproxyRoot] = [
        *(config.root for config in deployment.nginx),
        *(config.root for config in deployment.haproxy),
    ]
    sizes = [
        sum(len(file.source.data) for file in root.files if file.source is not None)
        for root in roots
    ]
    count = processes_for(jobs, sizes)
    known = None if count == 1 else _known(deployment, rules, roots, shares(sizes, count))
    return _run(deployment, rules, known)


def _known(
    deployment: Deployment,
    rules: Sequence[Rule],
    roots: Sequence[NginxRoot | HaproxyRoot],
    groups: Sequence[Sequence[int]],
) -> Known | None:
    """What the rules find, one process for each group of roots; None if it cannot be done so, or
    when a rule raises: then it does so again, where all see it."""
    from gwlint.jobs.parcel import Parcels
    from gwlint.jobs.processes import Workers

    sources = (file.source for root in roots for file in root.files if file.source is not None)
    parcels = Parcels([type(rule) for rule in rules], sources)

    def share(group: Sequence[int]) -> dict[tuple[int, int], list[Finding]]:
        nginx = {number for number in group if number < len(deployment.nginx)}
        haproxy = {number - len(deployment.nginx) for number in group if number not in nginx}
        return {
            (number, other): list(check())
            for number, rule in enumerate(rules)
            for other, check in enumerate(_checks(rule, deployment))
            if other in (nginx if isinstance(rule, NginxRule) else haproxy)
            and not isinstance(rule, DeploymentRule)
        }

    def task(group: Sequence[int]) -> bytes:
        return parcels.pack(share(group).items())

    try:
        with Workers([partial(task, group) for group in groups[1:]]) as workers:
            found = share(groups[0])
            for number, rule in enumerate(rules):
                if isinstance(rule, DeploymentRule):
                    (check,) = _checks(rule, deployment)
                    found[number, 0] = list(check())
            results = workers.results()
    except (OSError, RuleError):
        return None
    if results is None:
        return None
    for data in results:
        found.update(parcels.unpack(data))
    return found


def _guarded(
    rule: type[Rule], path: str, findings: Callable[[], Iterable[Finding]]
) -> Iterator[Finding]:
    try:
        yield from findings()
    except Exception as cause:
        raise RuleError(rule, path, cause) from cause
