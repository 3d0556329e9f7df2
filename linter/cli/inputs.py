"""From options to what a command works on: settings, the project, the rules that run."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gwlint.cli.failure import Defect, Failure
from gwlint.cli.output import note
from gwlint.syntax.nearest import nearest

if TYPE_CHECKING:
    from gwlint.engine import Report
    from gwlint.project import Project
    from gwlint.project.boundary import Boundary
    from gwlint.project.reading import Reader
    from gwlint.registry import RuleFile
    from gwlint.rule import Finding
    from gwlint.settings import Settings, SettingsProblem

STDIN = "-"
_NAME_IT = "if that is meant, name the file with --config"
STDIN_FILENAME = "<stdin>"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a command reads, and the options that decide how it is read and judged.

    None and () mean that an option was not given, so gwlint.yaml or the default counts.
    """

    paths: tuple[str, ...]
    stdin_filename: str = STDIN_FILENAME
    config: str | None = None
    targets: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    profile: str | None = None
    fail_on: str | None = None
    dialect: str | None = None

    @property
    def names(self) -> list[str]:
        """The paths, with the name of standard input in place of `-`."""
        return [self.stdin_filename if path == STDIN else path for path in self.paths]


def require_one_of(option: str, value: str, allowed: Collection[str]) -> None:
    """Raise Failure when an option has a value that does not exist."""
    if value not in allowed:
        near = nearest(value, allowed)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise Failure(f"{option}: {value!r} is not one of {', '.join(allowed)}{hint}")


def read_settings(inputs: Inputs) -> Settings:
    """The options over gwlint.yaml. Raises Failure with everything that is wrong with them.

    It is said before anything else is read. gwlint.yaml is that of all paths, which must agree.
    """
    from gwlint.settings import SettingsError, find_settings_file, load_settings

    if "" in inputs.paths:
        raise Failure("a PATH is empty, as an unset shell variable leaves it")
    try:
        if inputs.config is None and len(inputs.paths) > 1:
            _require_one_file({find_settings_file(path): path for path in reversed(inputs.names)})
        if inputs.config is None:
            _require_inside(inputs, find_settings_file(inputs.names[0]))
        return load_settings(
            inputs.names[0],
            config=inputs.config,
            targets=inputs.targets,
            select=inputs.select,
            ignore=inputs.ignore,
            profile=inputs.profile,
            fail_on=inputs.fail_on,
            dialect=inputs.dialect,
            checks=(_check_facts, _check_rules, partial(_check_path_map, inputs)),
        )
    except SettingsError as error:
        raise Failure(str(error)) from error


def _require_one_file(first_paths: Mapping[str | None, str]) -> None:
    """Raise Failure when paths have different files of settings: one run has one gwlint.yaml."""
    if len(first_paths) > 1:
        each = "".join(
            f"\n  {file or 'no gwlint.yaml'} is that of {path}"
            for file, path in sorted(first_paths.items(), key=lambda pair: pair[1])
        )
        raise Failure(
            f"these paths have different gwlint.yaml; check them one by one, or say with --config"
            f" which one counts:{each}"
        )


def _require_inside(inputs: Inputs, file: str | None) -> None:
    """Raise Failure when a found gwlint.yaml is a link to a file that is none of the project's:
    what is wrong with it would be quoted."""
    if file is not None and os.path.islink(file):  # noqa: PTH114 - surrogates, no Path needed
        elsewhere = boundary_of(inputs).leads_out(os.path.abspath(file))  # noqa: PTH100
        if elsewhere is not None:
            raise Failure(f"{file}: leads out of the project, to {elsewhere}; {_NAME_IT}")


def _check_path_map(inputs: Inputs, settings: Settings) -> None:
    """Raise SettingsError where a gwlint.yaml that nobody named leads out of its project."""
    if not settings.path_map:
        return
    from gwlint.project.boundary import folders_of_path_map
    from gwlint.settings import SettingsError

    boundary = boundary_of(inputs, folders_of_path_map(settings))
    problems = [
        settings.problem(
            ("path_map", prefix), f"leads out of the project, to {elsewhere}; {_NAME_IT}"
        )
        for prefix, local in settings.path_map.items()
        if (elsewhere := boundary.leads_out(local)) is not None
    ]
    if problems:
        raise SettingsError(problems)


def boundary_of(inputs: Inputs, asked: Iterable[str] = ()) -> Boundary:
    """What a run on these paths may read; `asked` are folders that the user allows besides."""
    from gwlint.project.boundary import Boundary
    from gwlint.project.folders import DiskFolders
    from gwlint.project.reading import absolute_path

    absolute = map(absolute_path, inputs.names)
    folders = [one if os.path.isdir(one) else os.path.dirname(one) for one in absolute]  # noqa: PTH112, PTH120
    return Boundary(folders, asked, DiskFolders())


