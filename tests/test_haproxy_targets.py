"""What changes from one HAProxy version to the next, and what gwlint says below and above."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from haproxy_fault_rows import SOUND, changed

from gwlint.engine import check
from gwlint.project import load_project
from gwlint.registry import all_rules, find
from gwlint.rule import Finding
from gwlint.settings import Settings
from gwlint.syntax.version import Version

VERSIONS = ("2.4", "2.6", "2.8", "3.0", "3.1", "3.2", "3.3", "3.4", "3.5")

E, W, I = "error", "warning", "info"  # noqa: E741
TLS = "10.0.0.5:8443 ssl verify required ca-file /etc/ca.pem"
NAMED = "app.internal:8443 ssl verify required ca-file /etc/ca.pem"

CHANGES = [
    # what, changes of the sound file, code, severity without a target,
    # (version, severity from there on; None for no finding)
    ("nbproc", "g nbproc 2", "HAP005", W, [("2.4", None), ("2.6", E)]),
    ("forceclose", "d option forceclose", "HAP005", E, [("2.4", E)]),
    ("http-use-htx", "d option http-use-htx", "HAP005", W, [("2.4", None), ("2.6", E)]),
    ("bind-process", "f bind-process 1", "HAP005", W, [("2.4", None), ("2.6", W), ("2.8", E)]),
    (
        "headers behind httpchk",
        r"option httpchk => option httpchk GET /h HTTP/1.1\r\nHost:\ a",
        "HAP005",
        W,
        [("2.4", W), ("2.8", E)],
    ),
    ("forwarded", "d option forwarded", "HAP002", None, [("2.4", E), ("2.8", None)]),
    (
        "curves of a server",
        f"127.0.0.1:3001 => {TLS} curves X25519",
        "HAP002",
        None,
        [("2.4", E), ("3.0", None)],
    ),
    ("crt-store", "a crt-store\n    load crt x.pem", "HAP002", None, [("2.4", E), ("3.0", None)]),
    (
        "log-profile",
        "a log-profile p\n    on any format x",
        "HAP002",
        None,
        [("2.4", E), ("3.1", None)],
    ),
    (
        "init-state",
        "check maxconn => check init-state up maxconn",
        "HAP002",
        None,
        [("2.4", E), ("3.1", None)],
    ),
    # Below 3.1 HAProxy says nothing of it, which is as wrong.
    ("time without unit", "timeout server 30s => timeout server 30", "HAP302", E, [("2.4", E)]),
    ("acme", "a acme le\n    directory x", "HAP002", None, [("2.4", E), ("3.2", None)]),
    ("cpu-policy", "g cpu-policy none", "HAP002", None, [("2.4", E), ("3.2", None)]),
    (
        "idle-ping",
        "check maxconn => check idle-ping 5s maxconn",
        "HAP002",
        None,
        [("2.4", E), ("3.2", None)],
    ),
    (
        "empty argument",
        '127.0.0.1:3001 check => 127.0.0.1:3001 "" check',
        "HAP007",
        W,
        [("2.4", W), ("3.3", E)],
    ),
    (
        "one name twice",
        "frontend fe => frontend be",
        "HAP905",
        I,
        [("2.4", I), ("3.2", W), ("3.3", E)],
    ),
    (
        "program",
        "a program p\n    command /bin/true",
        "HAP005",
        W,
        [("2.4", None), ("3.1", W), ("3.3", E)],
    ),
    (
        "mails",
        "b email-alert mailers m ;; a mailers m\n    mailer x 127.0.0.1:25",
        "HAP005",
        I,
        [("2.4", None), ("3.3", W)],
    ),
    # Without `balance` 3.3 chooses at random: nothing that is said here depends on it.
    ("default balance", "    balance roundrobin\n => ", "HAP005", None, [("2.4", None)]),
    ("name for TLS", f"127.0.0.1:3001 => {NAMED}", "HAP603", W, [("2.4", W), ("3.3", None)]),
    ("any name accepted", f"127.0.0.1:3001 => {TLS}", "HAP606", I, [("2.4", I), ("3.3", None)]),
    (
        "name for the check",
        f"127.0.0.1:3001 check => {NAMED} sni str(app.internal) check",
        "HAP508",
        W,
        [("2.4", W), ("3.3", None)],
    ),
    (
        "healthcheck",
        "a healthcheck h\n    type httpchk",
        "HAP002",
        None,
        [("2.4", E), ("3.4", None)],
    ),
    (
        "dispatch",
        "a listen l\n    bind 127.0.0.1:18082\n    dispatch 127.0.0.1:3009",
        "HAP005",
        I,
        [("2.4", None), ("3.3", W), ("3.5", E)],
    ),
    (
        "transparent",
        "a listen l\n    bind 127.0.0.1:18082\n    option transparent",
        "HAP005",
        I,
        [("2.4", None), ("3.3", W), ("3.5", E)],
    ),
    ("master-worker", "g master-worker", "HAP005", I, [("2.4", None), ("3.3", W), ("3.5", E)]),
]


def findings(text: str, target: str | None, folder: Path, code: str | None = None) -> list[Finding]:
    """What all rules say of a file, or the one with this code."""
    folder.joinpath("haproxy.cfg").write_text(text, encoding="utf-8")
    before = Path.cwd()
    os.chdir(folder)
    try:
        settings = Settings(
            target_haproxy=None if target is None else Version.parse(target), profile="strict"
        )
        rules = all_rules() if code is None else [find(code)[0].load()]
        return check(load_project(["."], settings), settings, rules).findings
    finally:
        os.chdir(before)


def severity(text: str, code: str, target: str | None, folder: Path) -> str | None:
    """The highest at which a rule reports."""
    found = [one.severity for one in findings(text, target, folder, code)]
    return max(found).label if found else None


@pytest.mark.parametrize("target", [None, *VERSIONS])
def test_the_sound_file_is_sound_for_all_versions(target: str | None, tmp_path: Path) -> None:
    assert {one.severity.label for one in findings(SOUND, target, tmp_path)} <= {I}


@pytest.mark.parametrize(
    ("changes", "code", "unknown", "steps"),
    [change[1:] for change in CHANGES],
    ids=[change[0] for change in CHANGES],
)
def test_severity_follows_the_target(
    changes: str,
    code: str,
    unknown: str | None,
    steps: list[tuple[str, str | None]],
    tmp_path: Path,
) -> None:
    text = changed(tuple(changes.split(" ;; ")))
    assert severity(text, code, None, tmp_path) == unknown
    expected = dict(steps)
    wanted: str | None = None
    for version in VERSIONS:
        wanted = expected.get(version, wanted)
        assert severity(text, code, version, tmp_path) == wanted, version


def test_a_program_that_sends_mails_may_be_loaded(tmp_path: Path) -> None:
    mails = ("b email-alert mailers m", "a mailers m\n    mailer x 127.0.0.1:25")
    text = changed((*mails, "g lua-load /etc/haproxy/mailers.lua"))
    assert severity(text, "HAP005", "3.4", tmp_path) is None


@pytest.mark.parametrize(("target", "is_said"), [("3.0", True), ("3.1", False), (None, True)])
def test_who_is_not_warned_of_a_time_without_unit(
    target: str | None, is_said: bool, tmp_path: Path
) -> None:
    text = changed(("timeout server 30s => timeout server 30",))
    (found,) = findings(text, target, tmp_path, "HAP302")
    assert ("without a word" in found.message) == is_said


@pytest.mark.parametrize("target", ["3.4", "3.5"])
def test_master_worker_with_an_argument_stays(target: str, tmp_path: Path) -> None:
    text = changed(("g master-worker no-exit-on-failure",))
    assert severity(text, "HAP005", target, tmp_path) is None
