"""What `gwlint explain` says of each rule: nothing is left out, and what was measured is told."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from gwlint.registry import all_rules
from gwlint.report.explanation import explanation
from gwlint.report.printable import printable
from gwlint.rule import Rule

RULES = all_rules()
HEADINGS = ("Problem", "Why", "In the log", "Silent when", "Fix safety", "References")
OPTIONAL = {"Versions", "Learnt"}

REPRODUCED = """
NGX101 NGX105 NGX106 NGX107 NGX108 NGX109 NGX114 NGX115 NGX117 NGX118 NGX201 NGX202 NGX203
NGX204 NGX205 NGX206 NGX302 NGX303 NGX304 NGX401 NGX402 NGX403 NGX404 NGX405 NGX406 NGX407
NGX409 NGX410 NGX501 NGX502 NGX503 NGX504 NGX505 NGX506 NGX507 NGX510 NGX511 NGX512 NGX601
NGX603 NGX604 NGX605 NGX606 NGX607 NGX608 NGX609 NGX610 NGX701 NGX702 NGX704 NGX705 NGX807
NGX903 NGX904
HAP101 HAP105 HAP106 HAP107 HAP108 HAP109 HAP110 HAP201 HAP202 HAP301 HAP303 HAP304 HAP305
HAP306 HAP307 HAP308 HAP401 HAP402 HAP403 HAP501 HAP502 HAP503 HAP504 HAP506 HAP507 HAP508
HAP509 HAP511 HAP601 HAP603 HAP604 HAP606 HAP607 HAP609 HAP703 HAP901 HAP902
GTW201 GTW301 GTW302 GTW303 GTW304 GTW401 GTW601 GTW602 GTW603
"""
MEASURED = frozenset(REPRODUCED.split())
"""Rules whose fault was reproduced on real servers: their explanation has the outcome."""

NGINX_MANUAL = re.compile(r"https://(?:nginx\.org/|docs\.nginx\.com/)\S+")
HAPROXY_MANUAL = re.compile(r"HAProxy configuration manual, sections? \d")
ABOUT_GWLINT = {"GTW001", "GTW002"}
"""Rules about what gwlint itself does with a file, of which no server's manual speaks."""

ASKS_FOR_THE_VERSION = re.compile(r"\b(?:is_older_than|is_at_least)\(|\bconfig\.target\b")
NAMES_A_VERSION = re.compile(
    r"\b(?:from|below|since|until|needs)\s+(?:nginx|HAProxy)\s+"
    r"(?!1\.22\.1\b|1\.31\.3\b|2\.6\.12\b|2\.8\.25\b)\d+\.\d+"
)
"""The versions left out are those that were measured."""


def ids(rule: type[Rule]) -> str:
    return f"{rule.code}-{rule.name}"


def parts(rule: type[Rule]) -> dict[str, str]:
    """Heading -> what stands below it."""
    first, *others = re.split(r"^## ", rule.documentation(), flags=re.MULTILINE)
    assert first.strip() == rule.summary()
    headed = (other.partition("\n") for other in others)
    return {heading.strip(): text.strip() for heading, _, text in headed}


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_every_heading_has_something_below_it(rule: type[Rule]) -> None:
    found = parts(rule)
    assert [heading for heading in HEADINGS if not found.get(heading)] == []
    assert all(found.values())
    assert set(found) - set(HEADINGS) <= OPTIONAL


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.code in MEASURED], ids=ids)
def test_what_was_reproduced_is_told_with_its_outcome(rule: type[Rule]) -> None:
    found = parts(rule)
    assert re.search(r"\bmeasured\b", found["Problem"] + found["Why"], re.IGNORECASE)


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_the_manual_is_named(rule: type[Rule]) -> None:
    references = parts(rule)["References"]
    assert all(line.startswith(("- ", "  ")) for line in references.splitlines())
    if rule.dialect() == "nginx":
        assert NGINX_MANUAL.search(references)
    elif rule.dialect() == "haproxy":
        assert HAPROXY_MANUAL.search(references)
    elif rule.code not in ABOUT_GWLINT:
        assert NGINX_MANUAL.search(references) or HAPROXY_MANUAL.search(references)


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_versions_are_told_where_they_decide(rule: type[Rule]) -> None:
    file = inspect.getsourcefile(rule)
    assert file is not None
    code = Path(file).read_text(encoding="utf-8")
    if ASKS_FOR_THE_VERSION.search(code) or NAMES_A_VERSION.search(" ".join(code.split())):
        assert re.search(r"\d\.\d", parts(rule).get("Versions", ""))


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_both_examples_are_printed_among_the_headings(rule: type[Rule]) -> None:
    text = explanation(rule)
    assert text.startswith(f"# {rule.code} {rule.name}\n")
    places = [text.index(f"\n## {heading}\n") for heading in ("Silent when", "Example", "Instead")]
    assert places == sorted(places)
    assert places[-1] < text.index("\n## Fix safety\n") < text.index("\n## References\n")
    for example in (*rule.bad, *rule.good):
        for content in example.files.values():
            shown = map(printable, content.splitlines())
            assert all(f"    {line}" in text for line in shown if line.strip())
    assert re.fullmatch(r"[^\x00-\x09\x0b-\x1f]*", text)


CODE = re.compile(r"`([^`]+)`")
COMMAND = re.compile(r"(?:nginx|haproxy) -|[a-z]+(?:_[a-z]+)+ ")
"""How a command or a directive of several words begins, and no log line."""
LOG_LINE_OUTSIDE = re.compile(
    r"\[(?:emerg|alert|crit|error|warn|info|ALERT|WARNING)\]|<NOSRV>|\b[A-Za-z]{2}--|\.\.\."
)


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_log_lines_stand_in_code_with_a_blank_and_nothing_else_does(rule: type[Rule]) -> None:
    """By this the index of symptoms finds them."""
    section = parts(rule)["In the log"]
    assert section.count("`") % 2 == 0
    shown = [" ".join(code.split()) for code in CODE.findall(section)]
    lines = [code for code in shown if " " in code]
    assert [line for line in lines if COMMAND.match(line)] == []
    assert LOG_LINE_OUTSIDE.findall(CODE.sub("", section)) == []
    assert not re.search(r"^ {4}", section, re.MULTILINE)
    if rule.dialect() == "gateway" and lines:
        items = re.split(r"^(?=- )", section, flags=re.MULTILINE)
        said = [item for item in items if " " in "".join(CODE.findall(item))]
        assert all(item.startswith(("- nginx", "- HAProxy")) for item in said)
