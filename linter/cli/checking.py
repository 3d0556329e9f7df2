"""What `gwlint check` does, apart from its command line: find faults, print them, count them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gwlint.cli.baselines import EVERYTHING, Adoption, opened, written
from gwlint.cli.failure import FAILED, FINDINGS, NO_FINDINGS, Failure
from gwlint.cli.inputs import (
    Inputs,
    Judge,
    lists_info,
    read_settings,
    reader_for,
)
from gwlint.cli.outlets import annotate_on_github, outlets
from gwlint.cli.output import wants_colour, write_text

if TYPE_CHECKING:
    from gwlint.engine import Report
    from gwlint.project import Project, Reader
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


def run_check(inputs: Inputs, printing: Printing, adoption: Adoption = EVERYTHING) -> int:
    """Check and print; the exit code. Raises Failure and Defect."""
    from gwlint.report.formats import FORMATS
    from gwlint.report.masking import masked

    wanted = outlets(printing.formats, printing.output)
    settings = read_settings(inputs)
    judge = Judge(settings, says_unused=inputs.config is None and not printing.quiet)
    with opened(adoption, inputs, settings, judge) as known:
        reader = reader_for(inputs)
        report = judge.report(_project(inputs, settings, reader))
        sieve = known.sieve(report, reader)
    report = masked(written(sieve.applied(report), adoption, quiet=printing.quiet))
    for outlet in wanted:
        view = _view(settings, printing, outlet.path)
        write_text(FORMATS[outlet.format_name](report, view), outlet.path)
    annotate_on_github(report, _view(settings, printing, None), printing.formats)
    return _exit_code(report, settings, sieve.unread(judge.unread))


def _project(inputs: Inputs, settings: Settings, reader: Reader) -> Project:
    from gwlint.project import NoInput, load_project

    try:
        return load_project(inputs.names, settings, reader)
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
