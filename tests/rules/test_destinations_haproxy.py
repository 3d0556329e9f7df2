"""HAP103 to HAP113 without those of test_addresses_haproxy.py: servers that cannot answer."""

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
ROUTED = f"{HEAD}frontend web\n\tbind :18080\n\tdefault_backend app\nbackend app\n"


def severities(text: str, code: str) -> list[Severity]:
    return [found.severity for found in findings(text, code)]


# HAP103


@pytest.mark.parametrize(
    ("bind", "server", "count"),
    [
        (":18080", "127.0.0.1:18080", 1),
        (":18080", "localhost:18080", 1),
        ("127.0.0.1:18080", "localhost:18080", 1),
        ("10.0.0.1:18080", "10.0.0.1:18080", 1),
        (":18080", "0.0.0.0:18080", 1),
        (":18080", "10.0.0.1:18080", 0),
        ("10.0.0.1:18080", "127.0.0.1:18080", 0),
        (":18080", "127.0.0.1:18081", 0),
        (":18080", "127.0.0.1:18080 disabled", 0),
        (":18080", '"$HOST:18080"', 0),
    ],
)
def test_a_server_that_is_the_frontend(bind: str, server: str, count: int) -> None:
    text = f"{ROUTED.replace(':18080', bind)}\tserver s1 {server}\n"
    assert len(findings(text, "HAP103")) == count


def test_requests_that_may_leave_the_circle() -> None:
    loop = "\tserver s1 127.0.0.1:18080\n"
    for line in (
        "use_backend other if { path /x }",
        "http-request deny if { path /x }",
        "redirect location /x if { path / }",
    ):
        text = ROUTED.replace("\tdefault", f"\t{line}\n\tdefault") + loop
        assert findings(text, "HAP103") == [], line
    assert findings(f"{ROUTED}{loop}\tserver s2 10.0.0.1:80\n", "HAP103") == []
    listen = f"{HEAD}listen web\n\tbind :18080\n{loop}"
    assert len(findings(listen, "HAP103")) == 1


# HAP104


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        ("10.0.0.1:80", "10.0.0.1:80", 1),
        ("10.0.0.1:80 check", "10.0.0.1:80", 1),
        ("[::1]:80", "[0:0::1]:80", 1),
        ("app:80", "APP:80", 1),
        ("/run/a.sock", "/run/a.sock", 1),
        ("10.0.0.1:80 weight 5", "10.0.0.1:80 weight 5", 1),
        ("10.0.0.1:80", "10.0.0.1:81", 0),
        ("10.0.0.1:80 weight 5", "10.0.0.1:80", 0),
        ("10.0.0.1:80 cookie a", "10.0.0.1:80 cookie b", 0),
        ("10.0.0.1:80", "10.0.0.1:80 backup", 0),
        ("10.0.0.1:80", "10.0.0.1:80 disabled", 0),
        ("app:80 resolvers dns", "app:80 resolvers dns", 0),
        ('"$A:80"', '"$A:80"', 0),
    ],
)
def test_one_address_twice(first: str, second: str, count: int) -> None:
    text = f"{ROUTED}\tserver s1 {first}\n\tserver s2 {second}\n"
    assert len(findings(text, "HAP104")) == count


# HAP106, HAP107

CLOUD = "\tserver s1 a-1.eu-west-1.elb.amazonaws.com:80 check\n"


def test_a_name_that_moves_gets_resolvers(tmp_path: Path) -> None:
    assert severities(ROUTED + CLOUD, "HAP106") == [Severity.WARNING]
    after = fixed_text(ROUTED + CLOUD, "HAP106")
    assert "resolvers dns\n\tparse-resolv-conf\n\nfrontend web\n" in after
    assert after.endswith("check resolvers dns init-addr last,libc,none\n")
    for judge in judges(tmp_path):
        # The name itself need not exist where this test runs.
        local = after.replace("a-1.eu-west-1.elb.amazonaws.com", "127.0.0.1")
        assert judge.check(local)[0] == 0


def test_resolvers_that_are_there_are_used() -> None:
    text = f"{HEAD}resolvers cluster\n\tnameserver a 10.0.0.2:53\n{ROUTED[len(HEAD) :]}{CLOUD}"
    after = fixed_text(text, "HAP106")
    assert after.count("\nresolvers ") == 1
    assert "check resolvers cluster init-addr" in after


def test_two_names_in_two_backends_get_one_section() -> None:
    text = f"{ROUTED}{CLOUD}backend more\n{CLOUD}"
    after = fixed_text(text, "HAP106")
    assert after.count("parse-resolv-conf") == 1
    assert after.count("resolvers dns init-addr") == 2


def test_other_names_are_info_and_said_once() -> None:
    text = f"{ROUTED}\tserver s1 app1:80\n\tserver s2 app2:80\n\tserver s3 localhost:80\n"
    (found,) = findings(text, "HAP106")
    assert found.severity is Severity.INFO
    assert len(found.related) == 1
    assert findings(text.replace(HEAD, ""), "HAP106") == []


@pytest.mark.parametrize(
    ("server", "count"),
    [
        ("app:80 init-addr none", 1),
        ("app:80 init-addr last,none", 1),
        ("app:80 init-addr last,libc,none", 0),
        ("app:80 init-addr none resolvers dns", 0),
        ("10.0.0.1:80 init-addr none", 0),
        ("app:80 init-addr 10.0.0.1", 0),
        ("app:80", 0),
    ],
)
def test_names_that_nobody_looks_up(server: str, count: int) -> None:
    assert len(findings(f"{ROUTED}\tserver s1 {server}\n", "HAP107")) == count