def _check_facts(settings: Settings) -> None:
    if settings.services or settings.layers:
        from gwlint.model.facts import facts_of

        facts_of(settings)


def _check_rules(settings: Settings) -> None:
    from gwlint.registry import require_known_selectors, require_usable_options
    from gwlint.settings import SettingsError

    problems: list[SettingsProblem] = []
    for check in (require_known_selectors, require_usable_options):
        try:
            check(settings)
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)


def reader_for(inputs: Inputs) -> Reader:
    """Where contents come from: the disk, with standard input laid over it under its name."""
    from gwlint.project.reading import Disk, Overlay, absolute_path

    if STDIN not in inputs.paths:
        return Disk()
    if sys.stdin is None:
        raise Failure("standard input is closed")
    return Overlay({absolute_path(inputs.stdin_filename): sys.stdin.buffer.read()})


def chosen_rules(settings: Settings) -> list[RuleFile]:
    """The rules that the settings ask for."""
    from gwlint.registry import selected

    return selected(settings.profile, settings.select, settings.ignore)


class Judge:
    """Finds faults in a project, with the rules that the settings ask for."""

    def __init__(
        self, settings: Settings, *, says_unused: bool = False, jobs: int | None = 1
    ) -> None:
        """`says_unused`: whether to say on stderr which gwlint.yaml below do not count. `jobs` is
        how many processes may be used, None for as many as pay."""
        self._settings = settings
        self._jobs = jobs
        self._rules = chosen_rules(settings)
        self._says_unused = says_unused
        self.unread: dict[str, bool] = {}
        """Files that could not be read, and so not judged; whether the user named them."""
        self.notes: list[str] = []
        """What was said of them on stderr."""

    def report(self, project: Project) -> Report:
        """What a check of the project says, after naming the files that cannot be read. Raises
        Defect."""
        self._note_unreadable(project)
        self._note_left_out(project)
        if self._says_unused:
            self._note_unused_settings(file.absolute for file in project.files)
            self._says_unused = False
        return self.report_in_silence(project)

    def repeat_notes(self, notes: Iterable[str], places: Iterable[str]) -> None:
        """Say what `report` said of a project: its `notes`, and which gwlint.yaml do not count
        for files at these absolute paths."""
        for line in notes:
            note(line)
        if self._says_unused:
            self._note_unused_settings(places)

    def report_in_silence(self, project: Project) -> Report:
        """What a check of the project says, when the user does not ask about it. Raises Defect."""
        from gwlint.engine import RuleError, check
        from gwlint.jobs.processes import WorkerError
        from gwlint.registry import RuleFileError, relevant

        files = relevant(self._rules, project, self._settings)
        idle = {file.code for file in self._rules} - {file.code for file in files}
        try:
            rules = [file.load() for file in files]
            return check(project, self._settings, rules, idle, self._jobs)
        except (RuleError, RuleFileError, WorkerError) as error:
            raise Defect(str(error)) from error

    def find(self, project: Project) -> list[Finding]:
        """The findings that text lists: what is hidden is not fixed behind the user's back."""
        from gwlint.rule import Severity

        least = Severity.INFO if lists_info(self._settings) else Severity.WARNING
        return [one for one in self.report(project).findings if one.severity >= least]

    def _note_unused_settings(self, absolute: Iterable[str]) -> None:
        from gwlint.settings import unused_settings_files

        for path in unused_settings_files(self._settings, absolute):
            counts = f"that is {self._settings.file}" if self._settings.file else "and here is none"
            note(f"gwlint: {path} is not used: the gwlint.yaml of the PATH counts, {counts}")

    def _note_unreadable(self, project: Project) -> None:
        for file in project.files:
            if file.status == "unreadable" and file.path not in self.unread:
                self.unread[file.path] = file.named
                self.notes.append(f"gwlint: {file.path}: cannot be read: {file.reason}")
                note(self.notes[-1])

    def _note_left_out(self, project: Project) -> None:
        for path, elsewhere in project.left_out:
            line = f"gwlint: {path}: not read: it leads out of the project, to {elsewhere}"
            if line not in self.notes:
                self.notes.append(line)
                note(line)


def lists_info(settings: Settings) -> bool:
    """Whether text lists info findings: where asked for by strict, --fail-on info or --select."""
    asked = settings.profile == "strict" or settings.fail_on == "info"
    return asked or bool(settings.select)
