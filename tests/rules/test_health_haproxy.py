"""HAP505 to HAP515: retries, checks that ask too little, settings that count for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from haproxy_judge import judges
from support import findings, fixed_text

from gwlint.edits import Safety
from gwlint.rule import Severity

TIMES = "\ttimeout connect 5s\n\ttimeout client 30s\n\ttimeout server 30s\n"


def config(*lines: str, mode: str = "http", defaults: str = "") -> str:
    """Defaults with all timeouts, and these lines in `backend app`."""
    head = f"\t{defaults}\n" if defaults else ""
    own = "".join(f"\t{line}\n" for line in lines)
    return f"defaults\n\tmode {mode}\n{head}{TIMES}backend app\n{own}"


def counts(code: str, *lines: str, mode: str = "http", target: str | None = None) -> int:
    return len(findings(config(*lines, mode=mode), code, target))


ONE = "server a 127.0.0.1:3000"
TWO = "server b 127.0.0.1:3001"

# HAP505


def test_retries_that_are_turned_off() -> None:
    text = config("retries 0 # fail fast", ONE)
    assert "\tretries 3 # fail fast\n" in fixed_text(text, "HAP505")
    assert counts("HAP505", "retries 1", ONE) == 0
    assert counts("HAP505", ".if version_atleast(2.4)", "retries 0", ".endif", ONE) == 0
    assert findings(config("retries 2", ONE, defaults="retries 0"), "HAP505") == []


def test_retries_that_would_repeat_requests_are_left_to_the_author() -> None:
    (found,) = findings(config("retries 0", "retry-on 503", ONE), "HAP505")
    assert found.fix is None
    (found,) = findings(config("retries 0", "retry-on conn-failure", ONE), "HAP505")
    assert found.fix is not None


# HAP507

CHECKED = f"{ONE} check"
NAMED = "http-request set-header Host app.example"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("option httpchk", NAMED, CHECKED), 1),
        (("option httpchk", CHECKED), 0),
        (("option httpchk GET / HTTP/1.1", CHECKED), 1),
        (("option httpchk GET / HTTP/1.0", CHECKED), 0),
        (("option httpchk GET / HTTP/1.1\\r\\nHost:\\ app.example", CHECKED), 0),
        (("option httpchk GET / HTTP/1.1 app.example", CHECKED), 0),
        (("option httpchk", "http-check send ver HTTP/1.1", CHECKED), 1),
        (("option httpchk", "http-check send ver HTTP/1.1 hdr host a.example", CHECKED), 0),
        (("option httpchk", "http-check connect", "http-check send uri /", NAMED, CHECKED), 0),
        (("option httpchk", NAMED, ONE), 0),
        (("option httpchk", f"{NAMED} if TRUE", CHECKED), 0),
        (("option httpchk", "http-request set-header Host %[src]", CHECKED), 0),
        (("option httpchk", "http-request set-header Host 10.0.0.1", CHECKED), 0),
        (("option httpchk", f"{CHECKED} ssl sni req.hdr(host)"), 0),
        (("option httpchk", f"{CHECKED} ssl sni str(a.example)"), 1),
        (("option httpchk", f"{CHECKED} sni str(a.example)", f"{TWO} sni str(b.example)"), 0),
    ],
)
def test_checks_of_servers_that_go_by_name(lines: tuple[str, ...], expected: int) -> None:
    assert counts("HAP507", *lines) == expected


def test_the_host_goes_where_haproxy_accepts_it(tmp_path: Path) -> None:
    send = "http-check send ver HTTP/1.1 hdr Host app.example"
    option, expect = "option httpchk GET /up", "http-check expect status 200"
    cases = {
        config(option, expect, NAMED, CHECKED): f"\t{send}\n\t{expect}\n",
        config(option, NAMED, CHECKED): f"\t{option}\n\t{send}\n",
        config(NAMED, CHECKED, defaults=option): f"\t{send}\n\t{CHECKED}\n",
        config("option httpchk", "http-check send uri /up # sent", expect, NAMED, CHECKED): (
            "\thttp-check send uri /up ver HTTP/1.1 hdr Host app.example # sent\n"
        ),
        config("option httpchk GET / HTTP/1.1", NAMED, CHECKED): (
            "\thttp-check send hdr Host app.example\n"
        ),
    }
    for text, expected in cases.items():
        after = fixed_text(text, "HAP507")
        assert expected in after
        for judge in judges(tmp_path):
            assert judge.check(after)[0] != 1, after


def test_the_host_is_not_written_for_old_versions_or_over_inherited_rules() -> None:
    text = config("option httpchk", NAMED, CHECKED)
    (found,) = findings(text, "HAP507", "2.0")
    assert found.fix is None
    inherited = config(NAMED, CHECKED, defaults="option httpchk\n\thttp-check expect status 200")
    (found,) = findings(inherited, "HAP507")
    assert found.fix is None


# HAP508


@pytest.mark.parametrize(
    ("parameters", "severity"),
    [
        ("ssl check sni str(a.example)", Severity.WARNING),
        ("ssl check sni req.hdr(host)", Severity.INFO),
        ("ssl check", None),
        ("ssl sni str(a.example)", None),
        ("ssl check sni str(a.example) check-sni a.example", None),
        ("ssl check sni str(a.example) port 80", None),
        ("ssl check sni str(a.example) port 444 check-ssl", Severity.WARNING),
        ("ssl check sni str(a.example) no-check-ssl", None),
        ("check sni str(a.example)", None),
    ],
)
def test_checks_that_need_a_name(parameters: str, severity: Severity | None) -> None:
    found = findings(config(f"{ONE} {parameters}"), "HAP508")
    assert [one.severity for one in found] == ([severity] if severity else [])


def test_the_name_of_the_check() -> None:
    text = config(f"{ONE} ssl check sni 'str(\"a.example\")' # tls")
    assert "check-sni a.example # tls\n" in fixed_text(text, "HAP508")
    rule = "http-check connect ssl sni a.example"
    assert counts("HAP508", rule, f"{ONE} ssl check sni str(a.example)") == 0
    assert counts("HAP508", f"{ONE} ssl check sni str(a.example)", target="3.3") == 0


# HAP509

BACKUP = f"{TWO} check backup"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((ONE, BACKUP), 1),
        ((CHECKED, BACKUP), 0),
        ((CHECKED, "server c 127.0.0.1:3002", BACKUP), 1),
        ((f"{ONE} track other/a", BACKUP), 0),
        ((f"{ONE} disabled", BACKUP), 0),
        ((f'{ONE} "${{OPTIONS[*]}}"', BACKUP), 0),
        ((f"{ONE} backup", BACKUP), 0),
        (("default-server check", ONE, BACKUP), 0),
        ((ONE, BACKUP, "use-server b if TRUE"), 0),
        (("server-template a 2 a.example:80 resolvers dns", BACKUP), 0),
    ],
)
def test_backups_that_wait_in_vain(lines: tuple[str, ...], expected: int) -> None:
    assert counts("HAP509", *lines) == expected
    assert counts("HAP509", *lines, mode="tcp") == expected


def test_the_servers_in_front_of_a_backup_are_checked_after_the_fix() -> None:
    after = fixed_text(config(f"{ONE} # first", BACKUP), "HAP509")
    assert f"\t{ONE} check # first\n" in after
    (found,) = findings(config("option httpchk", ONE, BACKUP), "HAP509")
    assert found.fix is not None
    assert found.fix.safety is Safety.UNSAFE


# HAP510, HAP511

BREAKER = "check observe layer7 on-error mark-down"


def test_settings_that_need_a_check() -> None:
    (found,) = findings(config(f"{ONE} observe layer4"), "HAP510")
    assert found.severity is Severity.WARNING
    (found,) = findings(config(f"{ONE} slowstart 10s", CHECKED.replace("a ", "c ")), "HAP510")
    assert found.severity is Severity.INFO
    assert found.fix is not None
    assert found.fix.safety is Safety.SAFE
    assert counts("HAP510", f"{CHECKED} slowstart 10s observe layer4") == 0
    assert counts("HAP510", f"{ONE} slowstart 10s agent-check agent-port 1") == 0
    assert counts("HAP510", "default-server slowstart 10s", CHECKED) == 0


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((f"{ONE} {BREAKER}", f"{TWO} {BREAKER}"), 1),
        ((f"default-server {BREAKER}", ONE, TWO), 1),
        ((f"default-server {BREAKER}", "server-template a 3 a.example:80"), 1),
        ((f"{ONE} {BREAKER}",), 0),
        ((f"{ONE} {BREAKER}", TWO), 0),
        ((f"default-server {BREAKER}", ONE, f"{TWO} on-error fail-check"), 0),
        ((f"default-server {BREAKER} observe layer4", ONE, TWO), 0),
        (("default-server observe layer7 on-error mark-down", ONE, TWO), 0),
    ],
)
def test_breakers_on_every_server(lines: tuple[str, ...], expected: int) -> None:
    assert counts("HAP511", *lines) == expected


def test_one_breaker_is_edited_once() -> None:
    after = fixed_text(config(f"default-server {BREAKER} # all", ONE, TWO), "HAP511")
    assert "\tdefault-server check observe layer7 on-error fastinter # all\n" in after


# HAP512


def test_retry_on_counts_in_mode_http_only() -> None:
    retry = "retry-on conn-failure"
    assert fixed_text(config(f"{retry} # r", ONE, mode="tcp"), "HAP512") == config(ONE, mode="tcp")
    assert counts("HAP512", retry, ONE) == 0
    assert counts("HAP512", "mode http", retry, ONE, mode="tcp") == 0
    shared = config(ONE, mode="tcp", defaults=retry)
    (found,) = findings(shared, "HAP512")
    assert "backend app" in found.message
    assert findings(f"{shared}backend web\n\tmode http\n\t{TWO}\n", "HAP512") == []


# HAP513


def test_default_server_moves_in_front_of_the_servers_in_order() -> None:
    text = config("balance first", ONE, TWO, "default-server check # c", "default-server fall 2")
    assert fixed_text(text, "HAP513") == config(
        "balance first", "default-server check # c", "default-server fall 2", ONE, TWO
    )
    assert counts("HAP513", ONE, "default-server check", TWO) == 0
    assert counts("HAP513", "default-server check") == 0
    assert counts("HAP513", ONE, ".if TRUE", "default-server check", ".endif") == 0


# HAP514


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("http-check expect status 200", CHECKED), 1),
        (("option httpchk", "http-check expect status 200", CHECKED), 0),
        (("http-check disable-on-404", CHECKED), 0),
        (("tcp-check connect", CHECKED), 1),
        (("option tcp-check", "tcp-check connect", CHECKED), 0),
    ],
)
def test_check_rules_that_are_ignored(lines: tuple[str, ...], expected: int) -> None:
    assert counts("HAP514", *lines) == expected


def test_the_option_stands_in_front_of_the_rules() -> None:
    after = fixed_text(config("http-check send uri /", CHECKED), "HAP514")
    assert "\toption httpchk\n\thttp-check send uri /\n" in after
    other = config("option tcp-check", "http-check expect status 200", CHECKED)
    (found,) = findings(other, "HAP514")
    assert found.fix is None
    assert findings(config("http-check expect status 200", CHECKED, TWO), "HAP503") == []


# HAP515


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("send-proxy check port 3000", 1),
        ("send-proxy-v2 check port 3000", 1),
        ("send-proxy check", 0),
        ("send-proxy check port 3001", 0),
        ("send-proxy check port 3000 addr 127.0.0.2", 0),
        ("send-proxy check port 3000 check-send-proxy", 0),
        ("send-proxy check port 3000 no-check-send-proxy", 0),
        ("send-proxy port 3000", 0),
        ("check port 3000", 0),
    ],
)
def test_checks_that_have_to_speak_the_proxy_protocol(parameters: str, expected: int) -> None:
    assert counts("HAP515", "option httpchk", f"{ONE} {parameters}") == expected
    assert counts("HAP515", f"{ONE} {parameters}") == 0


# All of them together

EVERYTHING = """\
global
\ttune.maxrewrite 8192
\ttune.http.maxhdr 20
defaults
\tmode http
\ttimeout connect 20s
\ttimeout client 30s
\ttimeout server 60s
frontend fe
\tbind 127.0.0.1:18099
\tdefault_backend app
backend app
\thttp-check expect status 200
\thttp-reuse always
\tretries 0
\thttp-request set-header Host app.example
\tserver a 127.0.0.1:3000 maxconn 10 inter 60s # first
\tserver b 127.0.0.1:3001 maxconn 10 backup
\tdefault-server check observe layer7 on-error mark-down
backend tls
\toption httpchk
\thttp-reuse never
\ttimeout check 20s
\tserver a 127.0.0.1:443 ssl verify none sni str(app.example) check
\tserver b 127.0.0.1:444 ssl verify none sni str(app.example) check
backend proxied
\toption httpchk
\tserver a 127.0.0.1:3002 send-proxy check port 3002
listen database
\tmode tcp
\tretry-on empty-response
\tbind 127.0.0.1:18098
\tserver a 127.0.0.1:3306 check
"""

CODES = ("HAP202", "HAP203", "HAP305", "HAP306", "HAP307", "HAP310", "HAP402", "HAP403")
CODES += ("HAP505", "HAP507", "HAP508", "HAP509", "HAP512", "HAP513", "HAP514", "HAP515")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_fixes_of_all_rules_go_together(newline: str, tmp_path: Path) -> None:
    text = EVERYTHING.replace("\n", newline)
    missed = [code for code in CODES if not findings(text, code)]
    assert missed == []
    for _ in range(3):
        before = text
        for code in (*CODES, "HAP308", "HAP511"):
            text = fixed_text(text, code)
        if text == before:
            break
    assert [code for code in CODES if findings(text, code)] == []
    assert text.count(newline) == text.count("\n")
    for judge in judges(tmp_path):
        assert judge.check(text)[0] == 0, text
