"""nginx, the upstream keep-alive pool: missing, without effect, too small, or kept too long."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

from servers.binaries import Binary
from servers.clients import get, post, several, tally
from servers.fixes import Correction
from servers.origins import Origin
from servers.ports import free_port
from servers.proxies import http, hurried, run_nginx

REQUESTS = 8

VERSION = "proxy_http_version 1.1;"
CLEARED = 'proxy_set_header Connection "";'

SCENARIOS = {
    # The fixes also settle the idle limit, which they can only guess here: hence unsafe.
    "NGX402": ("keepalive 8;", CLEARED, {CLEARED: f"{VERSION} {CLEARED}"}),
    "NGX403": ("keepalive 8;", VERSION, {VERSION: f"{VERSION} {CLEARED}"}),
    "NGX404": (
        "keepalive 8;\n    least_conn;",
        f"{VERSION} {CLEARED}",
        {"keepalive 8;\n        least_conn;": "least_conn;\n        keepalive 8;"},
    ),
}


@pytest.mark.parametrize("code", SCENARIOS)
def test_pool_without_effect(nginx_old: Binary, correct: Correction, code: str) -> None:
    """Fault: a new connection for every request; from 1.29.7 on the defaults heal it."""
    pool, location, hand = SCENARIOS[code]
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
upstream app {{
    server {origin.address};
    {pool}
}}
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://app;
        {location}
    }}
}}
""")
        good = correct(faulty, code, hand, "--unsafe")
        for text, connections in ((faulty, REQUESTS), (good, 1)):
            origin.forget()
            with run_nginx(text, port, nginx_old):
                assert tally(several(REQUESTS, lambda _: get(port))) == {200: REQUESTS}
            assert origin.seen.connections == connections


def test_ngx401_upstream_without_keepalive(nginx_old: Binary, correct: Correction) -> None:
    """Fault: a new connection for every request; from 1.29.7 on the defaults heal it."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            upstream app {{
                server {origin.address};
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://app;
                    proxy_set_header Host $host;
                }}
                location /other {{ proxy_pass http://app; }}
            }}
            """)
        hand = {
            f"server {origin.address};": f"server {origin.address}; keepalive 8;",
            "http://app;": f"http://app; {VERSION} {CLEARED}",
        }
        good = correct(faulty, "NGX401", hand, "--unsafe")
        for text, connections in ((faulty, 2 * REQUESTS), (good, 1)):
            origin.forget()
            with run_nginx(text, port, nginx_old):
                for path in ("/", "/other"):
                    replies = several(REQUESTS, lambda _, path=path: get(port, path))
                    assert tally(replies) == {200: REQUESTS}
            assert origin.seen.connections == connections
            hosts = {request.header("Host") for request in origin.seen.requests}
            assert "app" in hosts
            assert len(hosts) == 2


def test_ngx405_upgrade_on_every_request(nginx: Binary, correct: Correction) -> None:
    """Fault: plain requests tell the application of an upgrade that nobody asked for."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://{origin.address};
                    {VERSION}
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection "upgrade";
                }}
            }}
            """)
        hand = {
            "server {": "map $http_upgrade $asked { default upgrade; '' ''; }\n    server {",
            '"upgrade"': "$asked",
        }
        good = correct(faulty, "NGX405", hand, "--unsafe")
        for text, plain in ((faulty, "upgrade"), (good, "")):
            origin.forget()
            with run_nginx(text, port, nginx):
                assert get(port).result == 200
                assert get(port, headers={"Upgrade": "x", "Connection": "Upgrade"}).result == 200
            first, second = origin.seen.requests
            assert first.header("Connection") == plain
            assert second.header("Connection") == "upgrade"
            assert second.header("Upgrade") == "x"


def test_ngx406_connection_map_closes(nginx: Binary, correct: Correction) -> None:
    """Fault: with the usual map each plain request closes the connection it came on."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            map $http_upgrade $connection_upgrade {{
                default upgrade;
                ''      close;
            }}
            upstream app {{
                server {origin.address};
                keepalive 8;
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://app;
                    {VERSION}
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection $connection_upgrade;
                }}
            }}
            """)
        good = correct(faulty, "NGX406", {"close;": "'';"}, "--unsafe")
        for text, connections in ((faulty, REQUESTS), (good, 1)):
            origin.forget()
            with run_nginx(text, port, nginx):
                assert tally(several(REQUESTS, lambda _: get(port))) == {200: REQUESTS}
            assert origin.seen.connections == connections


def test_ngx407_keepalive_pool_tiny(nginx: Binary, correct: Correction) -> None:
    """Fault: a pool of one for three servers in turn throws out what the next request needs."""
    port = free_port()
    with ExitStack() as stack:
        origins = [stack.enter_context(Origin()) for _ in range(3)]
        servers = " ".join(f"server {origin.address};" for origin in origins)
        faulty = http(f"""
            upstream app {{
                {servers}
                keepalive 1;
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://app; {VERSION} {CLEARED} }}
            }}
            """)
        good = correct(faulty, "NGX407", {"keepalive 1;": "keepalive 16;"}, "--unsafe")
        for text, connections in ((faulty, 9), (good, 3)):
            for origin in origins:
                origin.forget()
            with run_nginx(text, port, nginx):
                assert tally(several(9, lambda _: get(port))) == {200: 9}
            assert sum(origin.seen.connections for origin in origins) == connections


def test_ngx409_direct_address_no_pool(nginx: Binary, correct: Correction) -> None:
    """Fault: without an upstream block no version keeps a connection."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://{origin.address};
                    {VERSION}
                    {CLEARED}
                    proxy_set_header Host $host;
                }}
            }}
            """)
        hand = {
            "server {": f"upstream app {{ server {origin.address}; keepalive 8; }}\n    server {{",
            f"http://{origin.address};": "http://app;",
        }
        good = correct(faulty, "NGX409", hand, "--unsafe")
        for text, connections in ((faulty, REQUESTS), (good, 1)):
            origin.forget()
            with run_nginx(text, port, nginx):
                assert tally(several(REQUESTS, lambda _: get(port))) == {200: REQUESTS}
            assert origin.seen.connections == connections


def test_ngx410_idle_race_by_default(nginx: Binary, correct: Correction) -> None:
    """Fault: a POST on a connection that the application is closing is a 502. Fix: safe."""
    port = free_port()
    # An application that closes after 5 s, twenty times as fast; closing takes it a moment.
    with Origin(idle=0.25, lag=0.3) as origin:
        faulty = http(f"""
            upstream app {{
                server {origin.address};
                keepalive 8;
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://app; {VERSION} {CLEARED} }}
            }}
            """)
        hand = {"keepalive 8;": "keepalive 8; keepalive_timeout 4s;"}
        good = correct(faulty, "NGX410", hand)
        for text, result in ((faulty, 502), (good, 200)):
            with run_nginx(hurried(text, 20, "keepalive_timeout"), port, nginx):
                assert post(port).result == 200
                time.sleep(0.4)
                assert post(port).result == result
