"""HAP005, HAP007, HAP008: lines that HAProxy refuses, cuts short or misreads."""

from __future__ import annotations

from pathlib import Path

import pytest
from haproxy_judge import judges
from support import findings, fixed_text

from gwlint.rule import Severity

HEAD = """\
defaults
\tmode http
\ttimeout connect 5s
\ttimeout client 5s
\ttimeout server 5s
"""
FRONTEND = f"{HEAD}frontend web\n\tbind 127.0.0.1:18080\n\t{{}}\n\tdefault_backend app\n"
BACKEND = "backend app\n\tserver s1 127.0.0.1:80\n"


def severities(text: str, code: str, target: str | None = None) -> list[Severity]:
    return [found.severity for found in findings(text, code, target)]


# HAP005

REWRITTEN = {
    "clitimeout 5000": "timeout client 5000",
    "timeout clitimeout 5s": "timeout client 5s",
    "block if { path /x } # no": "http-request deny if { path /x } # no",
    "reqadd X-Proto:\\ https if { ssl_fc }": "http-request add-header X-Proto https if { ssl_fc }",
    "rspadd X-A:\\ 50%\\ off": 'http-response add-header X-A "50%% off"',
    "rspidel ^Server:.*": "http-response del-header Server",
    "reqidel ^X-A:": "http-request del-header X-A",
    "option forceclose": None,
    "no option http-use-htx": None,
    "bind-process 1": None,
}


@pytest.mark.parametrize("line", REWRITTEN)
def test_what_is_gone_is_said_anew(line: str, tmp_path: Path) -> None:
    text = FRONTEND.format(line) + BACKEND
    assert len(findings(text, "HAP005")) == 1
    after = fixed_text(text, "HAP005")
    new = REWRITTEN[line]
    assert after == (text.replace(f"\t{line}\n", "" if new is None else f"\t{new}\n", 1))
    *_, newest = judges(tmp_path)
    assert newest.check(text)[0] == 1
    assert all(judge.check(after)[0] == 0 for judge in judges(tmp_path))


@pytest.mark.parametrize(
    "line",
    [
        "reqrep ^([^\\ :]*)\\ /a(.*) \\1\\ /b\\2",
        "reqidel ^X-A",
        "monitor-net 10.0.0.0/8",
        "appsession S len 5 timeout 1h",
        "grace 5s",
        "option http_proxy",
        "mode health",
    ],
)
def test_what_only_the_author_can_rewrite(line: str, tmp_path: Path) -> None:
    text = FRONTEND.format(line) + BACKEND
    (found,) = findings(text, "HAP005")
    assert found.fix is None
    assert found.advice.startswith("write ")
    assert all(judge.check(text)[0] == 1 for judge in judges(tmp_path))


@pytest.mark.parametrize(
    ("line", "target", "expected"),
    [
        ("nbproc 1", None, [Severity.WARNING]),
        ("nbproc 1", "2.4", []),
        ("nbproc 1", "2.5", [Severity.ERROR]),
        ("tune.chksize 16384", "2.8", [Severity.ERROR]),
        ("stats bind-process all", "2.6", []),
        ("stats bind-process all", "2.8", [Severity.ERROR]),
    ],
)
def test_the_target_decides_in_the_global_section(
    line: str, target: str | None, expected: list[Severity]
) -> None:
    text = f"global\n\t{line}\n{FRONTEND.format('option httplog')}{BACKEND}"
    assert severities(text, "HAP005", target) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (None, [Severity.WARNING]),
        ("2.4", []),
        ("2.6", [Severity.WARNING]),
        ("2.8", [Severity.ERROR]),
    ],
)
def test_bind_process(target: str | None, expected: list[Severity], tmp_path: Path) -> None:
    text = FRONTEND.format("bind-process 1") + BACKEND
    assert severities(text, "HAP005", target) == expected
    for judge, code in zip(judges(tmp_path), (0, 1), strict=False):
        assert judge.check(text)[0] == code  # 2.6 warns, 2.8 refuses


def test_what_goes_later_is_info() -> None:
    text = f"{HEAD}backend app\n\tdispatch 127.0.0.1:80\n"
    assert severities(text, "HAP005") == [Severity.INFO]
    assert severities(text, "HAP005", "3.5") == [Severity.ERROR]
    assert severities(text, "HAP005", "2.8") == []


OLD_CHECK = "option httpchk GET /x HTTP/1.1\\r\\nHost:\\ a.b\\r\\nX-P:\\ 1%"


def test_headers_behind_the_version_of_a_check(tmp_path: Path) -> None:
    text = f"{FRONTEND.format('option httplog')}{BACKEND}\t{OLD_CHECK} # old\n"
    assert severities(text, "HAP005", "2.6") == [Severity.WARNING]
    assert severities(text, "HAP005", "2.8") == [Severity.ERROR]
    after = fixed_text(text, "HAP005")
    assert after.endswith(
        "\toption httpchk # old\n"
        '\thttp-check send meth GET uri /x ver HTTP/1.1 hdr Host a.b hdr X-P "1%%"\n'
    )
    assert all(judge.check(after)[0] == 0 for judge in judges(tmp_path))


