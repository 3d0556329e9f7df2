"""Writes pages/report.svg from what gwlint really prints: python docs/report_picture.py [FILE].

The picture is the coloured report of samples/chain, cut into lines as a terminal of 100 columns
cuts them. It is checked in; a test makes it again and compares.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
PICTURE = HERE / "pages" / "report.svg"
SAMPLE = HERE.parent / "samples" / "chain"

COLUMNS = 100
COLUMN_WIDTH, LINE_HEIGHT, MARGIN = 7.8, 18, 16
"""In pixels, for letters of 13 pixels."""

INK, PAPER = "#d4d4d4", "#1e1e1e"
COLOURS = {
    "31": "#f48771",
    "32": "#89d185",
    "33": "#e5c07b",
    "34": "#6a9fd8",
    "36": "#56b6c2",
}
_SEQUENCE = re.compile(r"\x1b\[([\d;]*)m")

Letter = tuple[str, str]
"""A character and the codes of its colour, as in "1;31"."""


def picture() -> str:
    """The report as an SVG image."""
    lines = list(_screen(f"$ gwlint check\n{_report()}"))
    width = COLUMNS * COLUMN_WIDTH + 2 * MARGIN
    height = len(lines) * LINE_HEIGHT + 2 * MARGIN
    shown = "\n".join(_line(line, number) for number, line in enumerate(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}"'
        f' width="{width:g}" height="{height}" font-size="13"'
        " font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\">\n"
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>\n'
        f"{shown}\n</svg>\n"
    )


def _report() -> str:
    outside = ("GITHUB_", "NO_COLOR", "CI_PROJECT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    done = subprocess.run(
        [Path(sys.executable).with_name("gwlint"), "check", "--no-cache"],
        cwd=SAMPLE,
        env={**kept, "FORCE_COLOR": "1"},
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    return done.stdout.decode()


def _screen(text: str) -> Iterator[list[Letter]]:
    """The lines of a terminal, each a list of letters."""
    for line in text.splitlines():
        letters: list[Letter] = []
        colour = ""
        for part, sequence in zip(*[iter([*_SEQUENCE.split(line), ""])] * 2, strict=True):
            letters += ((letter, colour) for letter in part)
            colour = "" if sequence == "0" else sequence
        yield letters[:COLUMNS]
        for start in range(COLUMNS, len(letters), COLUMNS):
            yield letters[start : start + COLUMNS]


def _line(letters: list[Letter], number: int) -> str:
    y = MARGIN + (number + 1) * LINE_HEIGHT - 5
    return f'<text y="{y}">{"".join(_spans(letters))}</text>'


def _spans(letters: list[Letter]) -> Iterator[str]:
    """One span for the letters of one colour; its place keeps the columns below each other."""
    start = 0
    while start < len(letters):
        colour = letters[start][1]
        end = start
        while end < len(letters) and letters[end][1] == colour:
            end += 1
        text = "".join(letter for letter, _ in letters[start:end])
        if text.strip():
            x = MARGIN + start * COLUMN_WIDTH
            length = len(text) * COLUMN_WIDTH
            yield (
                f'<tspan x="{x:g}" textLength="{length:g}" xml:space="preserve"{_look(colour)}>'
                f"{escape(text)}</tspan>"
            )
        start = end


def _look(colour: str) -> str:
    codes = colour.split(";")
    ink = next((COLOURS[code] for code in codes if code in COLOURS), INK)
    return f' fill="{ink}"' + (' font-weight="bold"' if "1" in codes else "")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    target.write_text(picture(), encoding="utf-8")
