"""HAProxy, how long it waits."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from servers.binaries import Binary
from servers.clients import drip, get, tally, together, websocket
from servers.fixes import Correction
from servers.origins import Answer, Behaviour, Origin, Request, WebSocket, black_hole
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


def test_hap305_queue_timeout_defaults_to_connect(haproxy: Binary, correct: Correction) -> None:
    """Fault: who waits for a slot gets 503 (sQ) after timeout connect. Fix: safe."""
    port = free_port()
    with Origin(Answer(delay=0.3)) as origin:
        faulty = f"""
global
    log stdout format raw local0
defaults
    mode http
    log global
    option httplog
    timeout connect 400ms
    timeout client 5s
    timeout server 5s
    timeout http-request 5s
frontend fe
    bind 127.0.0.1:{port}
    default_backend app
backend app
    server s1 {origin.address} maxconn 1
"""
        connect = "timeout connect 400ms"
        good = correct(faulty, "HAP305", {connect: f"{connect}\n    timeout queue 30s"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert tally(together(4, lambda _: get(port)))[503] >= 2
            assert proxy.logged(r"fe app/<NOSRV> .* 503 .* sQ--")
        with run_haproxy(good, port, haproxy):
            assert tally(together(4, lambda _: get(port))) == {200: 4}


def test_hap306_connect_budget(haproxy: Binary, correct: Correction) -> None:
    """Fault: a server that drops packets holds clients until they give up. Fix: unsafe."""
    port = free_port()
    with black_hole() as hole:
        faulty = f"""
global
    log stdout format raw local0
defaults
    mode http
    log global
    option httplog
    retries 1
    timeout connect 40s
    timeout client 60s
    timeout server 60s
    timeout http-request 60s
frontend fe
    bind 127.0.0.1:{port}
    default_backend app
backend app
    server s1 127.0.0.1:{hole}
"""
        hand = {"timeout connect 40s": "timeout connect 5s"}
        written = correct(faulty, "HAP306", hand, "--unsafe")
        text = hurried(faulty, 50, "timeout connect")
        with run_haproxy(text, port, haproxy):
            assert get(port, timeout=1.0).result == "timeout"
        with run_haproxy(hurried(written, 50, "timeout connect"), port, haproxy) as proxy:
            reply = get(port, timeout=1.0)
            assert reply.result == 503
            # Two attempts of 100 ms.
            assert 0.18 <= reply.seconds < 0.9
            assert proxy.logged(r"fe app/s1 .* 503 .* sC--")


class Attentive(socketserver.BaseRequestHandler):
    """Answers a request after `delay` seconds, or closes when the client is gone before."""

    delay = 0.0

    def handle(self) -> None:
        if not self.request.recv(4096):
            return
        self.request.settimeout(self.delay)
        try:
            gone = not self.request.recv(4096)
        except TimeoutError:
            gone = False
        if not gone:
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")


@contextmanager
def attentive(delay: float) -> Iterator[int]:
    """The port of a server that notices when its client leaves, as web servers do."""
    handler = type("Delayed", (Attentive,), {"delay": delay})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_hap307_tcp_client_below_server(haproxy: Binary, correct: Correction) -> None:
    """Fault: mode tcp cuts clients that wait for a slow answer (cD). Fix: unsafe.

    In mode http the same two timeouts cut nobody.
    """
    port = free_port()
    with attentive(0.8) as application:
        faulty = f"""
global
    log stdout format raw local0
defaults
    mode tcp
    log global
    option tcplog
    timeout connect 5s
    timeout client 20s
    timeout server 60s
frontend fe
    bind 127.0.0.1:{port}
    default_backend app
backend app
    server s1 127.0.0.1:{application}
"""
        hand = {"timeout client 20s": "timeout client 60s"}
        good = correct(faulty, "HAP307", hand, "--unsafe")
        http = faulty.replace("mode tcp", "mode http").replace("tcplog", "httplog")
        for written, result in ((faulty, "eof"), (good, 200), (http, 200)):
            text = hurried(written, 50, "timeout client", "timeout server")
            with run_haproxy(text, port, haproxy) as proxy:
                assert get(port).result == result
                assert proxy.logged(r"fe app/s1 .* cD ", within=0.3) is (result == "eof")


def test_hap308_slow_detection(haproxy: Binary, correct: Correction) -> None:
    """Fault: a server that begins to hang keeps its share for a long time. Fix: unsafe."""
    bad, better = "inter 40s fall 2", "inter 15s fall 2"
    took = _time_until_down(haproxy, correct, "HAP308", bad, better=better)
    assert took["good"] < took["faulty"] * 0.7


def test_hap310_check_timeout_above_inter(haproxy: Binary, correct: Correction) -> None:
    """Fault: a check that hangs is waited for longer than checks are apart. Fix: unsafe."""
    bad, better = "timeout check 20s", "timeout check 5s"
    took = _time_until_down(
        haproxy, correct, "HAP310", bad, better=better, checks="inter 5s fall 2"
    )
    assert took["good"] < took["faulty"] * 0.7


def _time_until_down(
    haproxy: Binary, correct: Correction, code: str, bad: str, *, better: str, checks: str = ""
) -> dict[str, float]:
    """Seconds, one for 50, until a server that begins to hang is out: faulty and corrected."""
    port = free_port()
    hangs = [False]

    def behave(request: Request) -> Behaviour:
        return Answer(delay=20 if hangs[0] else 0)

    timeout, inter = (bad, checks) if checks else ("timeout check 5s", bad)
    found: dict[str, float] = {}
    with Origin(behave) as one, Origin() as two:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                option httpchk GET /
                {timeout}
                default-server check {inter}
                server s1 {one.address}
                server s2 {two.address}
            """)
        good = correct(faulty, code, {bad: better}, "--unsafe")
        for name, written in (("faulty", faulty), ("good", good)):
            hangs[0] = False
            text = hurried(written, 50, "timeout check", "inter")
            with run_haproxy(text, port, haproxy) as proxy:
                time.sleep(0.3)
                hangs[0] = True
                begin = time.monotonic()
                assert proxy.logged("Server app/s1 is DOWN, reason: Layer7 timeout", within=6)
                found[name] = time.monotonic() - begin
    return found
