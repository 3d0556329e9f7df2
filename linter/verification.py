"""Whether fixes did what they promised: seen from the findings before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gwlint.project.files import Project, Status
from gwlint.rule import Finding

_ReadStates = (Status.OK, Status.SYNTAX_ERROR)


def syntax_objection(before: Project, after: Project) -> str | None:
    """A file that can no longer be read, or that has a syntax problem it did not have."""
    known = {file.path: file for file in before.files}
    for file in after.files:
        old = known.get(file.path)
        if old is None or old.tree is None:
            continue
        if file.tree is None or file.status not in _ReadStates:
            return f"{file.path} could no longer be read: {file.reason}"
        if file.dialect != old.dialect:
            return f"{file.path} would be taken for {file.dialect}"
        if len(file.tree.errors) > len(old.tree.errors):
            return f"{file.path} would not parse: {file.reason}"
    return None


def still_found(
    before: Sequence[Finding], after: Sequence[Finding], fixed: Sequence[Finding]
) -> list[Finding]:
    """Those of the `fixed` findings that should be gone and are not."""
    identities_before = Counter(finding.identity for finding in before)
    identities_after = Counter(finding.identity for finding in after)
    asked = Counter(finding.identity for finding in fixed)
    left = {
        identity
        for identity, count in asked.items()
        if identities_after[identity] > identities_before[identity] - count
    }
    return [finding for finding in fixed if finding.identity in left]


def new_findings(
    before: Sequence[Finding], after: Sequence[Finding], fixed: Sequence[Finding]
) -> list[Finding]:
    """The findings at least as severe as the `fixed` ones that were not there before.

    Findings are told apart by identity, which changes when another fix touches their statement.
    So what is new counts only beyond what vanished unasked, for one rule in one file.
    """
    identities_before = Counter(finding.identity for finding in before)
    identities_after = Counter(finding.identity for finding in after)
    asked = Counter(finding.identity for finding in fixed)
    vanished = _by_rule(identities_before - identities_after) - _by_rule(asked)
    least = min(finding.severity for finding in fixed)
    seen: Counter[tuple[str, ...]] = Counter()
    found: list[Finding] = []
    for finding in after:
        identity = finding.identity
        seen[identity] += 1
        if finding.severity < least or seen[identity] <= identities_before[identity]:
            continue
        rule = identity[:2]
        if vanished[rule] > 0:
            vanished[rule] -= 1
        else:
            found.append(finding)
    return found


def _by_rule(identities: Counter[tuple[str, ...]]) -> Counter[tuple[str, ...]]:
    """Counts by rule and path, the first two parts of an identity."""
    counts: Counter[tuple[str, ...]] = Counter()
    for identity, count in identities.items():
        counts[identity[:2]] += count
    return counts
