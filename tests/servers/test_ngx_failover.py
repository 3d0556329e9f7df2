"""nginx, several servers of which one fails."""

from __future__ import annotations

from servers.binaries import Binary
from servers.clients import get, post, several, tally
from servers.fixes import Correction
from servers.origins import Answer, Hangup, Origin, Request, black_hole
from servers.ports import free_port
from servers.proxies import http, run_nginx


def test_ngx501_passive_checks_off(nginx: Binary, correct: Correction) -> None:
    """Fault: with max_fails=0 a dead server stalls its share of all requests. Fix: unsafe."""
    port = free_port()
    with black_hole() as hole, Origin() as origin:
        faulty = http(f"""
            upstream app {{
                server 127.0.0.1:{hole} max_fails=0;
                server {origin.address} max_fails=0;
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://app;
                    proxy_connect_timeout 200ms;
                }}
            }}
            """)
        good = correct(faulty, "NGX501", {" max_fails=0": " max_fails=2"}, "--unsafe")

        def stalled(text: str) -> int:
            with run_nginx(text, port, nginx):
                replies = several(16, lambda _: get(port))
            assert tally(replies) == {200: 16}
            return sum(reply.seconds > 0.15 for reply in replies)

        assert stalled(faulty) == 8
        assert stalled(good) <= 3


def test_ngx502_no_failover(nginx: Binary, correct: Correction) -> None:
    """Fault: with proxy_next_upstream off a refused connection is a 502. Fix: safe."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            upstream app {{
                server 127.0.0.1:{free_port()};
                server {origin.address};
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://app;
                    proxy_next_upstream off;
                }}
            }}
            """)
        good = correct(
            faulty, "NGX502", {"proxy_next_upstream off": "proxy_next_upstream error timeout"}
        )
        with run_nginx(faulty, port, nginx) as proxy:
            assert tally(several(4, lambda _: get(port))) == {502: 1, 200: 3}
            assert proxy.logged("Connection refused.* while connecting to upstream")
        with run_nginx(good, port, nginx):
            assert tally(several(4, lambda _: get(port))) == {200: 4}


def test_ngx503_retries_non_idempotent(nginx: Binary, correct: Correction) -> None:
    """Fault: a POST that one server took before it died is done again by the next. Fix: unsafe."""
    port = free_port()
    with Origin(Hangup()) as dying, Origin() as healthy:
        faulty = http(f"""
            upstream app {{
                server {dying.address};
                server {healthy.address};
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://app;
                    proxy_next_upstream error timeout non_idempotent;
                }}
            }}
            """)
        good = correct(faulty, "NGX503", {" non_idempotent": ""}, "--unsafe")
        for text, result, executions in ((faulty, 200, 2), (good, 502, 1)):
            dying.forget()
            healthy.forget()
            with run_nginx(text, port, nginx):
                assert post(port, headers={"X-Request-Id": "order-1"}).result == result
            received = dying.seen.requests + healthy.seen.requests
            names = [request.header("X-Request-Id") for request in received]
            assert names == ["order-1"] * executions


def test_ngx504_one_blip_takes_all_down(nginx: Binary, correct: Correction) -> None:
    """Fault: after one failure of each server nothing is live for fail_timeout. Fix: unsafe."""

    def blip(request: Request) -> Answer | Hangup:
        return Hangup() if request.path == "/blip" else Answer()

    port = free_port()
    with Origin(blip) as one, Origin(blip) as other:
        faulty = http(f"""
            upstream app {{
                server {one.address} max_fails=1 fail_timeout=10s;
                server {other.address} max_fails=1 fail_timeout=10s;
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://app; }}
            }}
            """)
        good = correct(faulty, "NGX504", {"max_fails=1": "max_fails=3"}, "--unsafe")
        with run_nginx(faulty, port, nginx) as proxy:
            assert get(port, "/blip").result == 502
            assert tally(several(4, lambda _: get(port))) == {502: 4}
            assert proxy.logged("no live upstreams while connecting to upstream")
        with run_nginx(good, port, nginx):
            assert get(port, "/blip").result == 502
            assert tally(several(4, lambda _: get(port))) == {200: 4}
