"""HAP901 to HAP905: order, reach and meaning of rules, logs, settings that stand twice."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from haproxy_judge import Judge, judges
from support import findings, fixed_text

from gwlint.rule import Severity

HEAD = """\
defaults
\tmode http
\ttimeout connect 5s
\ttimeout client 5s
\ttimeout server 5s
"""
BACKENDS = (
    "backend app\n\tserver s1 127.0.0.1:3000\nbackend api\n\tserver s1 127.0.0.1:3001\n"
    "backend v2\n\tserver s1 127.0.0.1:3002\n"
)


def frontend(*lines: str) -> str:
    body = "".join(f"\t{line}\n" for line in lines)
    return f"{HEAD}frontend web\n\tbind 127.0.0.1:18080\n{body}{BACKENDS}"


def printed(judge: Judge, text: str) -> str:
    """All that the server says of a file, also without a line number."""
    file = judge.folder / "printed.cfg"
    file.write_text(text)
    done = subprocess.run(
        [judge.binary, "-c", "-f", file],
        capture_output=True,
        text=True,
        timeout=20,
        env={**os.environ, **judge.environment},
        check=False,
    )
    return done.stderr


STAGES = [
    "tcp-request connection reject if { src 192.0.2.1 }",
    "tcp-request session accept if { src 192.0.2.1 }",
    "tcp-request content accept if { src 192.0.2.1 }",
    "monitor fail if { nbsrv(app) lt 1 }",
    "http-request set-header X-A b",
    "redirect prefix /a if { path /x }",
    "use_backend api if { path /y }",
]


def test_every_pair_is_judged_as_haproxy_does(tmp_path: Path) -> None:
    for judge in judges(tmp_path):
        for first in STAGES:
            for second in STAGES:
                text = frontend(first, second)
                warned = any(
                    "will still be processed before" in said
                    for reports in judge.check(text)[1].values()
                    for _, said in reports
                )
                assert bool(findings(text, "HAP901")) == warned, (first, second)


def test_rules_come_in_order_with_their_comments(tmp_path: Path) -> None:
    text = frontend(
        "# to v2",
        "use_backend v2 if { path /a } # first",
        "redirect prefix /a if { path /x }",
        "acl late path /late",
        "",
        "# no entry",
        "http-request deny if late",
        "use_backend api if late",
        "tcp-request content accept if { src 192.0.2.1 }",
        "http-request set-header X-A b",
        "default_backend app",
    )
    (found,) = findings(text, "HAP901")
    assert "3 more" in found.message
    after = fixed_text(text, "HAP901")
    assert after == frontend(
        "acl late path /late",
        "",
        "tcp-request content accept if { src 192.0.2.1 }",
        "# no entry",
        "http-request deny if late",
        "http-request set-header X-A b",
        "redirect prefix /a if { path /x }",
        "# to v2",
        "use_backend v2 if { path /a } # first",
        "use_backend api if late",
        "default_backend app",
    )
    assert all(judge.check(after) == (0, {}) for judge in judges(tmp_path))
    windows = text.replace("\n", "\r\n")
    assert fixed_text(windows, "HAP901") == after.replace("\n", "\r\n")


@pytest.mark.parametrize(
    "text",
    [
        frontend(".if defined(X)", STAGES[6], ".endif", STAGES[4]),
        frontend(STAGES[6], STAGES[4]).replace("mode http", "mode tcp"),
        frontend(STAGES[6], "http-response set-header X-A b", "acl a path /x"),
    ],
)
def test_no_order_is_claimed(text: str) -> None:
    assert findings(text, "HAP901") == []


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("", "if { path /x }"),
        ("if TRUE", "if { path /x }"),
        ("if { path_beg /api }", "if { path_beg /api/v2 }"),
        ("if { path_beg /api }", "if { path /api/v2 }"),
        ("if { path_beg -i /API }", "if { path_beg /api/v2 } METH_POST"),
        ("if { hdr(host) a.local b.local }", "if { req.hdr(Host) b.local }"),
        ("if { hdr_end(host) .local }", "if { hdr(host) b.local } or { hdr(host) a.local }"),
        ("if is_api or is_v2", "if is_v2"),
        ("if is_api", "if is_api is_v2"),
        ("if !is_api", "unless is_api"),
        ("unless is_v2", "if { src 192.0.2.1 } !is_v2"),
        ("if is_api", "if { path_beg /api/x }"),
        ("if { src 10.0.0.0/8 192.0.2.1 }", "if { src 192.0.2.1 }"),
        ("if { path_reg ^/a ^/b }", "if { path_reg ^/a }"),
    ],
)
def test_the_later_rule_is_never_reached(earlier: str, later: str) -> None:
    text = frontend(
        "acl is_api path_beg /api",
        "acl is_v2 path_beg /v2",
        f"use_backend api {earlier}",
        f"use_backend v2 {later}",
        "default_backend app",
    )
    first = findings(text, "HAP902")[0]
    assert (first.statement.normalised, first.severity) == (
        f"use_backend v2 {later}",
        Severity.WARNING,
    )


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("if { path_beg /api/v2 }", "if { path_beg /api }"),
        ("if { path_beg /api }", "if { path_beg -i /api }"),
        ("if { path_beg /api }", "if { path_sub /api }"),
        ("if { path /api }", "if { path_beg /api }"),
        ("if { hdr(host) a.local }", "if { hdr(host) -i a.local }"),
        ("if { hdr(host) a.local }", "if { hdr(x-host) a.local }"),
        ("if is_api is_v2", "if is_api"),
        ("if is_api", "unless is_api"),
        ("if !is_api", "if !is_v2"),
        ("if { rand(100) lt 50 }", "if { rand(100) lt 50 }"),
        ("if { path_beg /api }", "if { path_reg ^/api/v2 }"),
        ("if { path_beg -f /etc/a.lst }", "if { path_beg /api }"),
        ("unless TRUE", "if { path /x }"),
        ("if { path_beg /api }", "if { path,lower -m beg /api }"),
        ("if { src 10.0.0.0/8 }", "if { src 10.1.0.0/16 }"),
    ],
)
def test_what_cannot_be_proved_is_not_claimed(earlier: str, later: str) -> None:
    text = frontend(
        "acl is_api path_beg /api",
        "acl is_v2 path_beg /v2",
        f"use_backend api {earlier}",
        f"use_backend v2 {later}",
        "default_backend app",
    )
    assert findings(text, "HAP902") == []


def test_a_dynamic_or_conditional_rule_takes_nothing_for_certain() -> None:
    dynamic = frontend("use_backend %[req.hdr(x)]", "default_backend app")
    conditional = frontend(".if defined(X)", "use_backend api", ".endif", "default_backend app")
    assert findings(dynamic, "HAP902") == findings(conditional, "HAP902") == []


def test_final_rules_are_those_of_which_haproxy_warns(tmp_path: Path) -> None:
    actions = (
        "allow", "auth", "deny", "tarpit", "return status 200", "redirect scheme https",
        "redirect location /x ignore-empty", "set-header X-A b", "deny if { path /x }",
    )  # fmt: skip
    for judge in judges(tmp_path):
        for action in actions:
            text = frontend(f"http-request {action}", "http-request set-header X-C d")
            warned = "is final" in str(judge.check(text)[1])
            assert bool(findings(text, "HAP902")) == warned, action


@pytest.mark.parametrize(
    "expression",
    [
        "path", "path_beg", "nbsrv", "src", "hdr(host),lower", "method", "urlp(x)", "rand(10)",
        "hdr_cnt(a)", "ssl_fc_sni", "env(X)", "urlp(a),length", "path -m found", "path -i",
        "ssl_fc", "path --", "always_true", "path /x", "path,url_dec -m bool", "path -m str",
        "src,ipmask(24)",
    ],
)  # fmt: skip
def test_missing_patterns_are_those_of_which_haproxy_warns(expression: str, tmp_path: Path) -> None:
    text = frontend(f"acl any {expression}", "use_backend api if any")
    for judge in judges(tmp_path):
        assert bool(findings(text, "HAP903")) == ("no pattern to match" in printed(judge, text))


@pytest.mark.parametrize(
    "line",
    [
        "use_backend api if { status 200 }",
        "http-request deny if { res.hdr(a) b }",
        "http-request deny if { req.hdr(a) b }",
        "http-response set-header X-A b if { path /x }",
        "http-response set-header X-A b if { hdr(a) b }",
        "http-response set-header X-A b if { src 192.0.2.1 }",
        "http-response set-header X-A b if METH_GET",
        "http-after-response set-header X-A b if { path / }",
        "http-request deny if { var(txn.a) -m str b }",
    ],
)
def test_samples_of_the_other_direction_are_those_of_which_haproxy_warns(
    line: str, tmp_path: Path
) -> None:
    text = frontend(line)
    for judge in judges(tmp_path):
        assert bool(findings(text, "HAP903")) == ("will never match" in str(judge.check(text)[1]))


def test_a_name_with_one_acl_that_works_is_left_alone() -> None:
    text = frontend("acl a path /x", "acl a status 404", "http-response deny if a")
    assert findings(text, "HAP903") == []


def test_logs() -> None:
    plain = frontend("default_backend app")
    assert [found.severity for found in findings(plain, "HAP904")] == [Severity.INFO]
    target = "global\n\tlog stdout format raw local0\n" + plain
    assert len(findings(target, "HAP904")) == 1
    logged = target.replace("mode http", "mode http\n\tlog global")
    assert "neither status" in findings(logged, "HAP904")[0].message
    assert findings(logged.replace("log global", "log global\n\toption httplog"), "HAP904") == []
    assert findings("frontend web\n\tbind :80\n\tdefault_backend app\n", "HAP904") == []


@pytest.mark.parametrize(
    ("first", "second", "severity"),
    [
        ("default_backend app", "default_backend api", Severity.WARNING),
        ("default_backend app", "default_backend app", Severity.INFO),
        ("maxconn 10", "maxconn 20", Severity.WARNING),
        ("timeout client 5s", "timeout client 6s", Severity.WARNING),
        ("option http-server-close", "option httpclose", Severity.WARNING),
        ("timeout client 5s", "timeout http-request 5s", None),
        ("option httplog", "option dontlognull", None),
        ("acl a path /x", "acl a path /y", None),
        ("no option httpclose", "option http-keep-alive", None),
    ],
)
def test_settings_that_stand_twice(first: str, second: str, severity: Severity | None) -> None:
    found = [one.severity for one in findings(frontend(first, second), "HAP905")]
    assert found == ([] if severity is None else [severity])


@pytest.mark.parametrize(
    ("text", "target", "severity"),
    [
        ("backend one\n\tserver a :1\n\tserver a :2\n", None, Severity.ERROR),
        ("backend app\n\tserver a :1\n", None, Severity.ERROR),
        ("frontend web\n\tbind :81\n\tdefault_backend app\n", None, Severity.ERROR),
        ("backend web\n\tserver a :1\n", None, Severity.INFO),
        ("backend web\n\tserver a :1\n", "3.2", Severity.WARNING),
        ("backend web\n\tserver a :1\n", "3.3", Severity.ERROR),
        ("listen web\n\tbind :81\n\tserver a :1\n", None, Severity.ERROR),
        ("backend one\n\tserver a :1\n\tserver b :2\n", None, None),
    ],
)
def test_names_that_are_given_twice(
    text: str, target: str | None, severity: Severity | None, tmp_path: Path
) -> None:
    whole = frontend("default_backend app") + text
    found = [one.severity for one in findings(whole, "HAP905", target)]
    assert found == ([] if severity is None else [severity])
    if target is None:
        refused = severity is Severity.ERROR
        assert all((judge.check(whole)[0] == 1) == refused for judge in judges(tmp_path))
