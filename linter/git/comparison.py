"""What is found now and was not found at a revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gwlint.engine import Report
from gwlint.git.alignment import aligned_lines
from gwlint.project.files import Project
from gwlint.project.folders import DiskFolders, Folders
from gwlint.rule import Finding
from gwlint.source import Source

Identity = tuple[str, ...]


@dataclass
class Before:
    """The findings of a revision, by identity.

    The path in an identity is the real one that the file has now, so that a file is known by
    whatever way it is reached, and after a move.
    """

    findings: dict[Identity, list[Finding]]
    alignments: dict[tuple[Source, Source], dict[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, report: Report, folders: Folders, moved: Mapping[str, str]) -> Before:
        """`folders` are those of the revision; `moved` leads from real paths then to those now."""
        found: dict[Identity, list[Finding]] = {}
        reals = _real_paths(report.project, folders)
        for finding in report.findings:
            real = reals[finding.path]
            found.setdefault(_identity(finding, moved.get(real, real)), []).append(finding)
        return cls(found)

    def known(self, findings: Sequence[Finding], project: Project) -> list[bool]:
        """For each finding of a project on disk, whether it was there before.

        Where more of one identity are found than before, those on lines that were there before
        are known first, then the first ones.
        """
        reals = _real_paths(project, DiskFolders())
        groups: dict[Identity, list[int]] = {}
        for index, finding in enumerate(findings):
            groups.setdefault(_identity(finding, reals[finding.path]), []).append(index)
        verdicts = [False] * len(findings)
        for identity, members in groups.items():
            old = self.findings.get(identity, [])
            for index in self._oldest_first([(i, findings[i]) for i in members], old)[: len(old)]:
                verdicts[index] = True
        return verdicts

    def _oldest_first(
        self, members: Sequence[tuple[int, Finding]], old: Sequence[Finding]
    ) -> list[int]:
        if not old or len(members) <= len(old):
            return [index for index, _ in members]
        lines_before = {one.span.begin_position.line for one in old}
        same_lines = self._alignment(old[0], members[0][1])
        return [
            index
            for _, index in sorted(
                (same_lines.get(finding.span.begin_position.line) not in lines_before, index)
                for index, finding in members
            )
        ]

    def _alignment(self, before: Finding, now: Finding) -> dict[int, int]:
        key = (before.span.source, now.span.source)
        if key not in self.alignments:
            self.alignments[key] = aligned_lines(key[0].data, key[1].data)
        return self.alignments[key]


def _identity(finding: Finding, real: str) -> Identity:
    return (finding.code, real, *finding.identity[2:])


def _real_paths(project: Project, folders: Folders) -> dict[str, str]:
    return {file.path: folders.real_path(file.absolute) for file in project.files}
