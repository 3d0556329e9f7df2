"""HAProxy, checks that do not run, or do not ask the application."""

from __future__ import annotations

import time

from servers.binaries import Binary
from servers.clients import get, several, tally
from servers.fixes import Correction
from servers.origins import Answer, Behaviour, Origin, Request
from servers.ports import free_port
from servers.proxies import run_haproxy, sections


def test_hap502_httpchk_without_check(haproxy: Binary, correct: Correction) -> None:
    """Fault: no check is sent, and a dead server keeps its share: 503. Fix: unsafe."""
    port, dead = free_port(), free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                balance roundrobin
                retries 1
                option httpchk GET /health
                default-server inter 100ms fall 1
                server s1 127.0.0.1:{dead}
                server s2 {origin.address}
            """)
        hand = {
            f"127.0.0.1:{dead}": f"127.0.0.1:{dead} check",
            origin.address: f"{origin.address} check",
        }
        good = correct(faulty, "HAP502", hand, "--unsafe")
        with run_haproxy(faulty, port, haproxy):
            assert 503 in tally(several(2, lambda _: get(port)))
            assert origin.seen.count("/health") == 0
        with run_haproxy(good, port, haproxy) as proxy:
            assert proxy.logged("Server app/s1 is DOWN")
            assert tally(several(4, lambda _: get(port))) == {200: 4}
            time.sleep(0.5)  # HAProxy spreads the first checks over the interval
            assert origin.seen.count("/health") >= 1


def failing(request: Request) -> Behaviour:
    return Answer(status=500)


def test_hap503_tcp_check_on_http_app(haproxy: Binary, correct: Correction) -> None:
    """Fault: a server that answers 500 to everything stays in use. Fix: unsafe."""
    port = free_port()
    with Origin(failing) as broken, Origin() as healthy:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                balance roundrobin
                default-server check inter 100ms fall 1
                server s1 {broken.address}
                server s2 {healthy.address}
            """)
        server = f"server s1 {broken.address}"
        asked = f"option httpchk GET /\n    http-check expect status 200-499\n    {server}"
        good = correct(faulty, "HAP503", {server: asked}, "--unsafe")
        with run_haproxy(faulty, port, haproxy) as proxy:
            time.sleep(0.4)
            assert tally(several(4, lambda _: get(port))) == {200: 2, 500: 2}
            assert "is DOWN" not in proxy.log
        with run_haproxy(good, port, haproxy) as proxy:
            assert proxy.logged("Server app/s1 is DOWN, reason: Layer7 wrong status, code: 500")
            assert tally(several(4, lambda _: get(port))) == {200: 4}
