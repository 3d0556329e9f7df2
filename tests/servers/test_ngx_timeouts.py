"""nginx, how long it waits."""

from __future__ import annotations

import time

from servers.binaries import Binary
from servers.clients import get, websocket
from servers.fixes import Correction
from servers.origins import Origin, WebSocket, black_hole
from servers.ports import free_port
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
