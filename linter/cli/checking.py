"""What `gwlint check` does, apart from its command line: find faults, print them, count them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gwlint.cache.outcome import Outcome
from gwlint.cli.baselines import EVERYTHING, Adoption, opened, written
from gwlint.cli.failure import FAILED, FINDINGS, NO_FINDINGS, Failure
from gwlint.cli.inputs import (
    STDIN,
    Inputs,
    Judge,
    boundary_of,
    lists_info,
    read_settings,
    reader_for,
)
from gwlint.cli.outlets import Beside, Outlet, beside, outlets, tell_github
from gwlint.cli.output import wants_colour, write_text

if TYPE_CHECKING:
    from gwlint.cache.memory import Memory
    from gwlint.engine import Report
    from gwlint.project import Project, Reader
    from gwlint.project.folders import Folders
    from gwlint.report.text import View
    from gwlint.settings import Settings


@dataclass(frozen=True, slots=True)
class Printing:
    """How the report is printed.

    `formats` are values of `--format`, NAME or NAME:FILE; `output` is where the one without a file
    goes, None for standard output.
    """

    formats: tuple[str, ...] = ()
    output: Path | None = None
    colour_forbidden: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done anew and at once: `use_cache` allows to print what an equal run printed,
    and `jobs` is how many processes may be used, None for as many as pay."""

    use_cache: bool = True
    jobs: int | None = None


def run_check(
    inputs: Inputs,
    printing: Printing,
    adoption: Adoption = EVERYTHING,
    effort: Effort = Effort(),
) -> int:
    """Check and print; the exit code. Raises Failure and Defect."""
    wanted = outlets(printing.formats, printing.output)
    settings = read_settings(inputs)
    judge = Judge(
        settings, says_unused=inputs.config is None and not printing.quiet, jobs=effort.jobs
    )
    is_kept = effort.use_cache and adoption == EVERYTHING and STDIN not in inputs.paths
    memory = _memory(inputs, settings, printing, wanted) if is_kept else None
    outcome = None if memory is None else memory.recall()
    if outcome is not None:
        judge.repeat_notes(outcome.notes, outcome.places)
        _print(outcome, wanted)
        return outcome.code
    outcome = _check(
        inputs, settings, printing, adoption, wanted=wanted, judge=judge, memory=memory
    )
    _print(outcome, wanted)
    if memory is not None and outcome.code != FAILED:
        memory.keep(outcome)
    return outcome.code


def _check(
    inputs: Inputs,
    settings: Settings,
    printing: Printing,
    adoption: Adoption,
    *,
    wanted: Sequence[Outlet],
    judge: Judge,
    memory: Memory | None,
) -> Outcome:
    """Read, find and render."""
    from gwlint.report.formats import FORMATS
    from gwlint.report.masking import masked

    with opened(adoption, inputs, settings, judge) as known:
        reader = reader_for(inputs) if memory is None else memory.observer
        folders = None if memory is None else memory.observer
        report = judge.report(_project(inputs, settings, reader, folders))
        sieve = known.sieve(report, reader)
    report = masked(written(sieve.applied(report), adoption, quiet=printing.quiet))
    texts = tuple(
        FORMATS[outlet.format_name](report, _view(settings, printing, outlet.path))
        for outlet in wanted
    )
    more = beside(report, _view(settings, printing, None), printing.formats)
    code = _exit_code(report, settings, sieve.unread(judge.unread))
    places = {os.path.split(file.absolute)[0]: file.absolute for file in report.project.files}
    return Outcome(code, texts, tuple(judge.notes), *more, tuple(places.values()))


def _print(outcome: Outcome, wanted: Sequence[Outlet]) -> None:
    for outlet, text in zip(wanted, outcome.texts, strict=True):
        write_text(text, outlet.path)
    tell_github(Beside(outcome.annotations, outcome.step_summary))


def _memory(
    inputs: Inputs, settings: Settings, printing: Printing, wanted: Sequence[Outlet]
) -> Memory | None:
    """The memory of a run with these options; the files that it writes do not matter."""
    from gwlint.cache.memory import memory_of
    from gwlint.project.boundary import folders_of_path_map
    from gwlint.report.places import checkout_folders

    looks = [
        (outlet.format_name, wants_colour(forbidden=printing.colour_forbidden, path=outlet.path))
        for outlet in wanted
    ]
    # Reports give paths within the checkout of a CI service, and tell GitHub more than others.
    is_github = os.environ.get("GITHUB_ACTIONS") == "true" and not printing.formats
    has_summary = bool(os.environ.get("GITHUB_STEP_SUMMARY"))
    roots = [
        (folder, os.path.realpath(folder)) for folder in (str(Path.cwd()), *checkout_folders())
    ]
    boundary = boundary_of(inputs, folders_of_path_map(settings))
    what = (inputs, settings, boundary, printing.quiet, looks, bool(printing.formats))
    return memory_of((what, is_github, has_summary, roots))


def _project(
    inputs: Inputs, settings: Settings, reader: Reader, folders: Folders | None
) -> Project:
    from gwlint.project import NoInput, load_project

    try:
        return load_project(inputs.names, settings, reader, folders)
    except NoInput as error:
        raise Failure(str(error)) from error


def _view(settings: Settings, printing: Printing, path: Path | None) -> View:
    from gwlint.report.style import Style
    from gwlint.report.text import View

    colour = wants_colour(forbidden=printing.colour_forbidden, path=path)
    return View(Style(colour=colour), brief=printing.quiet, with_info=lists_info(settings))


def _exit_code(report: Report, settings: Settings, unread: Mapping[str, bool]) -> int:
    """The exit code. `unread` are files that could not be read; True where the user named them.

    A named one is as bad as a path that does not exist. One that was found or included counts as
    an error of the configuration, like a file that does not parse.
    """
    from gwlint.rule import Severity

    if any(unread.values()):
        return FAILED
    if settings.fail_on == "never":
        return NO_FINDINGS
    least = Severity[settings.fail_on.upper()]
    fails = bool(unread) or any(finding.severity >= least for finding in report.findings)
    return FINDINGS if fails else NO_FINDINGS
