"""The Typer application: `gwlint` and its commands.

The modules of the commands import what they need when they run, so starting stays fast.
"""

from __future__ import annotations

from typing import Annotated

import typer

from gwlint import __version__
from gwlint.cli import check, completion, config, explain, fix, generate, rules

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
app.add_typer(config.config, name="config")
app.command("completion")(completion.completion)


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
