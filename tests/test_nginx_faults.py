"""Each fault that was measured on nginx is named where its configuration shows it, and only there.

All rules run, in the profile that shows information as well.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gwlint.engine import check
from gwlint.project import load_project
from gwlint.registry import all_rules, rule_files
from gwlint.rule import Finding
from gwlint.settings import load_settings

sys.path.insert(0, str(Path(__file__).parent / "data"))
sys.path.insert(0, str(Path(__file__).parent / "rules"))
from nginx_accepts import accepts
from nginx_faults import CASES, GONE, NEVER_CLAIMED, NEW, OLD, UNSEEN, Case, NeverClaimed

NUMBER_OF_ROWS = 79
RULES = all_rules()
CODES = {file.code for file in rule_files()}


def ids(case: Case | NeverClaimed) -> str:
    return f"{case.code}-{case.row[7:50]}" if isinstance(case, Case) else case.row[7:50]


def findings(text: str, facts: str = "", target: str | None = None) -> list[Finding]:
    """What all rules say of one file; the working directory is the project."""
    Path("nginx.conf").write_text(text)
    Path("gwlint.yaml").write_text(facts)
    targets = [f"nginx={target}"] if target else []
    settings = load_settings(targets=targets, profile="strict")
    return check(load_project(["nginx.conf"], settings), settings, RULES).findings


def codes(text: str, facts: str = "", target: str | None = None) -> set[str]:
    return {finding.code for finding in findings(text, facts, target)}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_row_is_here() -> None:
    rows = {case.row for case in (*CASES, *UNSEEN, *NEVER_CLAIMED)}
    assert len(rows) == NUMBER_OF_ROWS
    assert not {case.row for case in CASES} & {one.row for one in (*UNSEEN, *NEVER_CLAIMED)}


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_the_fault_is_named_and_its_correction_is_not(case: Case) -> None:
    if case.code not in CODES:
        pytest.skip(f"there is no rule {case.code}")
    assert case.code in codes(case.faulty, case.facts, case.target), case.faulty
    assert case.code not in codes(case.corrected, case.facts, case.target), case.corrected


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_it_is_named_for_both_servers_that_were_measured(case: Case) -> None:
    if case.code not in CODES:
        pytest.skip(f"there is no rule {case.code}")
    gone = case.code in GONE.get(case.row, ())
    for target in (OLD,) if gone else (OLD, NEW):
        if case.target is None:
            assert case.code in codes(case.faulty, case.facts, target), (target, case.faulty)
            assert case.code not in codes(case.corrected, case.facts, target), case.corrected


@pytest.mark.parametrize("case", [case for case in CASES if not case.elsewhere], ids=ids)
def test_the_real_server_takes_what_it_should(case: Case, project: Path) -> None:
    assert accepts(case.faulty, project) is not case.refused, case.faulty
    assert accepts(case.corrected, project), case.corrected


@pytest.mark.parametrize("case", NEVER_CLAIMED, ids=ids)
def test_what_did_not_come_true_is_never_claimed(case: NeverClaimed) -> None:
    assert not codes(case.text) & set(case.codes)


@pytest.mark.parametrize("row", GONE)
def test_what_newer_servers_do_not_show_is_not_claimed_for_them(row: str) -> None:
    # Variants of the row that have another rule show on newer servers as well.
    faulty = [case for case in CASES if case.row == row and case.code in GONE[row]]
    assert {case.code for case in faulty} == set(GONE[row])
    for case in faulty:
        assert not codes(case.faulty, case.facts, NEW) & set(GONE[row]), case.faulty
