"""Every rule: its documentation is complete, and its examples are what it says they are."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from gwlint.registry import all_rules
from gwlint.rule import Rule, Severity

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed

RULES = all_rules()
HEADINGS = ("Problem", "Why", "In the log", "Silent when", "Fix safety", "References")
SLIPPED = re.compile(r"TODO|FIXME|XXX|/work/")


def ids(rule: type[Rule]) -> str:
    return f"{rule.code}-{rule.name}"


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_the_documentation_has_all_headings(rule: type[Rule]) -> None:
    text = rule.documentation()
    assert rule.summary().endswith(".")
    assert len(rule.summary()) <= 100
    missing = [heading for heading in HEADINGS if f"## {heading}\n" not in text]
    assert not missing
    assert not SLIPPED.search(text)


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_bad_examples_are_found_and_good_ones_are_not(rule: type[Rule]) -> None:
    assert rule.bad
    assert rule.good
    for example in rule.bad:
        found = findings(example.files, rule.code, example.target)
        assert found, example.files
        for one in found:
            assert one.severity <= rule.severity
            assert one.message
            assert one.advice
            assert not one.message.endswith(".")
            # What is underlined is a part of what is reported, and short.
            assert one.span.start <= one.span.end
            assert one.span.raw.count(b"\n") <= 3
    for example in rule.good:
        assert findings(example.files, rule.code, example.target) == [], example.files


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_the_rule_has_the_fix_that_it_declares(rule: type[Rule]) -> None:
    offered = {
        found.fix.safety
        for example in rule.bad
        for found in findings(example.files, rule.code, example.target)
        if found.fix is not None
    }
    if rule.fix is None:
        assert not offered
        return
    assert rule.fix in offered
    for example in rule.bad:
        if all(one.fix for one in findings(example.files, rule.code, example.target)):
            after = fixed(example.files, rule.code, example.target)
            assert findings(after, rule.code, example.target) == []


def test_codes_and_names_are_unique() -> None:
    codes = [rule.code for rule in RULES]
    assert len(codes) == len(set(codes))
    names = [(rule.dialect(), rule.name) for rule in RULES]
    assert len(names) == len(set(names))


def test_severities_are_reached() -> None:
    """A rule that declares a severity reports with it in one of its bad examples."""
    for rule in RULES:
        reached = {
            found.severity
            for example in rule.bad
            for found in findings(example.files, rule.code, example.target)
        }
        assert rule.severity in reached, rule.code
        assert reached <= set(Severity)
