"""Faults of which HAProxy's own check was measured, row by row: what gwlint says of each.

The share that gwlint finds is counted over the rows that a configuration can show and that are
not judgement calls.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from haproxy_fault_rows import ROWS, SOUND, Row, changed

from gwlint.engine import check
from gwlint.project import load_project
from gwlint.registry import all_rules
from gwlint.rule import Finding, Severity
from gwlint.settings import Settings

NOT_COVERED = "not covered"
SHARE = 0.79
"""What is reached; 0.9 is the aim."""
LEFT = (
    "09 40 49 57 58 59 81 83 87 90 91 92 99 A0 A1 A2 A3 A4 A6 B1 "
    "B4 C0 C2 C4 D9 F3 F4 F6 G3 G9 I1 I2 I3"
)

SHOWN = [row for row in ROWS if row.codes]
UNCOVERED = [row for row in ROWS if row.reason == NOT_COVERED]


def findings(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    folder.joinpath("haproxy.cfg").write_text(text, encoding="utf-8", newline="")
    monkeypatch.chdir(folder)
    settings = Settings()
    return check(load_project(["."], settings), settings, all_rules()).findings


def test_the_sound_file_has_nothing_to_warn_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = findings(SOUND, tmp_path, monkeypatch)
    assert [one.message for one in found if one.severity > Severity.INFO] == []


@pytest.mark.parametrize("row", SHOWN, ids=lambda row: row.id)
def test_the_fault_is_found(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = {one.code for one in findings(SOUND, tmp_path, monkeypatch)}
    found = {one.code for one in findings(changed(row.changes), tmp_path, monkeypatch)}
    assert set(row.codes) <= found - usual, row.fault


def test_what_is_not_covered_is_written_down() -> None:
    """Whoever covers a row gives it its code, and takes it from here."""
    assert " ".join(row.id for row in UNCOVERED) == LEFT
    assert all(changed(row.changes) != SOUND for row in UNCOVERED)
    assert len(SHOWN) / (len(SHOWN) + len(UNCOVERED)) >= SHARE


def test_every_row_has_a_result_or_a_reason() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS) == ROWS_OF_THE_TABLE
    assert all(bool(row.codes) != bool(row.reason) for row in ROWS)


ROWS_OF_THE_TABLE = 189
"""All but the sound file itself, row 00."""
