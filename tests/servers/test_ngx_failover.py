"""nginx, several servers of which one fails, and the answer when none is left."""

from __future__ import annotations

import pytest

from servers.binaries import Binary
from servers.clients import Reply, Session, get, post, several, tally, together
from servers.fixes import Correction, replaced
from servers.origins import Answer, Hangup, Origin, Request, black_hole
from servers.ports import free_port
from servers.proxies import StartError, http, run_nginx


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


def test_ngx505_failing_server_not_retried(nginx: Binary, correct: Correction) -> None:
    """Fault: the 503 of one server is passed on while the other is well. Fix: unsafe."""
    port = free_port()
    with Origin(Answer(status=503)) as full, Origin() as healthy:
        faulty = http(f"""
            upstream app {{
                server {full.address};
                server {healthy.address};
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://app; }}
            }}
            """)
        line = "proxy_next_upstream error timeout http_503;"
        good = correct(faulty, "NGX505", {"http://app;": f"http://app; {line}"}, "--unsafe")
        with run_nginx(faulty, port, nginx):
            assert tally(several(6, lambda _: get(port))) == {503: 3, 200: 3}
        with run_nginx(good, port, nginx):
            assert tally(several(6, lambda _: get(port))) == {200: 6}


def test_ngx506_health_state_per_worker(nginx: Binary, correct: Correction) -> None:
    """Fault: max_conns=1 lets one request through for each worker. Fix: safe."""
    port = free_port()
    with Origin(Answer(delay=0.5)) as origin:
        faulty = "worker_processes 4;\n" + http(f"""
            upstream app {{
                server {origin.address} max_conns=1;
            }}
            server {{
                listen 127.0.0.1:{port} reuseport;
                location / {{ proxy_pass http://app; }}
            }}
            """)
        good = correct(faulty, "NGX506", {"upstream app {": "upstream app { zone app 64k;"})
        with run_nginx(faulty, port, nginx):
            assert tally(together(12, lambda _: get(port)))[200] > 1
        with run_nginx(good, port, nginx):
            assert tally(together(12, lambda _: get(port))) == {200: 1, 502: 11}


def test_ngx507_backup_with_hash(nginx: Binary) -> None:
    """Fault: nginx does not start. The rule has no fix: corrected by hand."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            upstream app {{
                ip_hash;
                server {origin.address};
                server {origin.address} backup;
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://app; }}
            }}
            """)
        with (
            pytest.raises(StartError, match='does not support parameter "backup"'),
            run_nginx(faulty, port, nginx),
        ):
            pass
        with run_nginx(replaced(faulty, {"ip_hash;": "least_conn;"}), port, nginx):
            assert get(port).result == 200


@pytest.mark.parametrize("recursive", [False, True])
def test_ngx510_error_page_loops_upstream(nginx: Binary, recursive: bool) -> None:
    """Fault: the page for a dead upstream is asked of that upstream. Corrected by hand."""
    port = free_port()
    faulty = http(f"""
        recursive_error_pages {"on" if recursive else "off"};
        server {{
            listen 127.0.0.1:{port};
            error_page 502 /sorry;
            location / {{ proxy_pass http://127.0.0.1:{free_port()}; }}
        }}
        """)
    page = "location = /sorry { return 502 sorry; }\n        location / {"
    with run_nginx(faulty, port, nginx) as proxy:
        reply = get(port)
        assert reply.result == (500 if recursive else 502)
        assert b"sorry" not in reply.body
        assert proxy.logged("(?s)Connection refused.*Connection refused")
    with run_nginx(replaced(faulty, {"location / {": page}), port, nginx):
        reply = get(port)
        assert (reply.result, reply.body) == (502, b"sorry")


def test_ngx511_error_page_bypassed(nginx: Binary, correct: Correction) -> None:
    """Fault: the application's own 503 does not get the error page. Fix: unsafe."""
    port = free_port()
    with Origin(Answer(status=503, parts=(b"raw",))) as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                error_page 503 /busy;
                location / {{
                    proxy_pass http://{origin.address};
                }}
                location = /busy {{ return 503 busy; }}
            }}
            """)
        hand = {"location / {": "location / { proxy_intercept_errors on;"}
        good = correct(faulty, "NGX511", hand, "--unsafe")
        for text, body in ((faulty, b"raw"), (good, b"busy")):
            with run_nginx(text, port, nginx):
                reply = get(port)
            assert (reply.result, reply.body) == (503, body)


def test_ngx512_unbuffered_request_not_retried(nginx: Binary, correct: Correction) -> None:
    """Fault: a body that was not kept cannot go to the next server. Fix: unsafe."""
    port = free_port()
    with Origin(Hangup()) as dying, Origin() as healthy:
        faulty = http(f"""
            upstream app {{
                server {dying.address} max_fails=0;
                server {healthy.address};
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://app;
                    proxy_request_buffering off;
                }}
            }}
            """)
        good = correct(faulty, "NGX512", {"buffering off": "buffering on"}, "--unsafe")

        def put(text: str) -> dict[int | str, int]:
            # PUT is idempotent: with its body at hand it may be sent again. A small body comes
            # along with the headers, and is at hand in any case.
            def one(_: int) -> Reply:
                with Session(port) as session:
                    return session.request("PUT", "/", body=b"x" * 200_000)

            with run_nginx(text, port, nginx):
                return tally(several(4, one))

        assert put(faulty) == {200: 2, 502: 2}
        assert put(good) == {200: 4}
