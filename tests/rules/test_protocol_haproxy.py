"""HAP601 to HAP609 and HAP701 to HAP703, with HAProxy itself as the judge of what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from haproxy_judge import judges
from support import findings, fixed_text

from gwlint.edits import Safety
from gwlint.rule import Severity

HEAD = """\
defaults
\tmode http
\ttimeout connect 5s
\ttimeout client 5s
\ttimeout server 5s
"""
ROUTED = f"{HEAD}frontend web\n\tbind 127.0.0.1:18080\n\tdefault_backend app\nbackend app\n"
SERVER = "\tserver s1 127.0.0.1:80\n"


def severities(text: str, code: str, target: str | None = None) -> list[Severity]:
    return [found.severity for found in findings(text, code, target)]


# HAP601


@pytest.mark.parametrize(
    ("frontend", "backend", "is_refused"),
    [
        ("mode http", "mode tcp", True),
        ("mode tcp", "mode http", False),
        ("mode tcp", "mode tcp", False),
        ("mode http\n\tdisabled", "mode tcp", False),
        ("mode http", "mode tcp\n\tdisabled", True),
    ],
)
def test_modes_are_judged_as_haproxy_judges_them(
    frontend: str, backend: str, is_refused: bool, tmp_path: Path
) -> None:
    text = ROUTED.replace("frontend web\n", f"frontend web\n\t{frontend}\n")
    text += f"\t{backend}\n{SERVER}"
    assert len(findings(text, "HAP601")) == is_refused
    for judge in judges(tmp_path):
        assert (judge.check(text)[0] == 1) == is_refused


def test_no_mode_is_mode_tcp_and_the_label_says_so(tmp_path: Path) -> None:
    text = ROUTED.replace("\tmode http\n", "").replace("web\n", "web\n\tmode http\n", 1) + SERVER
    (found,) = findings(text, "HAP601")
    assert "no mode is set" in found.related[0].message
    assert all(judge.check(text)[0] == 1 for judge in judges(tmp_path))


def test_modes_that_are_not_certain_are_not_judged() -> None:
    text = f"{ROUTED}.if defined(A)\n\tmode tcp\n.endif\n{SERVER}"
    assert findings(text, "HAP601") == []
    dynamic = ROUTED.replace("default_backend app", "use_backend %[str(app)]")
    assert findings(f"{dynamic}\tmode tcp\n{SERVER}", "HAP601") == []
    part = "frontend web\n\tmode http\n\tbind :1\n\tdefault_backend app\nbackend app\n\tmode tcp\n"
    assert findings(part, "HAP601") == []


# HAP602

TCP = ROUTED.replace("mode http", "mode tcp")


@pytest.mark.parametrize(
    ("line", "is_ignored"),
    [
        ("http-request deny", True),
        ("http-response deny", True),
        ("http-after-response set-header A b", True),
        ("redirect location /x", True),
        ("option forwardfor", True),
        ("option originalto", True),
        ("option http-buffer-request", True),
        ("stats enable", True),
        ("cookie S insert", True),
        ("balance uri", True),
        ("balance hdr(host)", True),
        ("balance source", False),
        ("option http-server-close", False),
        ("errorfile 503 /dev/null", False),
    ],
)
def test_haproxy_warns_where_the_rule_does(line: str, is_ignored: bool, tmp_path: Path) -> None:
    text = f"{TCP}\t{line}\n{SERVER}"
    assert len(findings(text, "HAP602")) == is_ignored
    path = tmp_path / "judged"
    path.mkdir()
    for judge in judges(path):
        code, _ = judge.check(text)
        strict = judge.check(f"global\n\tzero-warning\n{text}")[0]
        assert code == 0
        assert (strict == 1) == is_ignored, line


def test_inherited_rules_and_upgraded_connections_are_left_alone() -> None:
    text = f"{HEAD}\toption forwardfor\nlisten raw\n\tmode tcp\n\tbind :1\n{SERVER}"
    assert findings(text, "HAP602") == []
    text = f"{TCP}\thttp-request deny\n{SERVER}"
    switched = text.replace("app\n\thttp", "app\n\ttcp-request content switch-mode http\n\thttp")
    assert len(findings(text, "HAP602")) == 1
    assert findings(switched, "HAP602") == []


def test_one_finding_for_each_kind_of_rule() -> None:
    text = f"{TCP}\thttp-request deny\n\thttp-request deny\n\toption forwardfor\n{SERVER}"
    assert len(findings(text, "HAP602")) == 2


# HAP603 to HAP606


@pytest.mark.parametrize(
    ("line", "safety"),
    [
        ("server s1 api.local.net:443 ssl verify none", Safety.SAFE),
        ("server s1 10.0.0.1:443 ssl ca-file /a verifyhost api.local.net", Safety.SAFE),
        ("server s1 api.local.net:443 ssl ca-file /a", Safety.UNSAFE),
        ("server s1 api.local.net:443 ssl verify none sni str(a)", None),
        ("server s1 api:443 ssl verify none", None),
        ("server s1 10.0.0.1:443 ssl verify none", None),
        ("server s1 127.0.0.1:443 ssl verify none verifyhost a.b", Safety.SAFE),
        ("server s1 api.local.net:80", None),
        ('server s1 api.local.net:443 ssl verify none "$SNI"', None),
    ],
)
def test_servers_that_need_sni(line: str, safety: Safety | None) -> None:
    offered = [one.fix.safety for one in findings(f"{ROUTED}\t{line}\n", "HAP603") if one.fix]
    assert offered == ([] if safety is None else [safety])


def test_sni_goes_along_with_that_of_the_check_and_haproxy_accepts_it(tmp_path: Path) -> None:
    text = f"{ROUTED}\tserver s1 10.0.0.1:443 ssl verify none verifyhost a.b check # x\n"
    after = fixed_text(text, "HAP603")
    assert after.endswith("verifyhost a.b check sni str(a.b) check-sni a.b # x\n")
    assert all(judge.check(after)[0] == 0 for judge in judges(tmp_path))
    assert findings(text, "HAP603", "3.3") == []


@pytest.mark.parametrize(
    ("server", "is_refused"),
    [
        ("ssl", True),
        ("ssl verify required", True),
        ("check check-ssl", True),
        ("disabled ssl", True),
        ("ssl verify none", False),
        ("check-ssl verify none", False),
        ("", False),
    ],
)
def test_authorities_are_asked_for_as_haproxy_does(
    server: str, is_refused: bool, tmp_path: Path
) -> None:
    text = f"{ROUTED}\tserver s1 127.0.0.1:443 {server}\n"
    assert len(findings(text, "HAP604")) == is_refused
    for judge in judges(tmp_path):
        assert (judge.check(text)[0] == 1) == is_refused


def test_the_global_section_may_turn_verification_off(tmp_path: Path) -> None:
    text = f"global\n\tssl-server-verify none\n{ROUTED}\tserver s1 127.0.0.1:443 ssl\n"
    strict = text.replace("443 ssl", "443 ssl verify required")
    for given, is_refused in ((text, False), (strict, True)):
        assert len(findings(given, "HAP604")) == is_refused
        assert all((judge.check(given)[0] == 1) == is_refused for judge in judges(tmp_path))
    assert findings(text, "HAP605") == []  # it does not leave the machine
    remote = text.replace("127.0.0.1:443", "10.0.0.1:443")
    (found,) = findings(remote, "HAP605")
    assert found.related[0].span.text == "ssl-server-verify none"


def test_verify_none_is_said_once_for_a_backend() -> None:
    lines = "".join(f"\tserver s{n} 10.0.0.{n}:443 ssl verify none\n" for n in range(1, 4))
    (found,) = findings(ROUTED + lines, "HAP605")
    assert found.span.text == "verify"
    assert "and 2 more" in found.message


def test_who_signs_decides_how_bad_any_name_is() -> None:
    line = "\tserver s1 api.local.net:443 ssl ca-file {}\n"
    for file, severity in (
        ("@system-ca", Severity.WARNING),
        ("/etc/pki/tls/certs/ca-bundle.crt", Severity.WARNING),
        ("/etc/haproxy/own.pem", Severity.INFO),
    ):
        assert severities(ROUTED + line.format(file), "HAP606") == [severity]
    after = fixed_text(ROUTED + line.format("@system-ca"), "HAP606")
    assert after.endswith("ca-file @system-ca verifyhost api.local.net\n")


# HAP607 to HAP609


def test_http2_without_tls(tmp_path: Path) -> None:
    assert severities(f"{ROUTED}\tserver s1 10.0.0.1:80 proto h2\n", "HAP607") == [Severity.INFO]
    text = f"{ROUTED}\tserver s1 10.0.0.1:80 alpn h2\n"
    assert severities(text, "HAP607") == [Severity.WARNING]
    assert all(judge.check(text)[0] == 0 for judge in judges(tmp_path))
    for line in ("proto h2 ssl verify none", "alpn h2 ssl verify none", "proto h1", ""):
        assert findings(f"{ROUTED}\tserver s1 10.0.0.1:443 {line}\n", "HAP607") == []


@pytest.mark.parametrize(("protocol", "count"), [("h2c", 0), ("grpc", 0), ("http1", 1)])
def test_facts_decide_about_http2(protocol: str, count: int) -> None:
    files = {
        "haproxy.cfg": f"{ROUTED}\tserver s1 10.0.0.1:80 proto h2\n",
        "gwlint.yaml": "services:\n  a:\n    addresses: ['10.0.0.1:80']\n"
        f"    protocol: {protocol}\n",
    }
    found = [one.severity for one in findings(files, "HAP607")]
    assert found == [Severity.WARNING] * count


@pytest.mark.parametrize(
    "line",
    [
        "option forwardfor",
        "option forwarded",
        "http-request set-header X-Forwarded-For %[src]",
        "http-request add-header x-real-ip %[src]",
        "http-request lua.mark",
        "source 0.0.0.0 usesrc clientip",
        "default-server send-proxy",
    ],
)
def test_the_client_is_told_in_many_ways(line: str) -> None:
    assert len(findings(ROUTED + SERVER, "HAP608")) == 1
    assert findings(f"{ROUTED}\t{line}\n{SERVER}", "HAP608") == []


def test_forwardfor_goes_into_the_frontend(tmp_path: Path) -> None:
    after = fixed_text(ROUTED + SERVER, "HAP608")
    assert "\tbind 127.0.0.1:18080\n\toption forwardfor\n\tdefault_backend app\n" in after
    assert all(judge.check(after)[0] == 0 for judge in judges(tmp_path))
    assert findings(TCP + SERVER, "HAP608") == []


@pytest.mark.parametrize(
    ("binds", "expected"),
    [
        (":80 accept-proxy", [Severity.INFO]),
        ("203.0.114.1:80 accept-proxy", [Severity.INFO]),
        (":80 accept-proxy\n\tbind :81", [Severity.WARNING]),
        (":80 accept-proxy\n\tbind 127.0.0.1:81", [Severity.INFO]),
        ("10.0.0.1:80 accept-proxy", []),
        ("/run/a.sock accept-proxy", []),
        (":80 accept-proxy\n\ttcp-request connection reject if !{ src 10.0.0.1 }", []),
        (":80\n\ttcp-request connection expect-proxy layer4 if { src 10.0.0.1 }", []),
    ],
)
def test_who_may_send_a_proxy_header(binds: str, expected: list[Severity]) -> None:
    text = ROUTED.replace("127.0.0.1:18080", binds) + SERVER
    assert severities(text, "HAP609") == expected


# HAP701 to HAP703


def test_a_limit_of_connections() -> None:
    text = f"global\n\tdaemon\n{ROUTED}{SERVER}"
    (found,) = findings(text, "HAP701")
    assert found.span.text == "global"
    for line in ("maxconn 100", "fd-hard-limit 100", "ulimit-n 100"):
        assert findings(text.replace("daemon", line), "HAP701") == []
    assert findings(ROUTED + SERVER, "HAP701") == []


@pytest.mark.parametrize(
    ("server", "count"),
    [
        ("minconn 5 maxconn 1", 1),
        ("minconn 5", 1),
        ("minconn 5 maxconn 5", 0),
        ("minconn 1 maxconn 5", 0),
        ('minconn 5 maxconn "$N"', 0),
        ("maxconn 5", 0),
    ],
)
def test_minconn_and_maxconn(server: str, count: int) -> None:
    assert len(findings(f"{ROUTED}\tserver s1 10.0.0.1:80 {server}\n", "HAP702")) == count


def test_a_frontend_above_all_of_haproxy() -> None:
    text = f"global\n\tmaxconn 100\n{ROUTED}{SERVER}"
    own = text.replace("web\n", "web\n\tmaxconn 200\n", 1)
    inherited = text.replace("mode http\n", "mode http\n\tmaxconn 200\n")
    equal = own.replace("200", "100")
    assert severities(own, "HAP702") == [Severity.WARNING]
    assert severities(inherited, "HAP702") == [Severity.INFO]
    assert findings(equal, "HAP702") == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("maxconn 2000\n\tfd-hard-limit 1000", "450"),
        ("maxconn 600000", "524238"),
        ("maxconn 2000\n\tfd-hard-limit 5000", None),
        ("maxconn 500000", None),
        ("maxconn 600000\n\tno strict-limits", None),
        ('maxconn "$N"', None),
    ],
)
def test_more_connections_than_files(lines: str, expected: str | None) -> None:
    text = f"global\n\t{lines}\n{ROUTED}{SERVER}"
    found = findings(text, "HAP703")
    assert len(found) == (expected is not None)
    if expected is not None:
        assert f"maxconn {expected}\n" in fixed_text(text, "HAP703")


def test_five_thousand_sections_take_linear_time() -> None:
    sections = "".join(
        f"frontend f{n}\n\tbind :{n + 1}\n\tdefault_backend b{n}\nbackend b{n}\n"
        f"\tserver s 127.0.0.1:{n + 1} ssl verify none\n"
        for n in range(2500)
    )
    for code in ("HAP601", "HAP602", "HAP603", "HAP604", "HAP606", "HAP609", "HAP702"):
        assert findings(HEAD + sections, code) == [], code
