"""`--baseline` and `--write-baseline`: from options to a report of what is new."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gwlint.cli.failure import Failure
from gwlint.cli.output import note, write

if TYPE_CHECKING:
    from gwlint.baseline import Baseline
    from gwlint.engine import Report


@dataclass(frozen=True, slots=True)
class BaselineOptions:
    """The baseline that is read, and the one that is written; None for an option not given."""

    read: Path | None = None
    write: Path | None = None


NO_BASELINES = BaselineOptions()


def opened(options: BaselineOptions) -> Baseline | None:
    """The baseline to read. Raises Failure for options that cannot be obeyed.

    A file that is no baseline is not overwritten: it may be the configuration itself.
    """
    if options.read is not None and options.write is not None:
        raise Failure(
            "--baseline and --write-baseline do not go together: the one leaves out what the other"
            " would write"
        )
    if options.write is not None and options.write.exists():
        if not options.write.is_file():
            raise Failure(f"{options.write}: cannot be written: not a regular file")
        try:
            _read(options.write)
        except Failure as failure:
            raise Failure(f"{failure}; it is left as it is") from failure
    return None if options.read is None else _read(options.read)


def _read(path: Path) -> Baseline:
    from gwlint.baseline import BaselineError, read_baseline

    try:
        return read_baseline(path)
    except BaselineError as error:
        raise Failure(str(error)) from error


def without_known(
    report: Report, baseline: Baseline | None, options: BaselineOptions, *, quiet: bool
) -> Report:
    """The report without what the baseline knows, after writing the one that is wished for."""
    if options.write is not None:
        from gwlint.baseline import render_baseline

        path = options.write
        write(render_baseline(report, path.parent).encode(), path)
        count = len(report.findings)
        if not quiet:
            note(f"gwlint: {path}: wrote {count} {'finding' if count == 1 else 'findings'}")
        return replace(report, findings=[], baselined=count)
    return report if baseline is None else baseline.applied(report)
