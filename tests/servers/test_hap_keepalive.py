"""HAProxy, connections to the application that could be used again and are not."""

from __future__ import annotations

import time
from contextlib import ExitStack

from servers.binaries import Binary
from servers.clients import Session, get, tally
from servers.fixes import Correction
from servers.origins import Origin
from servers.ports import free_port
from servers.proxies import run_haproxy, sections


def test_hap401_reuse_disabled(haproxy: Binary, correct: Correction) -> None:
    """Fault: a new connection to the application for every request. Fix: unsafe."""
    port = free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                option httpclose
                default_backend app
            backend app
                server s1 {origin.address}
            """)
        good = correct(faulty, "HAP401", {"    option httpclose\n": ""}, "--unsafe")
        for text, connections in ((faulty, 6), (good, 1)):
            origin.forget()
            with run_haproxy(text, port, haproxy), Session(port) as session:
                assert tally(session.get() for _ in range(6)) == {200: 6}
            assert origin.seen.connections == connections


def test_hap402_reuse_never(haproxy: Binary, correct: Correction) -> None:
    """Fault: clients that are idle go on holding their connection to the application.

    Fix: unsafe.
    """
    port = free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                http-reuse never
                server s1 {origin.address}
            """)
        good = correct(faulty, "HAP402", {"reuse never": "reuse aggressive"}, "--unsafe")
        opened = {}
        for text in (faulty, good):
            origin.forget()
            with run_haproxy(text, port, haproxy), ExitStack() as open_sessions:
                for _ in range(4):
                    with Session(port) as gone:
                        assert [gone.get().result, gone.get().result] == [200, 200]
                clients = [open_sessions.enter_context(Session(port)) for _ in range(4)]
                for client in clients:
                    assert [client.get().result, client.get().result] == [200, 200]
            opened[text] = origin.seen.connections
        assert opened[faulty] == 8
        assert opened[good] < 8


def test_hap403_reuse_race(haproxy: Binary, correct: Correction) -> None:
    """Fault: a first request meets a connection that is being closed: 502, or nothing. Fix: unsafe.

    Without a status from HAProxy 2.8 on.
    """
    port = free_port()
    with Origin(idle=0.1, lag=0.3) as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                http-reuse always
                server s1 {origin.address}
            """)
        reuse = "http-reuse always"
        retry = f"{reuse}\n    retry-on conn-failure empty-response"
        good = correct(faulty, "HAP403", {reuse: retry}, "--unsafe")
        for text, lost in ((faulty, True), (good, False)):
            results = []
            with run_haproxy(text, port, haproxy):
                for _ in range(2):
                    with Session(port) as first:
                        first.get()
                    time.sleep(0.2)
                    results.append(get(port).result)
                    time.sleep(0.5)
            assert any(result in (502, "eof") for result in results) is lost, results


def test_hap404_purge_delay_above_idle(haproxy: Binary, correct: Correction) -> None:
    """Fault: HAProxy keeps idle connections for longer than the application does. Fix: safe."""
    port = free_port()
    with Origin(idle=0.6, lag=0.5) as origin:
        facts = f"services: {{app: {{addresses: ['{origin.address}'], idle_timeout: 600ms}}}}\n"
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                http-reuse always
                server s1 {origin.address}
            """)
        files = {"haproxy.cfg": faulty, "gwlint.yaml": facts}
        server = f"server s1 {origin.address}"
        by_hand = {"haproxy.cfg": {server: f"{server} pool-purge-delay 200ms"}}
        good = correct.files(files, "HAP404", by_hand)["haproxy.cfg"]
        for text, lost in ((faulty, True), (good, False)):
            results = []
            with run_haproxy(text, port, haproxy), Session(port) as other:
                assert get(port).result == 200
                assert other.get().result == 200
                time.sleep(0.8)
                results.append(get(port).result)
            assert any(result in (502, "eof") for result in results) is lost, results
