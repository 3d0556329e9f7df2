"""Faults that were seen on a running HAProxy: the faulty form is named, its corrected form is not.

Changes are those of `haproxy_fault_rows`. What was measured to be no fault is never claimed.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from haproxy_fault_rows import changed

from gwlint.engine import check
from gwlint.project import load_project
from gwlint.registry import all_rules
from gwlint.rule import Severity
from gwlint.settings import Settings

TLS = "127.0.0.1:3001 => 10.0.0.5:8443 ssl ca-file /etc/ssl/certs/ca-certificates.crt"
NO_CHECK = ("option httpchk => #", "http-check send => #http-check send")
BOTH = "check maxconn"
OTHER = "a backend other\n    option httpchk\n    server o1 127.0.0.1:3009 check"
WIDE, NARROW = (
    "f use_backend be if { path_beg /api }",
    "f use_backend other if { path_beg /api/v2 }",
)

FAULTS: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
    ("HAP201", ("g tune.bufsize 1024",), ("g tune.bufsize 32768",)),
    ("HAP202", ("g tune.maxrewrite 8192",), ("g tune.maxrewrite 1024",)),
    ("HAP501", (f"{BOTH} => maxconn", *NO_CHECK), ()),
    ("HAP301", ("timeout client 30s => #", "timeout server 30s => #"), ()),
    ("HAP402", ("d http-reuse never",), ("d http-reuse safe",)),
    ("HAP401", ("d option httpclose",), ()),
    ("HAP403", ("d http-reuse always",), ("d http-reuse safe",)),
    ("HAP506", ("d retry-on all-retryable-errors",), ("d retry-on conn-failure",)),
    (
        "HAP304",
        ("f use_backend be if { hdr(Upgrade) -i websocket }",),
        ("f use_backend be if { hdr(Upgrade) -i websocket }", "d timeout tunnel 1h"),
    ),
    ("HAP305", ("timeout queue 10s => #",), ()),
    ("HAP609", ("bind 127.0.0.1:18080 => bind :18080 accept-proxy",), ()),
    ("HAP604", ("127.0.0.1:3001 => 10.0.0.5:8443 ssl",), (TLS,)),
    (
        "HAP603",
        (f"{TLS} verifyhost app.example.com",),
        (f"{TLS} verifyhost app.example.com sni str(app.example.com)",),
    ),
    ("HAP606", (TLS,), (f"{TLS} verifyhost app.example.com",)),
    (
        "HAP508",
        (f"{TLS} sni str(app.example.com)",),
        (f"{TLS} sni str(app.example.com) check-sni app.example.com",),
    ),
    ("HAP308", (f"{BOTH} => check inter 20s fall 5 maxconn",), ()),
    ("HAP503", NO_CHECK, ()),
    ("HAP507", (" hdr Host app.example.com => ",), ()),
    ("HAP607", ("127.0.0.1:3001 => 127.0.0.1:3001 proto h2",), ()),
    ("HAP101", ("default_backend be => default_backend bee",), ()),
    ("HAP108", ("server s1 => #server s1", "server s2 => #server s2"), ()),
    ("HAP110", ("default_backend be => use_backend be if { path /x }",), ()),
    (
        "HAP901",
        ("f use_backend be if { path /x }", "f http-request set-header X-A b"),
        ("f http-request set-header X-A b", "f use_backend be if { path /x }"),
    ),
    ("HAP601", ("b mode tcp",), ()),
    ("HAP902", (WIDE, NARROW, OTHER), (NARROW, WIDE, OTHER)),
    ("HAP109", (f"{BOTH} => weight 0 check maxconn",), ()),
    ("HAP303", ("timeout http-request 10s => #",), ()),
    ("HAP306", ("timeout connect 5s => timeout connect 30s",), ()),
    ("HAP504", ("option redispatch => #",), ()),
    ("HAP511", (f"{BOTH} => check observe layer7 on-error mark-down maxconn",), ()),
]


def codes(changes: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    folder.joinpath("haproxy.cfg").write_text(changed(changes), encoding="utf-8")
    monkeypatch.chdir(folder)
    settings = Settings()
    return {
        one.code for one in check(load_project(["."], settings), settings, all_rules()).findings
    }


@pytest.mark.parametrize(("code", "faulty", "good"), FAULTS)
def test_the_fault_is_named_and_its_correction_is_not(
    code: str,
    faulty: tuple[str, ...],
    good: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert code in codes(faulty, tmp_path, monkeypatch)
    assert code not in codes(good, tmp_path, monkeypatch)


def test_a_client_timeout_below_that_of_the_server_is_no_fault_in_http(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("haproxy.cfg").write_text(
        changed(("timeout client 30s => timeout client 5s",)), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    found = check(load_project(["."], settings), settings, all_rules()).findings
    assert [one.code for one in found if one.severity > Severity.INFO] == []
    assert "HAP307" not in {one.code for one in found}
