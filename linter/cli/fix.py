"""`gwlint fix`: a verified patch, printed or applied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gwlint.cli import options
from gwlint.cli.baselines import EVERYTHING, Adoption, opened
from gwlint.cli.failure import FAILED, FINDINGS, NO_FINDINGS, Failure
from gwlint.cli.inputs import (
    STDIN,
    STDIN_FILENAME,
    Inputs,
    Judge,
    lists_info,
    read_settings,
    reader_for,
    require_one_of,
)
from gwlint.cli.output import note, write, write_text

if TYPE_CHECKING:
    from gwlint.fixing import FixResult
    from gwlint.settings import Settings

PATCH = "patch"


def fix(
    *,
    paths: options.Paths = None,
    apply: Annotated[
        bool, typer.Option("--write", help="Change the files instead of printing the patch.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if there is anything to fix.")
    ] = False,
    unsafe: Annotated[
        bool,
        typer.Option("--unsafe", help="Make fixes too that change how working requests behave."),
    ] = False,
    format_name: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            help="patch, or suggestions for reviewers: rdjson (reviewdog), github-suggestions"
            " (the body of a pull request review).",
        ),
    ] = PATCH,
    output: options.Output = None,
    select: options.Select = None,
    ignore: options.Ignore = None,
    profile: options.Profile = None,
    target: options.Targets = None,
    config: options.Config = None,
    dialect: options.Dialect = None,
    stdin_filename: options.StdinFilename = STDIN_FILENAME,
    baseline: options.Baseline = None,
    diff_base: options.DiffBase = None,
    changed_only: options.ChangedOnly = False,
    quiet: options.Quiet = False,
    jobs: options.Jobs = None,  # noqa: ARG001 - an upper bound, and one is never above it
) -> None:
    """Print a patch for git apply or patch -p1. PATH is the current folder by default.

    What cannot be fixed is said on stderr. Exit code: 0, 1 with --check and a patch, 2 gwlint
    could not do its work.
    """
    inputs = Inputs(
        paths=tuple(paths or ["."]),
        stdin_filename=stdin_filename,
        config=config,
        targets=tuple(target or ()),
        select=tuple(select or ()),
        ignore=tuple(ignore or ()),
        profile=profile,
        dialect=dialect,
    )
    adoption = Adoption(baseline, None, diff_base, changed_only=changed_only)
    raise typer.Exit(
        _run(inputs, adoption, _Wishes(apply, check, unsafe, format_name, output, quiet))
    )


@dataclass(frozen=True, slots=True)
class _Wishes:
    apply: bool
    check: bool
    unsafe: bool
    format_name: str
    output: Path | None
    quiet: bool


def _run(inputs: Inputs, adoption: Adoption, wishes: _Wishes) -> int:
    if wishes.apply and (wishes.check or wishes.output or STDIN in inputs.paths):
        raise Failure("--write changes files: it goes with neither --check, -o nor standard input")
    from gwlint.report.suggestions import FORMATS

    require_one_of("--format", wishes.format_name, (PATCH, *FORMATS))
    settings = read_settings(inputs)
    judge = Judge(settings, says_unused=inputs.config is None and not wishes.quiet)
    result = _fixed(inputs, settings, judge, adoption, unsafe=wishes.unsafe)
    if wishes.apply:
        _write(result, quiet=wishes.quiet)
    elif wishes.format_name == PATCH:
        write(result.patch, wishes.output)
    else:
        write_text(FORMATS[wishes.format_name](result), wishes.output)
    if not wishes.quiet:
        _tell(result, settings)
    if any(judge.unread.values()):
        return FAILED
    return FINDINGS if wishes.check and result.patch else NO_FINDINGS


def _fixed(
    inputs: Inputs, settings: Settings, judge: Judge, adoption: Adoption, *, unsafe: bool
) -> FixResult:
    """What fixing comes to, of the findings that the options leave. Raises Failure and Defect."""
    from gwlint import fixing
    from gwlint.project import NoInput, load_project

    reader = reader_for(inputs)
    choose = fixing.every
    try:
        if adoption != EVERYTHING:
            with opened(adoption, inputs, settings, judge) as known:
                project = load_project(inputs.names, settings, reader)
                report = judge.report_in_silence(project)
                choose = known.sieve(report, reader).listed
        return fixing.fix(
            inputs.names, settings, judge.find, unsafe=unsafe, reader=reader, choose=choose
        )
    except NoInput as error:
        raise Failure(str(error)) from error


def _write(result: FixResult, *, quiet: bool) -> None:
    """Replace the changed files. Raises Failure when some could not be."""
    from gwlint.writing import Replacement, write_all

    report = write_all(
        [
            Replacement(path, result.absolute[path], result.originals[path], data)
            for path, data in result.changed.items()
        ]
    )
    if not quiet:
        for path in report.written:
            note(f"gwlint: {path}: fixed")
    if report.failed:
        raise Failure("\n".join(f"{path}: not written: {why}" for path, why in report.failed))


def _tell(result: FixResult, settings: Settings) -> None:
    """Say what was left and why; places count in the files as the patch makes them."""
    from gwlint.report.masking import masked_text
    from gwlint.rule import Severity
    from gwlint.source import Source

    sources = [Source(path, data) for path, data in result.originals.items()]
    for line in result.notes:
        note(f"gwlint: {masked_text(line, sources)}")
    for finding, reason in result.unfixed:
        if finding.severity > Severity.INFO or lists_info(settings):
            place = finding.span.begin_position
            shown = masked_text(reason, [*sources, finding.span.source])
            where = f"{finding.path}:{place.line}:{place.column}"
            note(f"{where}: {finding.code} {finding.rule.name}: not fixed: {shown}")