# HAP109


@pytest.mark.parametrize(
    ("servers", "count"),
    [
        ("server s1 :1 weight 0", 1),
        ("server s1 :1 disabled", 1),
        ("server s1 :1 backup weight 0", 1),
        ("default-server disabled\n\tserver s1 :1", 1),
        ("default-server disabled\n\tserver s1 :1 enabled", 0),
        ("server s1 :1 disabled enabled", 0),
        ("server s1 :1 backup", 0),
        ("server s1 :1 weight 0\n\tserver s2 :2 backup", 0),
        ("server s1 :1 weight 0\n\tserver s2 :2", 0),
        ("server s1 :1 weight 0 agent-check agent-port 1", 0),
        ("use-server s1 if TRUE\n\tserver s1 :1 weight 0", 0),
        ("use-server s1 if TRUE\n\tserver s1 :1 disabled", 1),
    ],
)
def test_servers_that_are_all_off(servers: str, count: int) -> None:
    assert len(findings(f"{ROUTED}\t{servers}\n", "HAP109")) == count


def test_an_administrator_may_switch_servers_on() -> None:
    text = f"{ROUTED}\tserver s1 :1 disabled\n"
    assert severities(text, "HAP109") == [Severity.ERROR]
    admin = f"global\n\tstats socket /run/a.sock level admin\n{text}"
    assert severities(admin, "HAP109") == [Severity.WARNING]
    assert findings(text.replace("default_backend app", "default_backend b"), "HAP109") == []


# HAP111


@pytest.mark.parametrize(
    ("rules", "count"),
    [
        ("use_backend %[req.hdr(host)]", 1),
        ("use_backend %[base,map_beg(/m)]", 1),
        ("use_backend %[base,map_beg(/m,app)]", 0),
        ("use_backend %[req.hdr(host)]\n\tdefault_backend app", 0),
        ("use_backend %[req.hdr(host)] if { path /x }", 0),
        ("http-request deny unless { req.hdr(host) a }\n\tuse_backend %[req.hdr(host)]", 0),
        ("use_backend app", 0),
    ],
)
def test_names_that_lead_nowhere(rules: str, count: int) -> None:
    text = ROUTED.replace("default_backend app", rules) + "\tserver s1 :1\n"
    assert len(findings(text, "HAP111")) == count


# HAP112


def test_addresses_from_manuals() -> None:
    for host, severity in (
        ("192.0.2.1", Severity.WARNING),
        ("[2001:db8::1]", Severity.WARNING),
        ("app.example.com", Severity.WARNING),
        ("your-server", Severity.WARNING),
        ("localhost", Severity.INFO),
        ("0.0.0.0", Severity.INFO),
    ):
        assert severities(f"{ROUTED}\tserver s1 {host}:80\n", "HAP112") == [severity], host
    for host in ("10.0.0.1", "app", "127.0.0.1", "192.0.2.1:80 disabled #"):
        assert findings(f"{ROUTED}\tserver s1 {host}:80\n", "HAP112") == [], host


def test_localhost_becomes_an_address(tmp_path: Path) -> None:
    text = f'{ROUTED}\tserver localhost "localhost:80" check # here\r\n'
    after = fixed_text(text, "HAP112")
    assert after.endswith('\tserver localhost "127.0.0.1:80" check # here\r\n')
    assert all(judge.check(after)[0] == 0 for judge in judges(tmp_path))


# HAP113


def test_backends_that_nothing_names() -> None:
    unused = "backend spare\n\tserver s1 :2\n"
    text = f"{ROUTED}\tserver s1 :1\n{unused}"
    (found,) = findings(text, "HAP113")
    assert found.span.text == "spare"
    for line in (
        "use_backend spare if { path /x }",
        "http-request track-sc0 src table spare",
        "http-request deny if { nbsrv(spare) lt 1 }",
        "use_backend %[req.hdr(host)]",
    ):
        used = text.replace("\tdefault", f"\t{line}\n\tdefault")
        assert findings(used, "HAP113") == [], line
    assert findings(f"global\n\tlua-load /a.lua\n{text}", "HAP113") == []
    assert findings(text.replace(unused, "backend spare\n"), "HAP113") == []


def test_acls_that_nothing_asks() -> None:
    server = "\tserver s1 :1\n"
    text = ROUTED.replace("\tdefault", "\tacl a path /a\n\tacl a path /b\n\tdefault") + server
    (found,) = findings(text, "HAP113")
    assert found.span.text == "a"
    for line in ("http-request deny if a", "http-request deny if !a", "use_backend app if x || a"):
        asked = text.replace("\tdefault", f"\t{line}\n\tdefault")
        assert findings(asked, "HAP113") == [], line
    elsewhere = f"{text}\thttp-request deny if a\n"
    assert len(findings(elsewhere, "HAP113")) == 1


def test_five_thousand_sections_take_linear_time() -> None:
    sections = "".join(
        f"frontend f{n}\n\tbind :{n + 1}\n\tdefault_backend b{n}\nbackend b{n}\n"
        f"\tserver s 10.0.0.1:{n + 1} check\n"
        for n in range(2500)
    )
    for code in ("HAP103", "HAP104", "HAP106", "HAP109", "HAP112", "HAP113"):
        assert findings(HEAD + sections, code) == [], code
