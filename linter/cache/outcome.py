"""How a check ended, as it is printed and kept."""

from __future__ import annotations

from typing import NamedTuple


class Outcome(NamedTuple):
    """How a run ended and what it printed.

    `texts` are the reports, in the order of the outlets. `notes` were printed on stderr.
    `annotations` and `step_summary` are what GitHub Actions was told beside the reports. `places`
    are absolute paths: one file of each folder in which files were checked.
    """

    code: int
    texts: tuple[str, ...]
    notes: tuple[str, ...]
    annotations: str
    step_summary: str
    places: tuple[str, ...]
