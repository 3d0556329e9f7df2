"""Faults of which HAProxy's own check was measured, row by row: what gwlint says of each.

The share that gwlint finds is counted over all rows, a dozen judgement calls left out.
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

JUDGEMENT = "judgement call"
LEFT_OUT = 12
"""How many rows may be left out as judgement calls."""
SHARE = 0.9
ROWS_OF_THE_TABLE = 189
"""All but the sound file itself, row 00."""

SHOWN = [row for row in ROWS if row.codes]


def findings(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    folder.joinpath("haproxy.cfg").write_text(text, encoding="utf-8", newline="")
    monkeypatch.chdir(folder)
    settings = Settings(profile="strict")
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


def test_enough_rows_are_covered() -> None:
    """What is no fault, or needs more than the configuration, counts as not found."""
    assert sum(row.reason.startswith(JUDGEMENT) for row in ROWS) >= LEFT_OUT
    assert len(SHOWN) / (ROWS_OF_THE_TABLE - LEFT_OUT) >= SHARE


def test_every_row_has_a_result_or_a_reason() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS) == ROWS_OF_THE_TABLE
    assert all(bool(row.codes) != bool(row.reason) for row in ROWS)
