"""HAProxy, connections to the application that could be used again and are not."""

from __future__ import annotations

from servers.binaries import Binary
from servers.clients import Session, tally
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
