"""HAProxy, several servers of which one fails."""

from __future__ import annotations

from servers.binaries import Binary
from servers.clients import get, post, several, tally
from servers.fixes import Correction
from servers.origins import Hangup, Origin
from servers.ports import free_port
from servers.proxies import run_haproxy, sections


def test_hap501_server_without_check(haproxy: Binary, correct: Correction) -> None:
    """Fault: a dead server keeps its share of the requests: 503 (SC). Fix: safe."""
    port = free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                balance roundrobin
                retries 0
                default-server inter 200ms fall 2
                server s1 127.0.0.1:{free_port()}
                server s2 {origin.address}
            """)
        alive = f"server s2 {origin.address}"
        good = correct(faulty, "HAP501", {"fall 2": "fall 2 check", alive: alive})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert tally(several(4, lambda _: get(port))) == {503: 2, 200: 2}
            assert proxy.logged(r"fe app/s1 .* 503 .* SC--")
        with run_haproxy(good, port, haproxy) as proxy:
            assert proxy.logged("Server app/s1 is DOWN", within=5)
            assert tally(several(4, lambda _: get(port))) == {200: 4}


def test_hap504_no_redispatch(haproxy: Binary, correct: Correction) -> None:
    """Fault: all retries go to the server that refuses, though another lives: 503. Fix: safe."""
    port = free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                balance roundrobin
                retries 1
                server s1 127.0.0.1:{free_port()}
                server s2 {origin.address}
            """)
        good = correct(faulty, "HAP504", {"retries 1": "retries 1\n    option redispatch"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert tally(several(2, lambda _: get(port))) == {503: 1, 200: 1}
            assert proxy.logged(r"fe app/s1 .* 503 .* SC--")
        with run_haproxy(good, port, haproxy):
            assert tally(several(2, lambda _: get(port))) == {200: 2}


def test_hap506_retry_on_duplicates_posts(haproxy: Binary, correct: Correction) -> None:
    """Fault: a POST that one server took before it died is done again. Fix: safe."""
    port = free_port()
    with Origin(Hangup()) as dying, Origin() as healthy:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                balance roundrobin
                option redispatch 1
                retry-on all-retryable-errors
                server s1 {dying.address}
                server s2 {healthy.address}
            """)
        retry = "retry-on all-retryable-errors"
        guard = "http-request disable-l7-retry if ! METH_GET"
        good = correct(faulty, "HAP506", {retry: f"{retry}\n    {guard}"})
        for text, result, executions in ((faulty, 200, 2), (good, 502, 1)):
            dying.forget()
            healthy.forget()
            with run_haproxy(text, port, haproxy):
                assert post(port, headers={"X-Request-Id": "order-1"}).result == result
                assert get(port).result == 200
            received = dying.seen.requests + healthy.seen.requests
            names = [request.header("X-Request-Id") for request in received]
            assert names.count("order-1") == executions
