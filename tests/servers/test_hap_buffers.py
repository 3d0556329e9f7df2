"""HAProxy, response headers and the buffer that holds them."""

from __future__ import annotations

from servers.binaries import Binary
from servers.clients import get, several, tally
from servers.fixes import Correction
from servers.origins import Answer, Origin, padding
from servers.ports import free_port
from servers.proxies import run_haproxy, sections


def test_hap201_bufsize_too_small(haproxy: Binary, correct: Correction) -> None:
    """Fault: 502 (PH) for every answer with more headers than tune.bufsize. Fix: safe."""
    port = free_port()
    with Origin(Answer(headers=padding(6000))) as origin:
        faulty = sections(f"""
            global
                tune.bufsize 4096
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                server s1 {origin.address}
            """)
        good = correct(faulty, "HAP201", {"tune.bufsize 4096": "tune.bufsize 16384"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert tally(several(3, lambda _: get(port))) == {502: 3}
            assert proxy.logged(r"fe app/s1 .* 502 .* PH--")
        with run_haproxy(good, port, haproxy):
            assert tally(several(3, lambda _: get(port))) == {200: 3}
