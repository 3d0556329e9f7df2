"""What findings are known by from one run to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from gwlint.rule import Finding, fingerprint


def fingerprinted(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str]]:
    """Each finding with its fingerprint; equal identities are told apart by their order."""
    seen: Counter[tuple[str, ...]] = Counter()
    for finding in findings:
        identity = finding.identity
        yield finding, fingerprint(identity, seen[identity])
        seen[identity] += 1
