"""`gwlint check`: find faults, print them, and say with the exit code whether any counts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from gwlint.cli import options
from gwlint.cli.failure import FAILED, FINDINGS, NO_FINDINGS, Defect
from gwlint.cli.inputs import chosen_rules, load_rules, read_project, read_settings
from gwlint.cli.output import note, wants_colour, write_text

if TYPE_CHECKING:
    from gwlint.engine import Report
    from gwlint.report.text import View
    from gwlint.settings import Settings


def check(
    *,
    paths: options.Paths = None,
    format_name: Annotated[
        str, typer.Option("--format", metavar="NAME", help="text or json.")
    ] = "text",
    output: options.Output = None,
    select: options.Select = None,
    ignore: options.Ignore = None,
    profile: options.Profile = None,
    fail_on: options.FailOn = None,
    target: options.Targets = None,
    config: options.Config = None,
    dialect: options.Dialect = None,
    stdin_filename: options.StdinFilename = options.STDIN_FILENAME,
    no_color: options.NoColor = False,
    quiet: options.Quiet = False,
    jobs: options.Jobs = None,  # noqa: ARG001 - an upper bound, and one is never above it
) -> None:
    """Find faults. PATH is the current folder by default.

    Exit code: 0 nothing at or above --fail-on, 1 findings, 2 gwlint could not do its work.
    """
    from gwlint.report.formats import FORMATS

    if format_name not in FORMATS:
        known = ", ".join(FORMATS)
        raise typer.BadParameter(f"{format_name!r} is not one of {known}", param_hint="--format")
    paths = paths or ["."]
    settings = read_settings(
        paths,
        config=config,
        targets=target,
        select=select,
        ignore=ignore,
        profile=profile,
        fail_on=fail_on,
        dialect=dialect,
    )
    report = _report(paths, settings, stdin_filename)
    view = _view(settings, output, no_color=no_color, quiet=quiet)
    write_text(FORMATS[format_name](report, view), output)
    raise typer.Exit(_exit_code(report, settings))


def _report(paths: list[str], settings: Settings, stdin_filename: str) -> Report:
    rules = chosen_rules(settings)
    project = read_project(paths, settings, stdin_filename)
    from gwlint import engine

    try:
        return engine.check(project, settings, load_rules(rules, project))
    except engine.RuleFailed as failed:
        raise Defect(str(failed)) from failed


def _view(settings: Settings, output: Path | None, *, no_color: bool, quiet: bool) -> View:
    """Info findings are listed where they were asked for: strict, --fail-on info, --select."""
    from gwlint.report.style import Style
    from gwlint.report.text import View

    return View(
        style=Style(colour=wants_colour(forbidden=no_color, path=output)),
        brief=quiet,
        with_info=settings.profile == "strict"
        or settings.fail_on == "info"
        or bool(settings.select),
    )


def _exit_code(report: Report, settings: Settings) -> int:
    """A file that cannot be read is as bad as a path that does not exist: it was not judged."""
    from gwlint.project.files import Status
    from gwlint.rule import Severity

    unread = [file for file in report.project.files if file.status is Status.UNREADABLE]
    for file in unread:
        note(f"gwlint: {file.path}: cannot be read: {file.reason}")
    if unread:
        return FAILED
    if settings.fail_on == "never":
        return NO_FINDINGS
    least = Severity[settings.fail_on.upper()]
    return FINDINGS if any(one.severity >= least for one in report.findings) else NO_FINDINGS