@pytest.mark.parametrize(
    ("before", "behind", "has_fix"),
    [
        ("", "http-check expect status 200", True),
        ("", "http-check send hdr A b", False),
        ("http-check expect status 200", "http-check disable-on-404", False),
    ],
)
def test_other_rules_of_checks(before: str, behind: str, has_fix: bool) -> None:
    lines = "".join(f"\t{line}\n" for line in (before, OLD_CHECK, behind) if line)
    (found,) = findings(HEAD + BACKEND + lines, "HAP005")
    assert (found.fix is not None) == has_fix


def test_a_line_under_a_condition_is_no_error() -> None:
    text = f"{HEAD}.if version_atleast(2.4)\n\tclitimeout 5s\n.endif\n"
    assert severities(text, "HAP005") == [Severity.WARNING]


def test_timeouts_by_their_old_names_are_not_missing_too() -> None:
    text = "defaults\n\tmode http\n\tcontimeout 5s\n\tclitimeout 5s\n\ttimeout srvtimeout 5s\n"
    text += FRONTEND[len(HEAD) :].format("option httplog") + BACKEND
    assert findings(text, "HAP301") == []
    after = fixed_text(text, "HAP005")
    assert "\ttimeout connect 5s\n\ttimeout client 5s\n\ttimeout server 5s\n" in after
    assert findings(after, "HAP301") == []


# HAP007


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ('http-request deny "" if FALSE', 1),
        ("http-request deny '' if FALSE", 1),
        ('acl a path "" /x', 1),
        ('acl a path ""', 0),
        ('http-request deny if { path "a b" }', 0),
        ('http-request deny "$EXTRA" if FALSE', 0),
        ('http-request deny # "" a', 0),
    ],
)
def test_empty_words(line: str, count: int) -> None:
    text = FRONTEND.format(line) + BACKEND
    assert len(findings(text, "HAP007")) == count
    assert severities(text, "HAP007", "3.3") == [Severity.ERROR] * count


def test_what_is_not_read_is_named() -> None:
    (found,) = findings(f'{HEAD}{BACKEND}\tserver s2 :1 "" check weight 0\n', "HAP007")
    assert found.span.text == '""'
    assert '"check weight 0"' in found.message


# HAP008


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('server s2 "$HOST:80"', "the machine itself"),
        ("server s2 '${HOST}:80'", "the machine itself"),
        ("server s2 ${HOST}:80", "the machine itself"),
        ('server s2 "10.0.0.1:$PORT"', "the port that the client came in on"),
        ('server s2 "${HOST-10.0.0.1}:80"', None),
        ('server s2 "$HOST"', None),
        ('server s2 "$HOST:$PORT"', None),
        ('server s2 "app-$STAGE:80"', None),
        ('server s2 "$HAPROXY_LOCALPEER:80"', None),
        ("server s2 10.0.0.1:80", None),
    ],
)
def test_addresses_without_their_variables(line: str, says: str | None) -> None:
    found = findings(f"{HEAD}{BACKEND}\t{line}\n", "HAP008")
    assert [says in one.message for one in found if says] == ([] if says is None else [True])
    assert len(found) == (says is not None)


def test_a_bind_without_its_variable(tmp_path: Path) -> None:
    text = FRONTEND.format('bind "$LISTEN:18081"') + BACKEND
    (found,) = findings(text, "HAP008")
    assert "all addresses" in found.message
    after = fixed_text(text, "HAP008")
    assert '.if !defined(LISTEN)\n    .alert "LISTEN is not set"\n.endif\nfrontend web\n' in after
    assert findings(after, "HAP008") == []
    for judge in judges(tmp_path):
        assert judge.check(text)[0] == 0
        assert judge.check(after)[0] == 1
        judge.environment["LISTEN"] = "127.0.0.1"
        assert judge.check(after)[0] == 0


def test_variables_that_the_configuration_knows() -> None:
    line = f'{HEAD}{BACKEND}\tserver s2 "$HOST:80"\n'
    for known in ("global\n\tsetenv HOST a\n", "global\n\tpresetenv HOST a\n"):
        assert findings(known + line, "HAP008") == []
    assert findings(f".if !defined(HOST)\n.alert no\n.endif\n{line}", "HAP008") == []


def test_one_variable_twice_is_asked_for_once() -> None:
    text = f'{HEAD}{BACKEND}\tserver s2 "$HOST:80"\n\tserver s3 "$HOST:81"\n'
    assert fixed_text(text, "HAP008").count("defined(HOST)") == 1


def test_thousands_of_lines_take_linear_time() -> None:
    lines = "".join(f'\tserver s{n} "10.0.0.1:{n + 1}" check\n' for n in range(5000))
    for code in ("HAP005", "HAP007", "HAP008"):
        assert findings(f"{HEAD}backend app\n{lines}", code) == []
