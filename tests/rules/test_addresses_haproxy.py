"""HAP101 to HAP110: where requests go, with HAProxy itself as the judge of what it refuses."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from haproxy_judge import judges
from support import findings, fixed, fixed_text

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


# HAP101


def test_undefined_backends_are_refused_and_repaired(tmp_path: Path) -> None:
    text = (
        f'{HEAD}frontend web\n\tbind :18080\n\tdefault_backend "aps" # main\n'
        "backend apps\n\tserver s1 127.0.0.1:80\n"
    )
    (found,) = findings(text, "HAP101")
    assert found.span.text == '"aps"'
    after = fixed_text(text, "HAP101")
    assert "\tdefault_backend apps # main\n" in after
    for judge in judges(tmp_path):
        assert judge.check(text)[0] == 1
        assert judge.check(after)[0] == 0


def test_a_server_named_in_use_server_must_exist() -> None:
    servers = "\tserver-template web 2 127.0.0.1:80\n\tserver one 127.0.0.1:81\n"
    for name, count in (("web1", 0), ("web3", 1), ("one", 0), ("two", 1), ("%[src]", 0)):
        text = f"{ROUTED}\tuse-server {name} if TRUE\n{servers}"
        assert len(findings(text, "HAP101")) == count, name


def test_disabled_and_dynamic_and_overridden_routes_are_no_faults(tmp_path: Path) -> None:
    server = "\tserver s1 127.0.0.1:80\n"
    disabled = ROUTED.replace("web\n", "web\n\tdisabled\n\tuse_backend nowhere\n") + server
    overridden = ROUTED.replace("default_backend", "default_backend gone\n\tdefault_backend")
    dynamic = ROUTED.replace("18080", "18080\n\tuse_backend %[req.hdr(host)]") + server
    for text in (disabled, overridden + server, dynamic):
        assert findings(text, "HAP101") == []
        for judge in judges(tmp_path):
            assert judge.check(text)[0] != 1


def test_a_listen_section_is_a_backend_too() -> None:
    text = f"{HEAD}frontend web\n\tbind :18080\n\tdefault_backend l\nlisten l\n\tbind :1\n"
    assert findings(text, "HAP101") == []


def test_a_part_of_a_configuration_is_not_judged() -> None:
    part = "frontend web\n\tbind :18080\n\tdefault_backend elsewhere\n"
    assert findings(part, "HAP101") == []
    assert findings({"10-base.cfg": HEAD, "20-web.cfg": part}, "HAP101") != []


def test_the_backend_of_another_file_counts() -> None:
    files = {
        "10-base.cfg": HEAD,
        "20-web.cfg": "frontend web\n\tbind :18080\n\tdefault_backend app\n",
        "30-app.cfg": "backend app\n\tserver s1 127.0.0.1:80\n",
    }
    assert findings(files, "HAP101") == []


# HAP102

ADDRESSES = {
    "bind *": True,
    "bind :0": True,
    "bind :70000": True,
    "bind <VIP>:80": True,
    "bind :18081,:18082": False,
    "bind 127.0.0.1:18083-18084": False,
    "server s1 127.0.0.1:70000": True,
    "server s1 127.0.0.1:80-90": True,
    "server s1 127.0.0.256:80": True,
    "server s1 http://127.0.0.1:80": True,
    "server s1 127.0.0.1 check": True,
    "server s1 127.0.0.1:+10 check": True,
    "server s1 127.0.0.1 check addr 127.0.0.2": True,
    "server s1 127.0.0.1": False,
    "server s1 127.0.0.1 check port 80": False,
    "server s1 /run/app.sock check": False,
    "server s1 [::1]:80 check": False,
}


@pytest.mark.parametrize("line", ADDRESSES)
def test_addresses_are_judged_as_haproxy_judges_them(line: str, tmp_path: Path) -> None:
    is_refused = ADDRESSES[line]
    text = f"{HEAD}listen web\n\tbind 127.0.0.1:18080\n\tserver one 127.0.0.1:1\n\t{line}\n"
    assert len(findings(text, "HAP102")) == is_refused
    for judge in judges(tmp_path):
        assert (judge.check(text)[0] == 1) == is_refused


def test_the_port_of_a_check_may_come_from_default_server() -> None:
    text = f"{ROUTED}\tdefault-server check port 80\n\tserver s1 127.0.0.1\n"
    assert findings(text, "HAP102") == []
    assert len(findings(text.replace(" port 80", ""), "HAP102")) == 1


# HAP105


@pytest.mark.parametrize(
    "line",
    [
        "server s1 10.0.0.1:443 ssl verify none",
        "server s1 10.0.0.1:80",
        "server s1 127.0.0.1:443",
        "server s1 10.0.0.1:443 send-proxy",
        'server s1 10.0.0.1:443 "$SSL"',
        "server s1 10.0.0.1:443\n\tmode tcp",
        "default-server ssl verify none\n\tserver s1 10.0.0.1:443",
    ],
)
def test_ports_that_fit(line: str) -> None:
    assert findings(f"{ROUTED}\t{line}\n", "HAP105") == []


def test_tls_is_added_for_names_only(tmp_path: Path) -> None:
    text = f"{ROUTED}\tserver s1 app.internal:443 check # tls\n\tserver s2 10.0.0.1:8443\n"
    first, second = findings(text, "HAP105")
    assert first.fix is not None
    assert second.fix is None
    after = fixed_text(text.replace("\tserver s2 10.0.0.1:8443\n", ""), "HAP105")
    assert (
        "\tserver s1 app.internal:443 check ssl verify required ca-file @system-ca"
        " sni str(app.internal) verifyhost app.internal check-sni app.internal # tls\n"
    ) in after
    for judge in judges(tmp_path):
        # A bundled OpenSSL does not know where this system keeps its authorities, but reads them.
        bundle = ssl.get_default_verify_paths().openssl_cafile
        local = after.replace("app.internal:443", "127.0.0.1:443").replace("@system-ca", bundle)
        assert judge.check(local)[0] == 0


def test_tls_is_removed_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    text = (
        f"{ROUTED}\tserver s1 10.0.0.1:80 ssl verify none weight 5 sni str(a) check\n"
        "\tdefault-server ssl verify none\n\tserver s2 10.0.0.2:8080 check\n"
    )
    after = fixed_text(text, "HAP105")
    assert "\tserver s1 10.0.0.1:80 weight 5 check\n" in after
    assert "\tserver s2 10.0.0.2:8080 check no-ssl\n" in after
    for judge in judges(tmp_path):
        assert judge.check(after)[0] == 0


def test_a_frontend_on_a_tls_port() -> None:
    server = "\tserver s1 10.0.0.1:80\n"
    for bind, count in (
        (":443", 1),
        (":443 ssl crt /a.pem", 0),
        (":443 accept-proxy", 0),
        ("127.0.0.1:443", 0),
        (":18080,:8443", 1),
    ):
        assert len(findings(ROUTED.replace(":18080", bind) + server, "HAP105")) == count, bind
    tcp = ROUTED.replace("mode http", "mode tcp").replace(":18080", ":443") + server
    assert findings(tcp, "HAP105") == []


# HAP108


@pytest.mark.parametrize(
    "line",
    [
        "server s1 127.0.0.1:80",
        "server-template s 2 127.0.0.1:80",
        "dispatch 127.0.0.1:80",
        "http-request return status 200",
        "http-request redirect location /x",
        "redirect location /x",
        "http-request use-service lua.app",
        "tcp-request content reject",
        "stats enable",
        "errorfile 503 /page.http",
        "http-error status 503 file /page.http",
        "option transparent",
        ".if defined(A)\n\tserver s1 127.0.0.1:80\n.endif",
    ],
)
def test_sections_that_answer(line: str) -> None:
    assert findings(f"{ROUTED}\t{line}\n", "HAP108") == []
    assert severities(ROUTED, "HAP108") == [Severity.ERROR]


def test_a_backend_that_nothing_uses_may_be_empty() -> None:
    text = f"{ROUTED}\tserver s1 :1\nbackend rates\n\tstick-table type ip size 1m\n"
    assert findings(text, "HAP108") == []


def test_an_empty_listen_section() -> None:
    text = f"{HEAD}listen web\n\tbind :18080\n"
    assert severities(text, "HAP108") == [Severity.ERROR]
    assert findings(f"{text}\tdefault_backend app\n", "HAP108") == []


# HAP110

APP = "backend app\n\tserver s1 127.0.0.1:80\n"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("", [Severity.ERROR]),
        ("use_backend app if { path /a }", [Severity.WARNING]),
        ("use_backend app", []),
        ("use_backend app if TRUE", []),
        ("use_backend app if { path_beg / }", []),
        ("acl a path /a\n\tuse_backend app if a\n\tuse_backend app if !a", []),
        ("acl a path /a\n\tuse_backend app if a\n\tuse_backend app unless a", []),
        ("acl a path /a\n\tuse_backend app if a\n\tredirect location /x if !a", []),
        ("use_backend app if { path /a }\n\thttp-request deny", []),
        (
            "redirect scheme https if !{ ssl_fc }\n\tuse_backend app if { path /a }",
            [Severity.WARNING],
        ),
        ("stats enable", []),
        ("monitor-uri /alive", []),
        ("disabled", []),
        (".if defined(A)\n\tdefault_backend app\n.endif", []),
    ],
)
def test_what_a_frontend_leaves(rules: str, expected: list[Severity]) -> None:
    text = f"{HEAD}frontend web\n\tbind :18080\n\t{rules}\n{APP}"
    assert severities(text, "HAP110") == expected


def test_a_default_backend_may_be_inherited() -> None:
    text = f"{HEAD}\tdefault_backend app\nfrontend web\n\tbind :18080\n{APP}"
    assert findings(text, "HAP110") == []


def test_five_thousand_sections_take_linear_time() -> None:
    sections = "".join(
        f"frontend f{n}\n\tbind :{n + 1}\n\tuse_backend b{n}\nbackend b{n}\n"
        f"\tserver s 127.0.0.1:{n + 1} check\n"
        for n in range(2500)
    )
    for code in ("HAP101", "HAP102", "HAP105", "HAP108", "HAP110"):
        found = findings(HEAD + sections, code)
        assert len(found) <= 4, code


def test_fixes_of_several_files() -> None:
    files = {
        "10-base.cfg": HEAD,
        "20-web.cfg": "frontend web\n\tbind :18080\n\tdefault_backend ap-server\n",
        "30-app.cfg": "backend app-server\n\tserver s1 127.0.0.1:80\n",
    }
    after = fixed(files, "HAP101")
    assert after["20-web.cfg"].endswith("\tdefault_backend app-server\n")
    assert after["30-app.cfg"] == files["30-app.cfg"]
