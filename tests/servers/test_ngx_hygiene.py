"""nginx, which block answers, and what the log says of it."""

from __future__ import annotations

import time

import pytest

from servers.binaries import Binary
from servers.clients import get
from servers.fixes import Correction
from servers.origins import Answer, Origin
from servers.ports import free_port
from servers.proxies import StartError, http, run_nginx


def test_ngx901_log_without_upstream(nginx: Binary, correct: Correction) -> None:
    """Fault: the access log has a 502 and not where it came from. Fix: unsafe."""
    port, closed = free_port(), free_port()
    faulty = http(f"""
        log_format short '$remote_addr "$request" $status';
        access_log access.log short;
        server {{
            listen 127.0.0.1:{port};
            location / {{ proxy_pass http://127.0.0.1:{closed}; }}
        }}
        """)
    hand = {"$status'": "$status upstream=$upstream_addr'"}
    good = correct(faulty, "NGX901", hand, "--unsafe")
    for text, is_told in ((faulty, False), (good, True)):
        with run_nginx(text, port, nginx) as proxy:
            assert get(port).result == 502
            log = proxy.folder / "access.log"
            end = time.monotonic() + 2
            while "502" not in (line := log.read_text()) and time.monotonic() < end:
                time.sleep(0.02)
            assert "502" in line
            assert (f"502 upstream=127.0.0.1:{closed}" in line) is is_told


def test_ngx902_error_log_hidden(nginx: Binary, correct: Correction) -> None:
    """Fault: a 502 without its reason in the error log. Fix: safe."""
    port, closed = free_port(), free_port()
    faulty = http(f"""
        error_log stderr crit;
        server {{
            listen 127.0.0.1:{port};
            location / {{ proxy_pass http://127.0.0.1:{closed}; }}
        }}
        """)
    good = correct(faulty, "NGX902", {"stderr crit": "stderr error"})
    for text, is_told in ((faulty, False), (good, True)):
        with run_nginx(text, port, nginx) as proxy:
            assert get(port).result == 502
            refused = r"connect\(\) failed \(111: Connection refused\)"
            assert proxy.logged(refused, within=2.0 if is_told else 0.2) is is_told


NAMES = {
    "the same": ("app.example", "app.example", "app.example"),
    "in capitals": ("app.example", "APP.example", "app.example"),
    "a dot takes the name": (".app.example", "app.example", "app.example"),
    "a dot takes what is in it": ("*.app.example", ".app.example", "x.app.example"),
    "none": ('""', '""', "other.example"),
}


@pytest.mark.parametrize("first, second, host", NAMES.values(), ids=NAMES)
def test_ngx903_conflicting_server_name(nginx: Binary, first: str, second: str, host: str) -> None:
    """Fault: the second block is never asked, and nginx says so at the start."""
    port = free_port()
    faulty = http(f"""
        server {{ listen 127.0.0.1:{port}; server_name {first}; return 201; }}
        server {{ listen 127.0.0.1:{port}; server_name {second}; return 202; }}
        """)
    with run_nginx(faulty, port, nginx) as proxy:
        assert proxy.logged("conflicting server name")
        assert get(port, headers={"Host": host}).result == 201


def test_ngx904_default_server_missing(nginx: Binary) -> None:
    """Fault: an unknown host reaches the application of the first server."""
    port = free_port()
    with Origin(Answer()) as origin:
        named = f"""
            server {{
                listen 127.0.0.1:{port};
                server_name app.example;
                location / {{ proxy_pass http://{origin.address}; }}
            }}
            server {{ listen 127.0.0.1:{port}; server_name www.example; return 204; }}
            """
        default = f"server {{ listen 127.0.0.1:{port} default_server; return 444; }}"
        for text, expected in ((named, 200), (named + default, "eof")):
            with run_nginx(http(text), port, nginx):
                assert get(port, headers={"Host": "unknown.example"}).result == expected
        with (
            pytest.raises(StartError, match="a duplicate default server"),
            run_nginx(http(default + default), port, nginx),
        ):
            pass


SHADOWED = {
    "endings": (r"location ~* \.(js|css)$", r"location ~ \.js$", "/a.js"),
    "the same": (r"location ~ /a[0-9]+", r"location ~ /a[0-9]+", "/a1"),
    "text from the start": ("location ~ ^/api", "location ~ ^/api/v1", "/api/v1/x"),
    "everything": ("location ~ .*", r"location ~ \.php$", "/x.php"),
    "closed prefix": ("location ^~ /api/", r"location ~ ^/api/v2/", "/api/v2/x"),
    "exact": ("location = /status", r"location ~ ^/status$", "/status"),
}


@pytest.mark.parametrize("first, second, path", SHADOWED.values(), ids=SHADOWED)
def test_ngx905_unreachable_location(nginx: Binary, first: str, second: str, path: str) -> None:
    """Fault: the first location takes all that fits the second, which answers without it."""
    port = free_port()
    for blocks, expected in (
        (f"{first} {{ return 201; }} {second} {{ return 202; }}", 201),
        (f"{second} {{ return 202; }}", 202),
    ):
        text = http(f"server {{ listen 127.0.0.1:{port}; {blocks} location / {{ return 203; }} }}")
        with run_nginx(text, port, nginx):
            assert get(port, path).result == expected


def test_ngx905_return_beside_locations(nginx: Binary) -> None:
    """Fault: a `return` of the server answers whatever locations there are, wherever it stands."""
    port = free_port()
    text = http(f"""
        server {{
            listen 127.0.0.1:{port};
            location /.well-known/ {{ return 204; }}
            location = /exact {{ return 204; }}
            return 301 https://app.example;
        }}
        """)
    with run_nginx(text, port, nginx):
        for path in ("/", "/.well-known/x", "/exact"):
            assert get(port, path).result == 301
