"""HAProxy, how long it waits."""

from __future__ import annotations

import time

from servers.binaries import Binary
from servers.clients import drip, get, websocket
from servers.fixes import Correction
from servers.origins import Answer, Origin, WebSocket
from servers.ports import free_port
from servers.proxies import hurried, run_haproxy, sections


def test_hap301_missing_timeouts(haproxy: Binary, correct: Correction) -> None:
    """Fault: an application that hangs hangs its clients, for ever. Fix: unsafe."""
    port = free_port()
    with Origin(Answer(delay=20)) as origin:
        faulty = f"""
defaults
    mode http
frontend fe
    bind 127.0.0.1:{port}
    default_backend app
backend app
    server s1 {origin.address}
"""
        timeouts = "timeout connect 5s\n    timeout client 60s\n    timeout server 60s"
        good = correct(faulty, "HAP301", {"mode http": f"mode http\n    {timeouts}"}, "--unsafe")
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert get(port, timeout=1.0).result == "timeout"
            assert proxy.logged("missing timeouts for (frontend 'fe'|backend 'app')")
        good = hurried(good, 100, "timeout client", "timeout server")
        with run_haproxy(good, port, haproxy) as proxy:
            assert get(port, timeout=1.0).result == 504
            assert "missing timeouts" not in proxy.log


def test_hap303_no_http_request_timeout(haproxy: Binary, correct: Correction) -> None:
    """Fault: headers that trickle in keep their connection for as long as they like. Fix: safe."""
    port = free_port()
    with Origin() as origin:
        faulty = f"""
defaults
    mode http
    timeout connect 5s
    timeout client 50s
    timeout server 50s
frontend fe
    bind 127.0.0.1:{port}
    default_backend app
backend app
    server s1 {origin.address}
"""
        client = "timeout client 50s"
        good = correct(faulty, "HAP303", {client: f"{client}\n    timeout http-request 10s"})
        for written, result in ((faulty, "timeout"), (good, 408)):
            text = hurried(written, 20, "timeout client", "timeout http-request")
            with run_haproxy(text, port, haproxy):
                assert drip(port, seconds=1.0).result == result


def test_hap304_tunnel_timeout_missing(haproxy: Binary, correct: Correction) -> None:
    """Fault: a web socket that is idle for longer than timeout server is cut (cD). Fix: safe."""
    port = free_port()
    with Origin(WebSocket()) as origin:
        faulty = sections(f"""
            defaults
                mode http
                log global
                option httplog
                timeout connect 5s
                timeout client 50s
                timeout server 50s
                timeout http-request 5s
            frontend fe
                bind 127.0.0.1:{port}
                acl is_websocket hdr(Upgrade) -i websocket
                use_backend ws if is_websocket
                default_backend ws
            backend ws
                server s1 {origin.address}
            """)
        server = "timeout server 50s"
        good = correct(faulty, "HAP304", {server: f"{server}\n    timeout tunnel 1h"})
        for written, lives in ((faulty, False), (good, True)):
            text = hurried(written, 100, "timeout client", "timeout server", "timeout tunnel")
            with run_haproxy(text, port, haproxy) as proxy, websocket(port, "/ws") as upgraded:
                assert upgraded.echoes()
                time.sleep(0.8)
                assert upgraded.echoes() is lives
                assert proxy.logged(r"ws/s1 .* 101 .* [cs]D--", within=0.1) is not lives
