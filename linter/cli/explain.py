"""`gwlint explain`: the documentation of a rule."""

from __future__ import annotations

from typing import Annotated

import typer

from gwlint.cli.failure import Failure
from gwlint.cli.output import write_text


def explain(
    rule: Annotated[
        str, typer.Argument(metavar="RULE", help="A code or a name: NGX402, syntax-error.")
    ],
) -> None:
    """Print what a rule finds and why, with examples, the safety of its fix, and references."""
    from gwlint.registry import SelectorError, find
    from gwlint.report.explanation import explanation

    try:
        files = find(rule)
    except SelectorError as error:
        raise Failure(str(error)) from error
    write_text("\n".join(explanation(file.load()) for file in files), None)
