"""The command line of `gwlint check`."""

from __future__ import annotations

from typing import Annotated

import typer

from gwlint.cli import options
from gwlint.cli.baselines import Adoption
from gwlint.cli.checking import Effort, Printing, run_check
from gwlint.cli.inputs import STDIN_FILENAME, Inputs


def check(
    *,
    paths: options.Paths = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="NAME[:FILE]",
            help="text (default), concise, json, sarif, github, gitlab, junit, checkstyle or"
            " rdjson; with FILE it is written there. May be given several times.",
        ),
    ] = None,
    output: options.Output = None,
    select: options.Select = None,
    ignore: options.Ignore = None,
    profile: options.Profile = None,
    fail_on: options.FailOn = None,
    target: options.Targets = None,
    config: options.Config = None,
    dialect: options.Dialect = None,
    stdin_filename: options.StdinFilename = STDIN_FILENAME,
    baseline: options.Baseline = None,
    write_baseline: options.WriteBaseline = None,
    diff_base: options.DiffBase = None,
    changed_only: options.ChangedOnly = False,
    no_color: options.NoColor = False,
    quiet: options.Quiet = False,
    jobs: options.Jobs = None,
    no_cache: options.NoCache = False,
) -> None:
    """Find faults. PATH is the current folder by default.

    Exit code: 0 nothing at or above --fail-on, 1 findings, 2 gwlint could not do its work.
    """
    inputs = Inputs(
        paths=tuple(paths or ["."]),
        stdin_filename=stdin_filename,
        config=config,
        targets=tuple(target or ()),
        select=tuple(select or ()),
        ignore=tuple(ignore or ()),
        profile=profile,
        fail_on=fail_on,
        dialect=dialect,
    )
    printing = Printing(tuple(formats or ()), output, no_color, quiet)
    adoption = Adoption(baseline, write_baseline, diff_base, changed_only=changed_only)
    effort = Effort(use_cache=not no_cache, jobs=jobs)
    raise typer.Exit(run_check(inputs, printing, adoption, effort))
