"""The formats by name. Each stands in a module of its own, imported when it is asked for.

What people read (text, concise, github, junit) leaves out info findings unless they were asked
for; programs are shown everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gwlint.engine import Report
    from gwlint.report.text import View


def _text(report: Report, view: View) -> str:
    from gwlint.report import text

    return text.render(report, view)


def _concise(report: Report, view: View) -> str:
    from gwlint.report import concise

    return concise.render(report, view)


def _json(report: Report, view: View) -> str:  # noqa: ARG001 - a program is shown everything
    from gwlint.report import json

    return json.render(report)


def _sarif(report: Report, view: View) -> str:  # noqa: ARG001 - as above
    from gwlint.report import sarif

    return sarif.render(report)


def _github(report: Report, view: View) -> str:
    from gwlint.report import github

    return github.render(report, view)


def _gitlab(report: Report, view: View) -> str:  # noqa: ARG001 - as above
    from gwlint.report import gitlab

    return gitlab.render(report)


def _junit(report: Report, view: View) -> str:
    from gwlint.report import junit

    return junit.render(report, view)


def _checkstyle(report: Report, view: View) -> str:  # noqa: ARG001 - as above
    from gwlint.report import checkstyle

    return checkstyle.render(report)


def _rdjson(report: Report, view: View) -> str:  # noqa: ARG001 - as above
    from gwlint.report import rdjson

    return rdjson.render(report)


FORMATS: dict[str, Callable[[Report, View], str]] = {
    "text": _text,
    "concise": _concise,
    "json": _json,
    "sarif": _sarif,
    "github": _github,
    "gitlab": _gitlab,
    "junit": _junit,
    "checkstyle": _checkstyle,
    "rdjson": _rdjson,
}
"""Name, as `--format` takes it -> what renders a report."""
