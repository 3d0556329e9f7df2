"""Adoption: the options that leave out what was known, and what they leave of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gwlint.cli.failure import Failure
from gwlint.cli.output import note, write

if TYPE_CHECKING:
    from gwlint.baseline import Baseline
    from gwlint.cli.inputs import Inputs, Judge
    from gwlint.cli.revisions import Past
    from gwlint.engine import Report
    from gwlint.git.comparison import Before
    from gwlint.project import Project, Reader
    from gwlint.rule import Finding
    from gwlint.settings import Settings


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is left out: findings that a baseline or a git revision has, and findings in files that
    did not change. With `write`, all of them are, once they are written into a baseline."""

    read: Path | None = None
    write: Path | None = None
    diff_base: str | None = None
    changed_only: bool = False

    @property
    def asks_git(self) -> bool:
        return self.diff_base is not None or self.changed_only


EVERYTHING = Adoption()


@dataclass(frozen=True)
class Sieve:
    """What a run lists of its findings.

    `before` are the findings of a revision, and `changed` the paths of files that differ from it;
    None if git was not asked. `only_changed`: findings elsewhere are left out.
    """

    baseline: Baseline | None
    before: Before | None
    changed: frozenset[str] | None
    only_changed: bool

    def listed(self, project: Project, findings: Sequence[Finding]) -> list[Finding]:
        """The findings of a project that are neither known nor left out."""
        return self._without(findings, self._known(project, findings))

    def applied(self, report: Report) -> Report:
        """The report with what is listed; findings that were known are counted in `baselined`."""
        if self.baseline is None and self.changed is None:
            return report
        known = self._known(report.project, report.findings)
        listed = self._without(report.findings, known)
        return replace(report, findings=listed, baselined=sum(known))

    def unread(self, files: Mapping[str, bool]) -> dict[str, bool]:
        """The unreadable files that count, and whether the user named them.

        One that could not be read at the revision either is known, unless it was named.
        """
        return {
            path: named
            for path, named in files.items()
            if named or self.changed is None or path in self.changed
        }

    def _known(self, project: Project, findings: Sequence[Finding]) -> list[bool]:
        verdicts = [False] * len(findings)
        for source in (self.baseline, self.before):
            if source is not None:
                found = source.known(findings, project)
                verdicts = [one or other for one, other in zip(verdicts, found, strict=True)]
        return verdicts

    def _without(self, findings: Sequence[Finding], known: Sequence[bool]) -> list[Finding]:
        only = self.changed if self.only_changed else None
        return [
            finding
            for finding, was_known in zip(findings, known, strict=True)
            if not was_known and (only is None or finding.path in only)
        ]


class Opened:
    """A baseline that was read and a revision that exists: what a run can be compared with."""

    def __init__(self, adoption: Adoption, past: Past | None) -> None:
        self._adoption = adoption
        self._past = past
        self._baseline = opened_baseline(adoption)

    def sieve(self, report: Report, reader: Reader) -> Sieve:
        """What to list of findings like those of a report; `reader` is where its files were read.

        Raises GitError.
        """
        baseline = None if self._baseline is None else self._baseline.following(report)
        if self._past is None:
            return Sieve(baseline, None, None, only_changed=False)
        return Sieve(
            baseline,
            None if self._adoption.diff_base is None else self._past.findings(report.project),
            self._past.changed(report.project, reader),
            self._adoption.changed_only,
        )


@contextmanager
def opened(
    adoption: Adoption, inputs: Inputs, settings: Settings, judge: Judge
) -> Iterator[Opened]:
    """What the options name, for as long as the context lasts.

    Raises Failure for options that cannot be obeyed, also when git fails later in the context.
    """
    _require_sense(adoption)
    if not adoption.asks_git:
        yield Opened(adoption, None)
        return
    from gwlint.cli.revisions import opened_past

    option = "--changed-only" if adoption.diff_base is None else "--diff-base"
    revision = "HEAD" if adoption.diff_base is None else adoption.diff_base
    with opened_past(option, revision, inputs, settings, judge) as past:
        yield Opened(adoption, past)


def _require_sense(adoption: Adoption) -> None:
    if adoption.write is None:
        return
    others = {
        "--baseline": adoption.read is not None,
        "--diff-base": adoption.diff_base is not None,
        "--changed-only": adoption.changed_only,
    }
    for option, is_given in others.items():
        if is_given:
            raise Failure(
                f"{option} and --write-baseline do not go together: the one leaves out what the"
                " other would write"
            )


def opened_baseline(adoption: Adoption) -> Baseline | None:
    """The baseline to read. Raises Failure when it cannot be read, or the other not be written.

    A file that is no baseline is not overwritten: it may be the configuration itself.
    """
    if adoption.write is not None and adoption.write.exists():
        if not adoption.write.is_file():
            raise Failure(f"{adoption.write}: cannot be written: not a regular file")
        try:
            _read(adoption.write)
        except Failure as failure:
            raise Failure(f"{failure}; it is left as it is") from failure
    return None if adoption.read is None else _read(adoption.read)


def _read(path: Path) -> Baseline:
    from gwlint.baseline import BaselineError, read_baseline

    try:
        return read_baseline(path)
    except BaselineError as error:
        raise Failure(str(error)) from error


def written(report: Report, adoption: Adoption, *, quiet: bool) -> Report:
    """The report without what was written into the baseline that is wished for, if one is."""
    if adoption.write is None:
        return report
    from gwlint.baseline import render_baseline

    path = adoption.write
    write(render_baseline(report, path.parent).encode(), path)
    count = len(report.findings)
    if not quiet:
        note(f"gwlint: {path}: wrote {count} {'finding' if count == 1 else 'findings'}")
    return replace(report, findings=[], baselined=count)
