"""Colours for terminals: one style a part of the report, all of them off elsewhere."""

from __future__ import annotations

_SEQUENCES = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "code": "1",
    "place": "1",
    "gutter": "34",
    "related": "36",
    "advice": "32",
}


class Style:
    """Paints text when `colour` is on; `Style(colour=False)` leaves every text as it is."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def paint(self, part: str, text: str) -> str:
        """`text` in the colour of a severity's label or of another part of the report."""
        return f"\x1b[{_SEQUENCES[part]}m{text}\x1b[0m" if self._colour else text
