"""`gwlint rules`: the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer

from gwlint.cli import options
from gwlint.cli.inputs import require_one_of
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

    require_one_of("--format", format_name, CATALOGUES)
    write_text(CATALOGUES[format_name](all_rules()), output)
