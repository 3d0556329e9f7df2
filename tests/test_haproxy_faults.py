"""Each fault that was measured on HAProxy is named where its configuration shows it, only there.

All rules run, in the profile that shows information as well. Configurations are changes of the
sound file of `haproxy_fault_rows`.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pytest
from haproxy_fault_rows import SOUND, changed
from haproxy_judge import judges

from gwlint.engine import check
from gwlint.project import load_project
from gwlint.registry import all_rules, rule_files
from gwlint.rule import Finding, Severity
from gwlint.settings import load_settings

sys.path.insert(0, str(Path(__file__).parent / "data"))
from haproxy_faults import CASES, NEVER_CLAIMED, NEW, OLD, UNSEEN, Case, NeverClaimed

NUMBER_OF_ROWS = 59
RULES = all_rules()
CODES = {file.code for file in rule_files()}


def ids(case: Case | NeverClaimed) -> str:
    return f"{case.code}-{case.row[9:50]}" if isinstance(case, Case) else case.row[9:50]


@cache
def findings(changes: tuple[str, ...], facts: str = "", target: str | None = None) -> list[Finding]:
    """What all rules say of the changed file; the working directory is the project."""
    Path("haproxy.cfg").write_text(changed(changes), encoding="utf-8")
    Path("gwlint.yaml").write_text(facts, encoding="utf-8")
    targets = [f"haproxy={target}"] if target else []
    settings = load_settings(targets=targets, profile="strict")
    return check(load_project(["haproxy.cfg"], settings), settings, RULES).findings


def codes(changes: tuple[str, ...], facts: str = "", target: str | None = None) -> set[str]:
    return {finding.code for finding in findings(changes, facts, target)}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_row_is_here() -> None:
    rows = {case.row for case in (*CASES, *UNSEEN, *NEVER_CLAIMED)}
    assert len(rows) == NUMBER_OF_ROWS
    assert not {case.row for case in CASES} & {one.row for one in (*UNSEEN, *NEVER_CLAIMED)}
    assert not {one.row for one in UNSEEN} & {one.row for one in NEVER_CLAIMED}


@pytest.mark.parametrize("target", [None, OLD, NEW])
@pytest.mark.parametrize("case", CASES, ids=ids)
def test_the_fault_is_named_and_its_correction_is_not(case: Case, target: str | None) -> None:
    if case.code not in CODES:
        pytest.skip(f"there is no rule {case.code}")
    assert case.code in codes(case.faulty, case.facts, target), changed(case.faulty)
    assert case.code not in codes(case.corrected, case.facts, target), changed(case.corrected)


@pytest.mark.parametrize("case", [case for case in CASES if not case.elsewhere], ids=ids)
def test_the_real_server_takes_what_it_should(case: Case, project: Path) -> None:
    for judge in judges(project):
        refused, _ = judge.check(changed(case.faulty))
        assert bool(refused) is case.refused, (judge.binary, changed(case.faulty))
        if case.corrected:
            refused, _ = judge.check(changed(case.corrected))
            assert not refused, (judge.binary, changed(case.corrected))


def test_the_real_server_takes_the_sound_file(project: Path) -> None:
    for judge in judges(project):
        assert judge.check(SOUND)[0] == 0, judge.binary


@pytest.mark.parametrize("target", [None, OLD, NEW])
@pytest.mark.parametrize("case", NEVER_CLAIMED, ids=ids)
def test_what_did_not_come_true_is_never_claimed(case: NeverClaimed, target: str | None) -> None:
    """What is said of the suspect is said of the sound form as well, and not of the client."""
    assert changed(case.suspect) != changed(case.sound)
    suspected = findings(case.suspect, case.facts, target)
    assert [one.code for one in suspected] == [
        one.code for one in findings(case.sound, case.facts, target)
    ]
    assert not [one for one in suspected if "timeout client" in one.message + (one.advice or "")]


def test_the_sound_file_has_nothing_to_warn_of() -> None:
    assert [one for one in findings(()) if one.severity > Severity.INFO] == []
    assert changed(()) == SOUND
