"""The command `gwlint`: its subcommands, and how a run ends.

The modules of the commands import what they need when they run: `gwlint check` of one small file
must start within 0.15 s.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated

import typer
from gwlint import __version__
from gwlint.cli import check, explain, fix, generate, rules
from gwlint.cli.failure import FAILED, Defect, Failure
from gwlint.cli.output import note

INTERRUPTED = 130

app = typer.Typer(
    name="gwlint",
    help="Finds what will cause 502, 503 and 504 in nginx and HAProxy configurations, and writes"
    " the patch.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # loading rich would take longer than most runs
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("check")(check.check)
app.command("fix")(fix.fix)
app.command("generate")(generate.generate)
app.command("explain")(explain.explain)
app.command("rules")(rules.rules)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gwlint {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line and exit; no exception ever reaches the user as a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Failure as failure:
        for line in str(failure).splitlines():
            note(f"gwlint: {line}")
    except Exception as error:
        _report_defect(error)
    sys.exit(FAILED)


def _report_defect(error: Exception) -> None:
    what = str(error) if isinstance(error, Defect) else f"{type(error).__name__}: {error}"
    note(f"gwlint: internal error: {what}")
    note("gwlint: this is a defect in gwlint; please report it with the lines that cause it")
    if os.environ.get("GWLINT_DEBUG"):
        for line in "".join(traceback.format_exception(error)).splitlines():
            note(line)
    else:
        note("gwlint: GWLINT_DEBUG=1 shows where it happened")
