"""NGX005: what each version says of old directives, and the fixes that keep what they meant."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gwlint.rule import Severity

sys.path.insert(0, str(Path(__file__).parent))
from nginx_accepts import accepts
from support import findings, fixed_text

NEWEST = "1.31.3"


def conf(server: str, http: str = "") -> str:
    return f"events {{}}\nhttp {{\n{http}\nserver {{\n{server}\n}}\n}}\n"


def severities(text: str, target: str | None) -> list[Severity]:
    return [one.severity for one in findings(text, "NGX005", target)]


E, W, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


@pytest.mark.parametrize(
    ("line", "by_target"),
    [
        ("ssl on;", {"1.14.2": None, "1.22.1": W, "1.25.0": W, NEWEST: E, "": W}),
        (
            "listen 443 ssl http2;",
            {"1.22.1": None, "1.25.0": None, "1.25.1": W, NEWEST: W, "": INFO},
        ),
        ("listen 443 ssl spdy;", {"1.8.1": None, "1.9.5": W, "1.22.1": E, "": W}),
        ("http2_push /a.css;", {"1.22.1": None, NEWEST: W, "": INFO}),
        ("http2_max_requests 10;", {"1.18.0": None, "1.22.1": W, "": INFO}),
        ("satisfy_any on;", {"1.22.1": E, "": E}),
        ("http2 on;", {"1.22.1": None, NEWEST: None, "": None}),
        ("listen 443 ssl;", {NEWEST: None, "": None}),
    ],
)
def test_what_each_version_says(line: str, by_target: dict[str, Severity | None]) -> None:
    for target, severity in by_target.items():
        expected = [] if severity is None else [severity]
        assert severities(conf(line), target or None) == expected, target


def test_refused_means_refused(tmp_path: Path) -> None:
    """What is an error here, the real servers refuse; what is a warning, they take."""
    for line in ("satisfy_any on;", "listen 7443 spdy;", "optimize_server_names on;"):
        assert severities(conf(line), "1.22.1") == [E]
        assert not accepts(conf(line), tmp_path)
    assert not accepts(conf("ssl on;"), tmp_path, newest=True)
    for line in ("listen unix:test.sock http2;", "http2_push_preload on;", "http2_max_requests 1;"):
        assert severities(conf(line), NEWEST) == [W]
        assert accepts(conf(line), tmp_path, newest=True)


FIXES = {
    "two listens": (
        "\tlisten 443 ssl http2; # main\n\tlisten [::]:443 ssl http2 backlog=511;",
        "\tlisten 443 ssl; # main\n\tlisten [::]:443 ssl backlog=511;\n\thttp2 on;",
    ),
    "one line": ("listen 443 http2 ssl; root /a;", "listen 443 ssl; http2 on; root /a;"),
    "http2 on is there": ("http2 on; listen 443 ssl http2;", "http2 on; listen 443 ssl;"),
    "ssl on": ("    listen 443;\n    ssl on;\n", "    listen 443 ssl;\n"),
    "ssl on, half migrated": (
        "    listen 443 ssl;\n    listen [::]:443;\n    ssl on;\n",
        "    listen 443 ssl;\n    listen [::]:443 ssl;\n",
    ),
    "ssl off": ("    listen 80;\n    ssl off;\n", "    listen 80;\n"),
    "spdy": ("listen 443 ssl spdy;", "listen 443 ssl;"),
    "push": ("    http2_push /a.css; # gone\n    root /a;", "    root /a;"),
    "satisfy_any": ("satisfy_any on;", "satisfy any;"),
    "satisfy_any off": ("satisfy_any off;", "satisfy all;"),
    "another name": ("open_file_cache_retest 30s;", "open_file_cache_valid 30s;"),
}


@pytest.mark.parametrize(("before", "after"), FIXES.values(), ids=FIXES)
def test_the_fix_says_the_same(before: str, after: str, tmp_path: Path) -> None:
    assert fixed_text(conf(before), "NGX005", NEWEST) == conf(after)
    without_tls = after.replace(" ssl;", ";").replace(" ssl ", " ").replace("443", "7443")
    assert accepts(conf(without_tls.replace("listen 80", "listen 7080")), tmp_path, newest=True)


def test_limit_zone(tmp_path: Path) -> None:
    text = conf("limit_conn perip 5;", "limit_zone  perip $binary_remote_addr  10m;")
    after = fixed_text(text, "NGX005")
    assert "limit_conn_zone  $binary_remote_addr zone=perip:10m;" in after
    assert accepts(
        after.replace("limit_conn perip", "listen unix:a.sock; limit_conn perip"), tmp_path
    )


NO_FIX = {
    "port 80 beside": ("listen 80; listen 443; ssl on;", ""),
    "no listen": ("ssl on;", ""),
    "all servers": ("listen 443;", "ssl on;"),
    "another server speaks plain text there": (
        "listen 444; ssl on;",
        "server { listen 444; server_name b; }",
    ),
    "http2 off": ("http2 off; listen 443 ssl http2;", ""),
    "the value stands there already": ("satisfy all; satisfy_any on;", ""),
}


@pytest.mark.parametrize(("server", "http"), NO_FIX.values(), ids=NO_FIX)
def test_what_takes_a_decision_has_no_fix(server: str, http: str) -> None:
    (one,) = findings(conf(server, http), "NGX005", NEWEST)
    assert one.fix is None


def test_without_a_target_nothing_newer_is_written() -> None:
    for line in ("listen 443 ssl http2;", "http2_push /a;", "http2_max_requests 1;"):
        (one,) = findings(conf(line), "NGX005")
        assert one.fix is None


def test_servers_of_one_address_get_http2_together() -> None:
    text = conf("listen 443 ssl http2;", "server { listen 443 ssl; server_name b; }")
    assert fixed_text(text, "NGX005", NEWEST) == conf(
        "listen 443 ssl;\nhttp2 on;", "server { listen 443 ssl; http2 on; server_name b; }"
    )


def test_servers_that_all_have_ssl_on_share_an_address() -> None:
    server = "    listen 443;\n    ssl on;\n"
    text = conf(server, f"server {{\n{server}}}")
    assert fixed_text(text, "NGX005", NEWEST) == text.replace("443;", "443 ssl;").replace(
        "    ssl on;\n", ""
    )


def test_fragments_and_shared_files() -> None:
    part = {"nginx/conf.d/a.conf": "server {\n    listen 443 ssl http2;\n}\n"}
    (one,) = findings(part, "NGX005", NEWEST)
    assert (one.severity, one.fix) == (W, None)
    shared = {
        "nginx.conf": conf("include tls.inc;", "server { include tls.inc; }"),
        "tls.inc": "listen 443 ssl http2;\nssl on;\n",
    }
    assert [one.fix for one in findings(shared, "NGX005", NEWEST)] == [None, None]


def test_entries_of_maps_are_no_directives() -> None:
    assert findings(conf("listen 80;", "map $uri $x { ssl on; }"), "NGX005", NEWEST) == []


def test_what_is_gone_is_not_called_unknown_as_well() -> None:
    assert findings(conf("satisfy_any on;"), "NGX002") == []
