"""The harness itself: each origin misbehaves as it says, each proxy starts, logs and ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from servers.binaries import Binary, absent
from servers.certificates import certificate
from servers.clients import Session, drip, get, post, several, tally, together, websocket
from servers.origins import Answer, Hangup, Origin, Request, WebSocket, black_hole, padding
from servers.ports import LOOPBACK, free_port
from servers.proxies import StartError, http, hurried, run_haproxy, run_nginx, sections


def nginx_to(port: int, origin: int) -> str:
    return http(f"server {{ listen 127.0.0.1:{port}; location / {{ {proxy_pass(origin)} }} }}")


def proxy_pass(origin: int) -> str:
    return f"proxy_pass http://127.0.0.1:{origin};"


def haproxy_to(port: int, origin: int) -> str:
    return sections(f"""
        frontend fe
            bind 127.0.0.1:{port}
            default_backend app
        backend app
            server s1 127.0.0.1:{origin}
        """)


def nothing_listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) != 0


def test_origin_counts_connections_and_requests() -> None:
    with Origin() as origin:
        with Session(origin.port) as session:
            assert tally(several(3, lambda _: session.get("/a"))) == {200: 3}
        assert tally(several(2, lambda _: get(origin.port, "/b"))) == {200: 2}
        assert origin.seen.connections == 3
        assert origin.seen.count("/a") == 3
        assert [request.connection for request in origin.seen.requests] == [1, 1, 1, 2, 3]


def test_origin_keeps_http10_connections_only_when_asked() -> None:
    with Origin() as origin:
        for asked, answers in (("", 1), ("Connection: keep-alive\r\n", 2)):
            with socket.create_connection((LOOPBACK, origin.port), 2) as client:
                client.settimeout(2)
                received = b""
                for _ in range(2):
                    client.sendall(f"GET / HTTP/1.0\r\n{asked}\r\n".encode())
                    received += client.recv(4096)
                    time.sleep(0.05)
            assert received.count(b"HTTP/1.1 200") == answers


def test_origin_tells_duplicates_by_their_id() -> None:
    with Origin() as origin:
        for name in ("one", "two", "one"):
            post(origin.port, body=b"order", headers={"X-Request-Id": name})
        assert origin.seen.duplicates == 1
        assert [request.body for request in origin.seen.requests] == [b"order"] * 3


def test_origin_pads_headers_to_the_byte() -> None:
    with Origin(Answer(headers=padding(6000))) as origin:
        value = get(origin.port).header("Set-Cookie")
        assert len(f"Set-Cookie: {value}\r\n") == 6000


def test_origin_is_slow_before_the_headers_and_within_the_body() -> None:
    def choose(request: Request) -> Answer:
        slow = Answer(delay=0.3)
        return slow if request.path == "/slow" else Answer(parts=(b"a", b"b"), pause=0.3)

    with Origin(choose) as origin:
        assert get(origin.port, "/slow", timeout=0.1).result == "timeout"
        assert get(origin.port, "/slow").seconds >= 0.3
        paused = get(origin.port, "/paused")
        assert (paused.body, paused.seconds >= 0.3) == (b"ab", True)


@pytest.mark.parametrize(
    ("behaviour", "result"),
    [
        (Answer(status=503), 503),
        (Hangup(), "eof"),
        (Hangup(reset=True), "reset"),
        (Answer(promised=100), "truncated"),
    ],
)
def test_origin_fails_as_told(behaviour: Answer | Hangup, result: int | str) -> None:
    with Origin(behaviour) as origin:
        assert post(origin.port).result == result
        assert origin.seen.requests[0].body == b"data"


def test_origin_closes_idle_connections() -> None:
    with Origin(idle=0.2) as origin, Session(origin.port) as session:
        assert session.get().result == 200
        time.sleep(0.3)
        assert session.get().result in ("eof", "reset")
        assert session.get().result == 200
        assert origin.seen.connections == 2


def test_origin_loses_a_request_that_arrives_while_it_closes() -> None:
    with Origin(idle=0.1, lag=0.3) as origin, Session(origin.port) as session:
        assert session.get().result == 200
        time.sleep(0.25)
        assert session.post().result in ("eof", "reset")
        assert len(origin.seen.requests) == 1


def test_origin_upgrades_and_echoes() -> None:
    with Origin(WebSocket()) as origin:
        with websocket(origin.port) as upgraded:
            assert upgraded.status == 101
            assert upgraded.echoes(b"hello")
        assert get(origin.port).status == 426


def test_origin_speaks_tls_to_its_own_name_only(nginx: Binary) -> None:
    port = free_port()
    with certificate("app.example") as issued, Origin(tls=issued.context()) as origin:
        text = http(f"""
            proxy_ssl_name app.example;
            server {{
                listen 127.0.0.1:{port};
                location /named {{ proxy_ssl_server_name on; proxy_pass https://{origin.address}; }}
                location / {{ proxy_pass https://{origin.address}; }}
            }}
            """)
        with run_nginx(text, port, nginx) as proxy:
            # In this order: a session that was agreed with the name is taken up without it.
            assert get(port, "/").result == 502
            assert get(port, "/named").result == 200
            assert proxy.logged("while SSL handshaking to upstream")


def test_times_are_divided_alike() -> None:
    text = "timeout client 50s\ntimeout server 5000\nproxy_read_timeout 1h;"
    hurried_text = hurried(text, 100, "timeout client", "timeout server", "proxy_read_timeout")
    assert hurried_text == "timeout client 500ms\ntimeout server 50ms\nproxy_read_timeout 36000ms;"


def test_ports_refuse_or_swallow() -> None:
    assert get(free_port()).result == "refused"
    with black_hole() as port:
        results = tally(several(2, lambda _: get(port, timeout=0.2)))
    assert results == {"timeout": 2}


def test_ports_are_given_out_once() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50


def test_origin_ends_with_its_block() -> None:
    with Origin(Answer(delay=20)) as origin:
        begin = time.monotonic()
        assert get(origin.port, timeout=0.1).result == "timeout"
    assert time.monotonic() - begin < 2
    assert nothing_listens(origin.port)


def test_clients_at_the_same_time() -> None:
    with Origin(Answer(delay=0.3)) as origin:
        begin = time.monotonic()
        assert tally(together(8, lambda _: get(origin.port))) == {200: 8}
        assert time.monotonic() - begin < 2
        assert origin.seen.connections == 8


def test_drip_meets_a_server_that_waits() -> None:
    with Origin() as origin:
        assert drip(origin.port, seconds=0.5).result == "timeout"


def test_nginx_fails_on_large_headers_and_says_so(nginx: Binary) -> None:
    port = free_port()
    with (
        Origin(Answer(headers=padding(9000))) as origin,
        run_nginx(nginx_to(port, origin.port), port, nginx) as proxy,
    ):
        assert tally(several(2, lambda _: get(port))) == {502: 2}
        assert proxy.logged("upstream sent too big header")
    assert nothing_listens(port)


def test_haproxy_passes_slow_answers_and_logs_them(haproxy: Binary) -> None:
    port = free_port()
    with (
        Origin(Answer(delay=0.2)) as origin,
        run_haproxy(haproxy_to(port, origin.port), port, haproxy) as proxy,
    ):
        assert get(port, "/slow").result == 200
        assert proxy.logged(r"fe app/s1 .* 200 .*GET /slow")
    assert nothing_listens(port)


def test_nginx_times_out_on_a_black_hole(nginx: Binary) -> None:
    port = free_port()
    with black_hole() as origin:
        text = nginx_to(port, origin).replace(
            "proxy_pass", "proxy_connect_timeout 300ms; proxy_pass"
        )
        with run_nginx(text, port, nginx) as proxy:
            assert get(port).result == 504
            assert proxy.logged("timed out .* while connecting to upstream")


def test_nginx_that_refuses_its_configuration(nginx: Binary) -> None:
    with (
        pytest.raises(StartError, match='unknown directive "listne"'),
        run_nginx(http("server { listne 80; }"), free_port(), nginx),
    ):
        pass


def test_haproxy_that_refuses_its_configuration(haproxy: Binary) -> None:
    text = sections("frontend fe\n    bind 127.0.0.1:1\n    default_backend apps")
    with (
        pytest.raises(StartError, match="unable to find required default_backend"),
        run_haproxy(text, free_port(), haproxy),
    ):
        pass


def test_proxies_end_when_the_test_fails(nginx: Binary) -> None:
    port = free_port()
    with (
        Origin() as origin,
        pytest.raises(ZeroDivisionError),
        run_nginx(nginx_to(port, origin.port), port, nginx) as proxy,
    ):
        raise ZeroDivisionError
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(proxy.folder) not in listed.stdout
    assert not proxy.folder.exists()


KILLED = """
import os, signal
from servers.binaries import Binary
from servers.proxies import http, run_nginx
with run_nginx(http("server {{ listen 127.0.0.1:{port}; }}"), {port}, Binary({path!r}, ())):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) not installed")
def test_proxies_end_when_the_test_run_is_killed(nginx: Binary, tmp_path: Path) -> None:
    port = free_port()
    program = KILLED.format(port=port, path=nginx.path)
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tests, env=environment, timeout=20, check=False
    )
    assert done.returncode == -signal.SIGKILL
    end = time.monotonic() + 3
    while not nothing_listens(port) and time.monotonic() < end:
        time.sleep(0.05)
    assert nothing_listens(port)


def test_lines_keep_their_numbers(nginx: Binary) -> None:
    with (
        pytest.raises(StartError, match=r"nginx\.conf:3"),
        run_nginx("events {}\nhttp {\n    wrong on;\n}\n", free_port(), nginx),
    ):
        pass


def test_a_missing_server_fails_where_ci_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "CI", "true")
    with pytest.raises(pytest.fail.Exception, match="not installed"):
        absent("nginx is not installed")
    monkeypatch.delitem(os.environ, "CI")
    with pytest.raises(pytest.skip.Exception, match="not installed"):
        absent("nginx is not installed")
