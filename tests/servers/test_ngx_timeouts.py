"""nginx, how long it waits."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from servers.binaries import Binary
from servers.clients import get, websocket
from servers.fixes import Correction
from servers.origins import Answer, Origin, WebSocket, black_hole
from servers.ports import LOOPBACK, free_port
from servers.proxies import http, hurried, run_nginx

PATIENCE = 1.0
"""Seconds a client waits: 20 s at 1/20 of the time."""


def test_ngx302_connect_timeout_too_long(nginx: Binary, correct: Correction) -> None:
    """Fault: a request sent to a black-holed server first ends in no answer. Fix: unsafe."""
    port = free_port()
    with black_hole() as hole, Origin() as origin:
        faulty = http(f"""
            upstream app {{
                server 127.0.0.1:{hole};
                server {origin.address};
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://app;
                    proxy_connect_timeout 120s;
                }}
            }}
            """)
        good = correct(
            faulty, "NGX302", {"proxy_connect_timeout 120s": "proxy_connect_timeout 5s"}, "--unsafe"
        )
        faulty, good = (hurried(text, 20, "proxy_connect_timeout") for text in (faulty, good))
        with run_nginx(faulty, port, nginx) as proxy:
            assert get(port, timeout=PATIENCE).result == "timeout"
            assert proxy.logged("client prematurely closed.* while connecting to upstream")
        with run_nginx(good, port, nginx):
            assert get(port, timeout=PATIENCE).result == 200
        assert origin.seen.connections == 1


def test_ngx304_websocket_read_timeout(nginx: Binary, correct: Correction) -> None:
    """Fault: a web socket that is idle for longer than proxy_read_timeout is cut. Fix: safe."""
    port = free_port()
    with Origin(WebSocket()) as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                location /ws {{
                    proxy_pass http://{origin.address};
                    proxy_http_version 1.1;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection "upgrade";
                    proxy_read_timeout 60s;
                }}
            }}
            """)
        good = correct(faulty, "NGX304", {"proxy_read_timeout 60s": "proxy_read_timeout 1h"})
        for written, lives in ((faulty, False), (good, True)):
            text = hurried(written, 100, "proxy_read_timeout", "proxy_send_timeout")
            with run_nginx(text, port, nginx) as proxy, websocket(port, "/ws") as upgraded:
                assert upgraded.echoes()
                time.sleep(0.8)
                assert upgraded.echoes() is lives
                cut = "timed out.* while proxying upgraded connection"
                assert proxy.logged(cut, within=0.1) is not lives


def test_ngx301_time_unit_slip(nginx: Binary, correct: Correction) -> None:
    """Fault: 504 for answers that take longer than some milliseconds. Fix: unsafe."""
    port = free_port()
    with Origin(Answer(delay=0.1)) as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://{origin.address};
                    proxy_read_timeout 30ms;
                }}
            }}
            """)
        good = correct(faulty, "NGX301", {"timeout 30ms": "timeout 30s"}, "--unsafe")
        for text, expected in ((faulty, 504), (good, 200)):
            with run_nginx(text, port, nginx):
                assert get(port).result == expected


@pytest.mark.parametrize("line", ["proxy_read_timeout 0;", "proxy_connect_timeout 0;"])
def test_ngx301_no_time_at_all(nginx: Binary, line: str) -> None:
    """Fault: 0 is not without limit, every request becomes a 504."""
    port = free_port()
    with Origin(Answer(delay=0.05)) as origin:
        text = http(f"""
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://{origin.address}; {line} }}
            }}
            """)
        with run_nginx(text, port, nginx):
            assert get(port).result == 504
        with run_nginx(text.replace(line, ""), port, nginx):
            assert get(port).result == 200


def test_ngx303_retries_unbounded(nginx: Binary, correct: Correction) -> None:
    """Fault: a slow request is begun at each of four servers, one after the other. Fix: unsafe."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        origins = [stack.enter_context(Origin(Answer(delay=2))) for _ in range(4)]
        servers = " ".join(f"server {one.address};" for one in origins)
        faulty = http(f"""
            upstream app {{ {servers} }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://app;
                    proxy_read_timeout 30s;
                    proxy_connect_timeout 5s;
                }}
            }}
            """)
        hand = {"proxy_connect": "proxy_next_upstream_timeout 10s; proxy_connect"}
        good = correct(faulty, "NGX303", hand, "--unsafe")
        for written, tries in ((faulty, 4), (good, 1)):
            for one in origins:
                one.forget()
            names = ("proxy_read_timeout", "proxy_next_upstream_timeout")
            with run_nginx(hurried(written, 120, *names), port, nginx):
                assert get(port).result == 504
            assert sum(len(one.seen.requests) for one in origins) == tries


def test_ngx305_no_time_for_the_client(nginx: Binary) -> None:
    """Fault: with client_header_timeout 0 no request is ever read."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            client_header_timeout 0;
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://{origin.address}; }}
            }}
            """)
        for text, is_read in ((faulty, False), (faulty.replace("timeout 0", "timeout 9"), True)):
            with run_nginx(text, port, nginx), socket.create_connection((LOOPBACK, port)) as client:
                time.sleep(0.1)
                with contextlib.suppress(ConnectionError):
                    client.sendall(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
                    assert client.recv(8).startswith(b"HTTP/") is is_read
        assert origin.seen.connections == 1
