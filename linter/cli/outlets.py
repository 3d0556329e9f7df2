"""Which reports `gwlint check` writes, and where: `--format NAME[:FILE]`, several times."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gwlint.cli.failure import Failure
from gwlint.cli.inputs import require_one_of
from gwlint.cli.output import note

if TYPE_CHECKING:
    from gwlint.engine import Report
    from gwlint.report.text import View


@dataclass(frozen=True, slots=True)
class Outlet:
    """One report: the name of its format, and its file or None for standard output."""

    format_name: str
    path: Path | None


def outlets(formats: Sequence[str], output: Path | None) -> list[Outlet]:
    """The reports that `--format` asks for, files first; text when it asks for none.

    `output` is where the report without a FILE goes. Raises Failure: a format that does not
    exist, two reports in one place, an output without a report.
    """
    from gwlint.report.formats import FORMATS

    found = []
    for word in formats or ("text",):
        name, colon, file = word.partition(":")
        require_one_of("--format", name, FORMATS)
        if colon and not file:
            raise Failure(f"--format: {word!r} names no file after the colon")
        found.append(Outlet(name, Path(file) if file else output))
    if output is not None and all(":" in word for word in formats or ("text",)):
        raise Failure("--output: each --format names a file of its own, so nothing is left for it")
    places = [one.path and os.path.realpath(one.path) for one in found]
    if places.count(None) > 1:
        raise Failure("--format: only one report can go to standard output; write NAME:FILE")
    if len(set(places)) < len(places):
        raise Failure("--format: two reports would be written to one file")
    return sorted(found, key=lambda one: one.path is None)


class Beside(NamedTuple):
    """What GitHub Actions is told beside the reports: lines for stderr, and a step summary."""

    annotations: str = ""
    step_summary: str = ""


def beside(report: Report, view: View, formats: Sequence[str]) -> Beside:
    """Without `--format`, annotations on stderr, where the runner reads them too and where they do
    not mix with the report. With `--format github`, or without any, the step summary."""
    on_its_own = not formats and os.environ.get("GITHUB_ACTIONS") == "true"
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if not on_its_own and not any(word.partition(":")[0] == "github" for word in formats):
        return Beside()
    from gwlint.report import github

    return Beside(
        github.render(report, view) if on_its_own else "",
        github.step_summary(report, view) if summary else "",
    )


def tell_github(texts: Beside) -> None:
    """Print the annotations, and add the summary to that of the step."""
    for line in texts.annotations.splitlines():
        note(line)
    if texts.step_summary:
        _append(texts.step_summary, os.environ["GITHUB_STEP_SUMMARY"])


def _append(text: str, path: str) -> None:
    """Add to the summary of a step. A failure is said, but the reports are what counts."""
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        note(f"gwlint: the step summary {path} cannot be written: {error.strerror or error}")
