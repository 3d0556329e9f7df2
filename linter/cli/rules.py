"""`gwlint rules`: the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer
from gwlint.cli import options
from gwlint.cli.output import write_text


def rules(
    *,
    format_name: Annotated[
        str, typer.Option("--format", metavar="NAME", help="text or json.")
    ] = "text",
    output: options.Output = None,
) -> None:
    """List all rules."""
    from gwlint.registry import all_rules
    from gwlint.report.catalogue import CATALOGUES

    if format_name not in CATALOGUES:
        known = ", ".join(CATALOGUES)
        raise typer.BadParameter(f"{format_name!r} is not one of {known}", param_hint="--format")
    write_text(CATALOGUES[format_name](all_rules()), output)
