"""From findings to a verified patch.

Fixes are made in rounds. A round takes the fixes that do not touch each other, applies them to the
bytes, reads the result again, and keeps it only if it parses, the findings are gone and nothing as
severe is new. Fixes that fail are left out and named. When no round changes anything any more, the
real servers are asked; only if one of them objects is everything done again with the servers asked
in every round, which finds the fix to blame.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from gwlint.edits import Safety, changes_for, compatible
from gwlint.project import Disk, Overlay, Project, Reader, Status, load_project
from gwlint.project.files import ConfigFile
from gwlint.project.reading import is_inside, shown_path
from gwlint.revision import Region, Revision
from gwlint.rule import Finding
from gwlint.servers.judges import Judges
from gwlint.settings import Settings
from gwlint.sharing import Sharing
from gwlint.verification import new_findings, still_found, syntax_objection

MAX_ROUNDS = 20
MAX_FOLLOW_UPS = 5
"""How many steps a fix and those it calls for may take before it is given up."""

MAX_TRIALS = 200
"""How often a project is read anew in search of the fixes to blame."""

NO_FIX = "its advice needs a decision that gwlint cannot make"
UNSAFE = "its fix is unsafe: --unsafe adds it"
OUTSIDE = "its fix changes {path}, which lies outside of the working directory and was not named"
SKIPPED = "its fix changes {path}, which is skipped"
WITHOUT_EFFECT = "its fix changes nothing"
UNDONE = "its fix and another one undo each other"
EXHAUSTED = "gwlint stopped trying after too many rounds"

Find = Callable[[Project], Sequence[Finding]]
"""What looks for findings: the engine with its rules, and whatever hides some of them."""

Choose = Callable[[Project, Sequence[Finding]], Sequence[Finding]]
"""Which of the findings in a project are to be fixed; the others count as accepted."""


def every(project: Project, findings: Sequence[Finding]) -> Sequence[Finding]:  # noqa: ARG001
    """The `Choose` that leaves nothing out."""
    return findings


@dataclass(frozen=True)
class FixResult:
    """`patch` is one unified patch for all files. `originals` and `changed` are the bytes before
    and after, by path as shown, and `regions` the lines that differ; `absolute` says where each
    lies. `unfixed` are the findings that are left, each with the reason. `notes` are sentences,
    such as which server was not asked.
    """

    patch: bytes
    originals: dict[str, bytes]
    changed: dict[str, bytes]
    regions: dict[str, list[Region]]
    absolute: dict[str, str]
    fixed: list[Finding]
    unfixed: list[tuple[Finding, str]]
    notes: list[str]


def fix(
    paths: Sequence[str],
    settings: Settings,
    find: Find,
    *,
    unsafe: bool = False,
    reader: Reader | None = None,
    choose: Choose = every,
) -> FixResult:
    """Correct what `find` finds in the files under `paths`. Nothing is written.

    `reader` says where contents come from, the disk if None. Findings that `choose` leaves out are
    neither fixed nor reported. Raises what `load_project` and `find` raise: NoInput, RuleError.
    """
    base = _Snapshot(Disk() if reader is None else reader)

    def load(contents: Mapping[str, bytes]) -> Project:
        return load_project(paths, settings, Overlay(contents, base) if contents else base)

    project = load({})
    original = _State({}, project, list(find(project)), settings)
    judges = Judges(project, settings)
    work = _Work(load, find, choose, original, unsafe, None)
    work.run()
    if work.state.revisions and judges.objections(work.state.project, work.state.changed):
        work = _Work(load, find, choose, original, unsafe, judges)
        work.run()
    return _result(work, judges)


class _Snapshot:
    """A reader for which every file stays as it was read first, so that all rounds are about the
    same files. Whether one has changed meanwhile is looked at when it is written."""

    def __init__(self, base: Reader) -> None:
        self._base = base
        self._read: dict[str, bytes] = {}

    def read(self, absolute: str) -> bytes:
        if absolute not in self._read:
            self._read[absolute] = self._base.read(absolute)
        return self._read[absolute]

    def is_file(self, absolute: str) -> bool:
        return absolute in self._read or self._base.is_file(absolute)


@dataclass(frozen=True)
class _State:
    """The project after some rounds. `revisions` holds the files that changed."""

    revisions: Mapping[str, Revision]
    project: Project
    findings: list[Finding]
    settings: Settings

    @cached_property
    def sharing(self) -> Sharing:
        """Which fixes suit every place of the files that they change."""
        return Sharing(self.project, self.findings, self.settings)

    @cached_property
    def files(self) -> dict[str, ConfigFile]:
        """The files by path as shown."""
        return {file.path: file for file in self.project.files}

    @property
    def changed(self) -> set[str]:
        return {path for path, one in self.revisions.items() if one.data != one.original}

    @property
    def signature(self) -> tuple[tuple[str, bytes], ...]:
        """What tells this state from others: the changed bytes."""
        return tuple(sorted((path, self.revisions[path].data) for path in self.changed))


@dataclass(frozen=True)
class _Trial:
    """`after` is the state that fixing `chosen` leads to; `fixed` also has what came with them.
    `suspects` are those of `chosen` that the objection is about, as far as it tells; `is_proven`
    when each of them is known to have failed."""

    after: _State
    chosen: Sequence[Finding]
    fixed: list[Finding]
    objection: str | None
    suspects: Sequence[Finding] = ()
    is_proven: bool = False


@dataclass
class _Work:
    """The rounds from one original; with `judges`, the servers are asked in every round."""

    load: Callable[[Mapping[str, bytes]], Project]
    find: Find
    choose: Choose
    state: _State
    unsafe: bool
    judges: Judges | None
    fixed: list[Finding] = field(default_factory=list)
    refused: dict[tuple[str, ...], str] = field(default_factory=dict)
    trials: int = 0

    def __post_init__(self) -> None:
        self.seen = {self.state.signature}

    def run(self) -> None:
        """Rounds until none changes anything. What was refused is tried once more whenever the
        rest has become stable, since it may fit now: so a second run has nothing to do."""
        progress = False
        for _ in range(MAX_ROUNDS):
            if self.round():
                progress = True
            elif progress and self.refused:
                progress = False
                self.refused.clear()
            else:
                return

    def round(self) -> bool:
        """One round; False when nothing could be changed."""
        while chosen := self.without_conflicts(self.candidates()):
            trial = self.largest_sound(chosen)
            if trial is not None:
                self.state = trial.after
                self.seen.add(self.state.signature)
                self.fixed += trial.fixed
                return True
            # All of them are refused now, which may let in what conflicted with them.
        return False

    def candidates(self) -> list[Finding]:
        """Findings whose fix may be made and was not refused."""
        return [
            finding
            for finding in self.choose(self.state.project, self.state.findings)
            if finding.identity not in self.refused and self.obstacle(finding, self.state) is None
        ]

    def obstacle(self, finding: Finding, state: _State) -> str | None:
        """Why the fix of a finding in `state` must not be tried."""
        if finding.fix is None:
            return NO_FIX
        if finding.fix.safety is Safety.UNSAFE and not self.unsafe:
            return UNSAFE
        files = state.files
        for edit in finding.fix.edits:
            file = files.get(edit.path)
            if file is None or not _may_change(file):
                return OUTSIDE.format(path=edit.path)
            if file.status not in (Status.OK, Status.SYNTAX_ERROR):
                return SKIPPED.format(path=edit.path)
        return state.sharing.obstacle(finding)

    def without_conflicts(self, findings: Sequence[Finding]) -> list[Finding]:
        """The findings whose fixes can be made at once."""
        fixes = [finding.fix for finding in findings if finding.fix is not None]
        taken = {id(fix) for fix in compatible(fixes)}
        return [finding for finding in findings if id(finding.fix) in taken]

    def largest_sound(self, chosen: Sequence[Finding]) -> _Trial | None:
        """The trial with all of `chosen` fixed, or with as many as dividing finds; None for none.

        A single fix that fails is remembered in `refused`, and so are several that all fail.
        """
        if self.trials >= MAX_TRIALS:
            self.refused.update((finding.identity, EXHAUSTED) for finding in chosen)
            return None
        self.trials += 1
        trial = self.attempt(chosen)
        if trial.objection is None:
            return trial
        if len(chosen) == 1 or (trial.is_proven and len(trial.suspects) == len(chosen)):
            self.refused.update((finding.identity, trial.objection) for finding in chosen)
            return None
        first, second = map(self.largest_sound, _divided(chosen, trial.suspects))
        if first is None or second is None:
            return first or second
        together = [*first.chosen, *second.chosen]
        if len(together) < len(chosen):
            trial = self.attempt(together)
        # If each part is sound and both together are not, the second waits for the next round.
        return first if trial.objection is not None else trial

    def attempt(self, chosen: Sequence[Finding]) -> _Trial:
        """What becomes of these fixes.

        Where they make new findings that can be fixed as well, those fixes are made with them.
        """
        fixed = list(chosen)
        after = self.applied(self.state, chosen)
        for _ in range(MAX_FOLLOW_UPS):
            if isinstance(after, str):
                return _Trial(self.state, chosen, fixed, after)
            remaining = still_found(self.state.findings, after.findings, chosen)
            if remaining:
                objection = f"{remaining[0].code} would still be found"
                return _Trial(after, chosen, fixed, objection, remaining, is_proven=True)
            new = new_findings(self.state.findings, after.findings, chosen)
            if not new:
                return _Trial(after, chosen, fixed, self.objection_of_servers(after))
            stuck = [one for one in new if self.obstacle(one, after) is not None]
            if stuck:
                suspects = _changing(chosen, {one.path for one in stuck})
                return _Trial(after, chosen, fixed, _would_be_new(stuck[0]), suspects)
            followers = self.without_conflicts(new)
            fixed += followers
            after = self.applied(after, followers)
        return _Trial(self.state, chosen, fixed, f"{_would_be_new(new[0])}, again and again")

    def applied(self, state: _State, findings: Sequence[Finding]) -> _State | str:
        """The state with these findings' fixes made, or what speaks against it."""
        fixes = [finding.fix for finding in findings if finding.fix is not None]
        files = state.files
        revisions = dict(state.revisions)
        for path in sorted({edit.path for fix in fixes for edit in fix.edits}):
            source = files[path].source
            assert source is not None
            revision = revisions.get(path) or Revision(source.data)
            revisions[path] = revision.changed(changes_for(path, fixes))
        contents = {files[path].absolute: one.data for path, one in revisions.items()}
        project = self.load(contents)
        after = _State(revisions, project, [], state.settings)
        if after.signature == state.signature:
            return WITHOUT_EFFECT
        if after.signature in self.seen:
            return UNDONE
        objection = syntax_objection(self.state.project, project)
        if objection is not None:
            return objection
        after.findings.extend(self.find(project))
        return after

    def objection_of_servers(self, after: _State) -> str | None:
        if self.judges is None:
            return None
        return "; ".join(self.judges.objections(after.project, after.changed)) or None


