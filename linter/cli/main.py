"""The entry point of `gwlint`, and how a run ends."""

from __future__ import annotations

import atexit
import gc
import os
import sys

from gwlint.cli.failure import FAILED, NO_FINDINGS, Defect, Failure
from gwlint.cli.output import note

ALLOCATIONS_BEFORE_COLLECTION = 100_000
"""Trees are large and live until the end; with Python's 700, looking for garbage among them takes
a third of the time (measured on 50,000 lines)."""

READS_ONCE = ("check",)
"""Commands whose trees all live until the end, so that looking for garbage finds none: without it
50,000 lines take a tenth less time and the same memory (measured)."""

INTERRUPTED = 130
"""The exit code of Ctrl-C, as shells give it."""


def main() -> None:
    """Run the command line and exit; no exception ever reaches the user as a traceback."""
    gc.set_threshold(ALLOCATIONS_BEFORE_COLLECTION)
    if sys.argv[1:2] and sys.argv[1] in READS_ONCE:
        gc.disable()
    # At the end Python would look through all trees for garbage: a sixth of the time of a run.
    atexit.register(gc.freeze)
    try:
        sys.exit(_run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Failure as failure:
        for line in str(failure).splitlines():
            note(f"gwlint: {line}")
    except Exception as error:
        _report_defect(error)
    sys.exit(FAILED)


def _run(arguments: list[str]) -> int:
    if _is_plain_check(arguments):
        from gwlint.cli.checking import Printing, run_check
        from gwlint.cli.inputs import Inputs

        return run_check(Inputs(paths=tuple(arguments[1:])), Printing())
    from gwlint.cli.app import app

    app()
    return NO_FINDINGS


def _is_plain_check(arguments: list[str]) -> bool:
    """Whether this is `gwlint check PATH...` without options, the run that people wait for.

    It needs no option parser, and loading Typer takes about as long as checking a small file.
    """
    return (
        len(arguments) > 1
        and arguments[0] == "check"
        and not any(argument.startswith("-") for argument in arguments)
    )


def _report_defect(error: Exception) -> None:
    what = str(error) if isinstance(error, Defect) else f"{type(error).__name__}: {error}"
    note(f"gwlint: internal error: {what}")
    note("gwlint: this is a defect in gwlint; please report it with the lines that cause it")
    if os.environ.get("GWLINT_DEBUG"):
        import traceback

        for line in "".join(traceback.format_exception(error)).splitlines():
            note(line)
    else:
        note("gwlint: GWLINT_DEBUG=1 shows where it happened")
