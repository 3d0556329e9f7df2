"""The formats by name. Each stands in a module of its own, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gwlint.engine import Report
    from gwlint.report.text import View


def _text(report: Report, view: View) -> str:
    from gwlint.report import text

    return text.render(report, view)


def _json(report: Report, view: View) -> str:  # noqa: ARG001 - a program is shown everything
    from gwlint.report import json

    return json.render(report)


FORMATS: dict[str, Callable[[Report, View], str]] = {"text": _text, "json": _json}
"""Name, as `--format` takes it -> what renders a report."""