def _changing(findings: Sequence[Finding], paths: set[str]) -> list[Finding]:
    """The findings whose fixes change one of the files."""
    return [
        finding
        for finding in findings
        if finding.fix is not None and any(edit.path in paths for edit in finding.fix.edits)
    ]


def _divided(
    chosen: Sequence[Finding], suspects: Sequence[Finding]
) -> tuple[list[Finding], list[Finding]]:
    """Two parts: those beyond suspicion and the suspects; if all are alike, split between rules
    while there are several, since mostly one rule is to blame."""
    suspected = {id(finding) for finding in suspects}
    others = [finding for finding in chosen if id(finding) not in suspected]
    if others and suspects:
        return others, list(suspects)
    codes = sorted({finding.code for finding in chosen})
    if len(codes) == 1:
        middle = len(chosen) // 2
        return list(chosen[:middle]), list(chosen[middle:])
    early = codes[: len(codes) // 2]
    return (
        [finding for finding in chosen if finding.code in early],
        [finding for finding in chosen if finding.code not in early],
    )


def _would_be_new(finding: Finding) -> str:
    line = finding.span.begin_position.line
    return f"{finding.code} would be new at {finding.path}:{line}: {finding.message}"


def _may_change(file: ConfigFile) -> bool:
    """Whether a file was named, or lies in the working directory, at the end of links too."""
    return file.named or is_inside(os.path.realpath(file.absolute), str(Path.cwd()))


def _patched_path(file: ConfigFile) -> str:
    """How the patch names a file: at the end of links, since neither `git apply` nor `patch`
    follows them. A path outside of the working directory is absolute, and such a patch is applied
    in `/`."""
    return shown_path(os.path.realpath(file.absolute)).lstrip("/")


def _result(work: _Work, judges: Judges) -> FixResult:
    state = work.state
    changed = sorted(state.changed)
    patch = b"".join(
        state.revisions[path].patch(_patched_path(state.files[path])) for path in changed
    )
    unfixed = [
        (
            finding,
            work.obstacle(finding, state) or work.refused.get(finding.identity, EXHAUSTED),
        )
        for finding in work.choose(state.project, state.findings)
    ]
    return FixResult(
        patch=patch,
        originals={path: state.revisions[path].original for path in changed},
        changed={path: state.revisions[path].data for path in changed},
        regions={path: state.revisions[path].regions for path in changed},
        absolute={file.path: file.absolute for file in state.project.files},
        fixed=work.fixed,
        unfixed=unfixed,
        notes=judges.notes,
    )
