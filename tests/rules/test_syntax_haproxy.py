"""HAP001 to HAP006: what HAProxy cannot read, with HAProxy itself as the judge."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from haproxy_judge import judges
from support import findings, fixed_text

from gwlint.engine import check
from gwlint.project import load_project
from gwlint.registry import find
from gwlint.rule import Severity
from gwlint.settings import Settings
from gwlint.syntax.version import Version

TIMEOUTS = "  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n"
HEAD = f"defaults\n  mode http\n{TIMEOUTS}"
FRONTEND = f"{HEAD}backend b\n  server x 127.0.0.1:1\nfrontend f\n  bind :18080\n"
BACKEND = f"{HEAD}backend b\n"
GLOBAL = f"{BACKEND}  server x 127.0.0.1:1\nglobal\n"

REFUSED = {
    GLOBAL: """timeout client 5s|daemon yes|nbthread|tune.bufsize|hard-stop-after x|log""",
    BACKEND: """timeout server 1.5s|timeout queue 30x|timeout foo 5s|timeout|mode https|mode
        |balance round-robin|http-reuse sometimes|retry-on 505|retry-on sometimes|hash-type odd
        |cookie|option httpclose yes|option|optoin httpclose|server s1|server s1 :1 chekc
        |server s1 :1 weight 300|server s1 :1 check inter|server s1 :1 check inter 5x
        |server s1 :1 check inter 0|server s1 :1 check rise 0|server s1 :1 observe layer5
        |server s1 :1 on-marked-down drop|server s1 :1 verify maybe|server s/1 :1
        |server-template s x :1|server-template s 3-1 :1|default-server inter 5x|acl x
        |acl or src ::1
        |acl x pth /a|acl x/y path /a|acl x path -m like /a|acl x path,lowr /a|filter compresion
        |http-request deny if nope|http-request set-header X a b|http-request set-header X
        |http-request set-path /%[sr]|http-request set-header X %[src|http-request dney
        |use-server s|use-server s if nope|force-persist|stick on|stick-table|id|fullconn|retries
        |http-request deny if { src ::1|tcp-request inspect-delay 5x|load-server-state-from-file x
        |no server s1 :1|source|errorfile 503|stats admin|bnid :1""",
    FRONTEND: """server s1 :1|default-server check|retry-on 503|bind|bind :18081 maxconn
        |bind :18081 accept-proxi|bind :18081 verify maybe|bind :18081 level root
        |default_backend|default_backend b if TRUE|use_backend b if nope|use_backend b when TRUE
        |use_backend b if {src ::1}|use_backend b if src ::1|monitor fail|maxconn|monitor-uri
        |capture cookie|http-request redirect scheme https if !nope|log-format a b""",
}
ACCEPTED = {
    GLOBAL: "maxconn 100|tune.bufsize 16k|hard-stop-after 30s|master-worker",
    BACKEND: """timeout server 1h30m|balance hdr(x)|balance url_param id|balance random(2)|balance
        |retry-on 503 conn-failure|option httplog clf|server s1 :1 check inter 500
        |server s1 :1 weight 256|server-template s 0-3 :1|default-server inter 5s
        |acl x path,lower /a
        |acl x path -m beg -i /a|http-request deny if { src ::1 } or !{ path /a }
        |http-request set-header X "a b" if TRUE|http-request set-path /%[src]|no option httpclose
        |no log|cookie X insert indirect|server s1 :1 weight
        |http-request set-var(txn.x) path,lower|tcp-request inspect-delay 5s|filter compression""",
    FRONTEND: """bind :18081 accept-proxy|use_backend b if TRUE METH_GET or { src ::1 }
        |use_backend b|default_backend b|monitor fail if TRUE|maxconn 100|bind :18082 thread 1
        |http-request redirect scheme https code 301 if !{ ssl_fc }|monitor-uri /x""",
}
RULES = ("HAP001", "HAP002", "HAP003", "HAP004")


def lines_of(cases: dict[str, str]) -> list[tuple[str, str]]:
    return [(head, one.strip()) for head, text in cases.items() for one in text.split("|")]


def errors(text: str) -> list[str]:
    return [
        found.code
        for code in RULES
        for found in findings(text, code)
        if found.severity is Severity.ERROR
    ]


@pytest.mark.parametrize(("head", "line"), lines_of(REFUSED))
def test_refused_lines_are_found_once(head: str, line: str) -> None:
    assert len(errors(f"{head}  {line}\n")) == 1


@pytest.mark.parametrize(("head", "line"), lines_of(ACCEPTED))
def test_accepted_lines_are_silent(head: str, line: str) -> None:
    assert errors(f"{head}  {line}\n") == []


def test_haproxy_judges_the_lines_in_the_same_way(tmp_path: Path) -> None:
    for judge in judges(tmp_path):
        for cases, is_refused in ((REFUSED, True), (ACCEPTED, False)):
            for head, line in lines_of(cases):
                code, reports = judge.check(f"{head}  {line}\n")
                assert (code == 1) == is_refused, (line, reports)


def test_a_misspelt_section_is_one_finding_and_repaired() -> None:
    text = f"{HEAD}frontned web\n\tbind :18080\n\tdefault_backend b\nbackend b\n\tserver x :1\n"
    assert errors(text) == ["HAP002"]
    assert fixed_text(text, "HAP002") == text.replace("frontned", "frontend")


def test_a_misspelt_first_section_is_not_reported_twice() -> None:
    assert errors("globl\n  maxconn 1000\n") == ["HAP002"]


def test_a_typo_is_repaired_only_when_the_rest_fits() -> None:
    good = f"{BACKEND}\tserver s1 :1 check inter 5s # old\n"
    assert fixed_text(good.replace("check", "chekc"), "HAP002") == good
    (found,) = findings(f"{BACKEND}  server s1 :1 intr\n", "HAP002")
    assert found.fix is None


def test_several_typos_in_crlf_lines_are_repaired(tmp_path: Path) -> None:
    good = f"{BACKEND}  option httpchk\n  server s1 :1 check\n".replace("\n", "\r\n")
    bad = good.replace("httpchk", "httpchck").replace(":1 check", ":1 chekc")
    assert fixed_text(bad, "HAP002") == good


def test_a_later_keyword_counts_for_the_target() -> None:
    text = "global\n  tune.stick-counters 4\n"
    assert len(findings(text, "HAP002", "2.6")) == 1
    assert findings(text, "HAP002", "2.8") == []
    assert findings(text, "HAP002") == []
    conditional = "global\n.if version_atleast(2.8)\n  tune.stick-counters 4\n.endif\n"
    assert findings(conditional, "HAP002", "2.6") == []


def test_the_section_behind_a_condition_is_uncertain() -> None:
    text = f"{HEAD}.if defined(A)\nbackend b\n.else\nfrontend f\n.endif\n  server x :1\n"
    assert errors(text) == []


def test_variables_are_not_judged() -> None:
    text = f'{BACKEND}  "$KEY" on\n  timeout server "$T"\n  server s1 :1 $A "$B" weight "$W"\n'
    assert [code for code in errors(text) if code == "HAP004"] == []


def test_ignored_keywords_are_warnings() -> None:
    (found,) = findings(f"{FRONTEND}  timeout server 5s\n", "HAP003")
    assert found.severity is Severity.WARNING


def test_rules_in_defaults_need_a_name() -> None:
    rule = "  http-request deny if { path /a }\n"
    assert len(findings(HEAD + rule, "HAP003")) == 1
    assert findings(HEAD.replace("defaults", "defaults d") + rule, "HAP003") == []


@pytest.mark.parametrize(
    ("header", "count"),
    [
        ("listen l :18081", 1),
        ("listen", 1),
        ("resolvers", 1),
        ("listen l from d", 0),
        ("backend b", 0),
        ("global", 0),
    ],
)
def test_section_headers(header: str, count: int, tmp_path: Path) -> None:
    text = f"{HEAD.replace('defaults', 'defaults d')}{header}\n"
    assert errors(text) == ["HAP004"] * count
    for judge in judges(tmp_path):
        reports = judge.check(text)[1]
        alerts = [level for levels in reports.values() for level, _ in levels if level == "ALERT"]
        assert bool(alerts) == bool(count)


def test_misread_numbers_are_warnings() -> None:
    for head, line in (
        (FRONTEND, "maxconn lots"),
        (BACKEND, "retries many"),
        (BACKEND, "server s1 :1 maxconn 10k"),
    ):
        (found,) = findings(f"{head}  {line}\n", "HAP004")
        assert found.severity is Severity.WARNING, line


@pytest.mark.parametrize(
    "text", [f"{BACKEND}  server s1 :1", f"{BACKEND}  server s1 :1\n\t", f"\ufeff{BACKEND}"]
)
def test_a_file_that_haproxy_takes_for_broken_is_repaired(text: str, tmp_path: Path) -> None:
    assert len(findings(text, "HAP006")) == 1
    after = fixed_text(text, "HAP006")
    for judge in judges(tmp_path):
        assert judge.check(text)[0] == 1
        assert judge.check(after)[0] != 1


def test_the_new_line_ends_like_the_others() -> None:
    text = f"{BACKEND}  server s1 :1".replace("\n", "\r\n")
    assert fixed_text(text, "HAP006") == f"{text}\r\n"


def test_a_thousand_sections_take_linear_time() -> None:
    section = "backend b{0}\n  acl a path /x\n  http-request deny if a\n  server s :1 check\n"
    text = HEAD + "".join(section.format(number) for number in range(2000))
    assert errors(text) == []


ONLY_AT_START = "there is no ring "
"""`haproxy -c` accepts a missing ring, and the start fails (measured on 2.6.12 and 2.8.25)."""


def test_no_error_on_what_haproxy_accepts() -> None:
    root = os.environ.get("GWLINT_CORPUS")
    if not root:
        pytest.skip("GWLINT_CORPUS does not name a corpus")
    settings = Settings(target_haproxy=Version.parse("2.6"))
    rules = [find(code)[0].load() for code in (*RULES, "HAP006", "HAP101", "HAP102")]
    with Path(root, "manifest.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    accepted = [
        row
        for row in rows
        if row["dialect"] == "haproxy" and row["haproxy_c_stubbed"] in ("ok", "ok-no-listener")
    ]
    assert len(accepted) > 100
    wrong = []
    for row in accepted:
        project = load_project([str(Path(root, row["local"]))], settings)
        wrong += [
            (row["local"], found.code, found.message)
            for found in check(project, settings, rules).findings
            if found.severity is Severity.ERROR and not found.message.startswith(ONLY_AT_START)
        ]
    assert wrong == []


def test_the_examples_of_errors_are_refused(tmp_path: Path) -> None:
    """What the rules call refused is refused by a real server."""
    binary = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail("haproxy is not installed")
        pytest.skip("haproxy is not installed")
    for code in (*RULES, "HAP006", "HAP101", "HAP102"):
        for example in find(code)[0].load().bad:
            found = findings(example.files, code, example.target)
            if example.target or all(one.severity is not Severity.ERROR for one in found):
                continue
            path = tmp_path / "example.cfg"
            path.write_text(example.files["haproxy.cfg"], encoding="utf-8", newline="")
            result = subprocess.run(
                [binary, "-c", "-f", str(path)], capture_output=True, timeout=20, check=False
            )
            assert result.returncode == 1, (code, path.read_text())
