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


def test_hap202_maxrewrite_eats_buffer(haproxy: Binary, correct: Correction) -> None:
    """Fault: 502 (PH) for headers that fit the buffer, but not beside the reserve. Fix: safe."""
    port = free_port()
    with Origin(Answer(headers=padding(10_000))) as origin:
        faulty = sections(f"""
            global
                tune.maxrewrite 8192
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                server s1 {origin.address}
            """)
        good = correct(faulty, "HAP202", {"tune.maxrewrite 8192": "tune.maxrewrite 1024"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert tally(several(3, lambda _: get(port))) == {502: 3}
            assert proxy.logged(r"fe app/s1 .* 502 .* PH--")
        with run_haproxy(good, port, haproxy):
            assert tally(several(3, lambda _: get(port))) == {200: 3}


def test_hap203_maxhdr_small(haproxy: Binary, correct: Correction) -> None:
    """Fault: 502 (PH) and 400 (PR) for messages of more header lines. Fix: safe."""
    port = free_port()
    many = [(f"X-Header-{number}", "1") for number in range(40)]
    with Origin(Answer(headers=many)) as verbose, Origin() as terse:
        faulty = sections(f"""
            global
                tune.http.maxhdr 20
            frontend fe
                bind 127.0.0.1:{port}
                use_backend terse if {{ path /terse }}
                default_backend app
            backend app
                server s1 {verbose.address}
            backend terse
                server s1 {terse.address}
            """)
        good = correct(faulty, "HAP203", {"maxhdr 20": "maxhdr 101"})
        for text, response, request in ((faulty, 502, 400), (good, 200, 200)):
            with run_haproxy(text, port, haproxy):
                assert get(port).result == response
                assert get(port, "/terse", headers=dict(many)).result == request
