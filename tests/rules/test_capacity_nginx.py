"""NGX701 to NGX708 beyond their examples, and all fixes of both topics together."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed_text

from gwlint.rule import Severity

PASSING = """http {
    server {
        listen unix:s;
        location / { proxy_pass http://127.0.0.1:1; }
    }
}
"""

LIMITED = """events {{}}
http {{
    limit_req_zone {key} zone=one:1m rate={rate};
    server {{
        listen {listen};
        location / {{
            limit_req zone=one{burst};
            {more}
            proxy_pass http://127.0.0.1:1;
        }}
    }}
}}
"""


def limited(
    rate: str = "10r/s",
    burst: str = "",
    more: str = "",
    key: str = "$binary_remote_addr",
    listen: str = "8080",
) -> str:
    return LIMITED.format(rate=rate, burst=burst, more=more, key=key, listen=listen)


def nginx_accepts(text: str, folder: Path) -> bool:
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail("nginx is not installed")
        pytest.skip("nginx is not installed")
    (folder / "nginx.conf").write_bytes(text.encode())
    (folder / "logs").mkdir(exist_ok=True)
    command = [binary, "-t", "-e", "stderr", "-p", f"{folder}/", "-c", "nginx.conf"]
    return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0


@pytest.mark.parametrize(
    ("events", "severity"),
    [
        ("events { worker_connections 100; }", Severity.WARNING),
        ("events { worker_connections 511; }", Severity.WARNING),
        ("events { worker_connections 512; }", Severity.INFO),
        ("events { worker_connections 768; }", Severity.INFO),
        ("events {}", Severity.INFO),
        ("events { worker_connections 513; }", None),
        ("events { worker_connections 1024; }", None),
        ("events { include /elsewhere/events.conf; }", None),
    ],
)
def test_numbers_of_connections(events: str, severity: Severity | None) -> None:
    found = [one.severity for one in findings(f"{events}\n{PASSING}", "NGX701")]
    assert found == ([] if severity is None else [severity])


def test_more_connections_come_with_more_files(tmp_path: Path) -> None:
    after = fixed_text(f"events {{\r\n\tworker_connections 64;\r\n}}\r\n{PASSING}", "NGX701")
    assert after.startswith("worker_rlimit_nofile 8192;\r\nevents {\r\n\tworker_connections 4096;")
    assert findings(after, "NGX702") == []
    assert nginx_accepts(after, tmp_path)
    high = f"worker_rlimit_nofile 65535;\nevents {{}}\n{PASSING}"
    assert "worker_rlimit_nofile 65535;" in fixed_text(high, "NGX701")


@pytest.mark.parametrize(
    ("files", "severity"),
    [
        (999, Severity.WARNING),
        (1000, Severity.WARNING),
        (1001, Severity.INFO),
        (1999, Severity.INFO),
        (2000, None),
    ],
)
def test_files_for_connections(files: int, severity: Severity | None) -> None:
    text = f"worker_rlimit_nofile {files};\nevents {{ worker_connections 1000; }}\n{PASSING}"
    found = [one.severity for one in findings(text, "NGX702")]
    assert found == ([] if severity is None else [severity])


def test_one_worker_by_choice_is_no_fault() -> None:
    assert findings(f"worker_processes 1;\nevents {{}}\n{PASSING}", "NGX703") == []


@pytest.mark.parametrize(
    ("text", "added"),
    [
        (limited("10r/s"), "zone=one burst=20 nodelay;"),
        (limited("100r/s"), "zone=one burst=200 nodelay;"),
        (limited("5r/m"), "zone=one burst=5 nodelay;"),
        (limited("5r/s", " nodelay"), "zone=one burst=20 nodelay;"),
        (limited("5r/s", " delay=3"), "zone=one burst=20 delay=3;"),
    ],
)
def test_bursts_are_added(text: str, added: str, tmp_path: Path) -> None:
    after = fixed_text(text, "NGX704")
    assert f"limit_req {added}" in after
    assert nginx_accepts(after.replace("8080", "unix:s"), tmp_path)


def test_a_dry_run_refuses_nobody() -> None:
    assert findings(limited(more="limit_req_dry_run on;"), "NGX704") == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (limited(listen="127.0.0.1:8080"), 1),
        (limited(listen="unix:/run/nginx.sock"), 1),
        (limited(listen="8080 proxy_protocol"), 1),
        (limited(listen="8080"), 0),
        (limited(more="proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;"), 1),
        (limited(more='if ($http_x_forwarded_proto = "http") { return 301 /; }'), 1),
        (limited(more='if ($http_x_forwarded_host ~ "<") { return 403; }'), 0),
        (limited(listen="127.0.0.1:8080", key="$http_x_forwarded_for"), 0),
        (limited(listen="127.0.0.1:8080", more="set_real_ip_from 10.0.0.1;"), 0),
    ],
)
def test_what_says_that_a_proxy_is_in_front(text: str, count: int) -> None:
    assert len(findings(text, "NGX705")) == count


def test_a_status_that_is_set_is_a_decision() -> None:
    assert findings(limited(more="limit_req_status 503;"), "NGX706") == []
    assert "limit_req_status 429;" in fixed_text(limited(), "NGX706")


def test_zones_as_nginx_says(tmp_path: Path) -> None:
    text = limited(listen="unix:s")
    assert findings(text, "NGX707") == []
    assert nginx_accepts(text, tmp_path)
    for wrong in (
        text.replace("zone=one;", "zone=oen;"),
        text.replace("limit_req zone=one", "limit_conn one 3"),
    ):
        (found, *_) = [one for one in findings(wrong, "NGX707") if one.severity is Severity.ERROR]
        assert "does not start" in found.message
        assert not nginx_accepts(wrong, tmp_path)
    (found,) = findings(text.replace("limit_req zone=one;", ""), "NGX707")
    assert found.severity is Severity.INFO


def test_zones_may_be_elsewhere() -> None:
    text = limited().replace("zone=one;", "zone=two;")
    assert (
        findings(text.replace("http {", "http {\n    include /elsewhere/*.conf;"), "NGX707") == []
    )
    part = "server {\n    listen 80;\n    location / { limit_req zone=one; }\n}\n"
    assert findings({"conf.d/site.conf": part}, "NGX707") == []


EVERYTHING = """events {
    worker_connections 100;
}
http {
    include mime.types;
    limit_req_zone $binary_remote_addr zone=one:1m rate=10r/s;
    upstream my_app { server 192.0.2.1:443; }
    upstream local { server 127.0.0.1:3000; }
    server {
        listen unix:s;
        proxy_set_header X-Real-IP $remote_addr;
        limit_req zone=one;
        location / { proxy_pass https://my_app; proxy_ssl_server_name on; }
        location /ws {
            proxy_pass http://local;
        }
        location /half {
            proxy_set_header Upgrade $http_upgrade; # half a pair
            proxy_pass http://local;
        }
        location /tls { proxy_pass https://192.0.2.1; proxy_set_header Host a.example.com; }
    }
}
"""

CODES = [f"NGX{number}" for number in (*range(601, 613), *range(701, 709))]


def test_all_fixes_go_together(tmp_path: Path) -> None:
    """One after the other, in either order, nothing fixable is left and nginx accepts it."""
    (tmp_path / "mime.types").write_text("types { text/html html; }\n")
    for codes in (CODES, CODES[::-1]):
        text = EVERYTHING
        for _ in range(3):
            for code in codes:
                text = fixed_text(text, code)
        left = [code for code in CODES if any(one.fix for one in findings(text, code))]
        assert left == []
        assert nginx_accepts(text, tmp_path), text
