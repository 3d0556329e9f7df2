"""nginx, response headers and the buffers that hold them."""

from __future__ import annotations

import socket
import time

import pytest

from servers.binaries import Binary
from servers.clients import get, post, several, tally
from servers.fixes import Correction
from servers.origins import Answer, Origin, padding
from servers.ports import LOOPBACK, free_port
from servers.proxies import StartError, http, run_nginx


def test_ngx201_header_buffer_too_small(nginx: Binary, correct: Correction) -> None:
    """Fault: 502 for every answer with more headers than proxy_buffer_size. Fix: safe."""
    port = free_port()
    with Origin(Answer(headers=padding(3000))) as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://{origin.address};
                    proxy_buffer_size 2k;
                }}
            }}
            """)
        good = correct(faulty, "NGX201", {"proxy_buffer_size 2k": "proxy_buffer_size 8k"})
        with run_nginx(faulty, port, nginx) as proxy:
            assert tally(several(3, lambda _: get(port))) == {502: 3}
            assert proxy.logged("upstream sent too big header")
        with run_nginx(good, port, nginx):
            assert tally(several(3, lambda _: get(port))) == {200: 3}


INCONSISTENT = {
    "alone": ("", "proxy_buffer_size 16k;", "proxy_buffer_size 16k; proxy_buffers 8 16k;"),
    "met in a location": (
        "proxy_buffer_size 16k; proxy_buffers 8 16k;",
        "proxy_buffers 4 8k;",
        "proxy_buffers 4 16k;",
    ),
}


@pytest.mark.parametrize("outer, inner, hand", INCONSISTENT.values(), ids=INCONSISTENT)
def test_ngx202_buffers_inconsistent(
    nginx: Binary, correct: Correction, outer: str, inner: str, hand: str
) -> None:
    """Fault: nginx does not start; busy (2 x 16k) is above all buffers but one. Fix: safe."""
    port = free_port()
    with Origin(Answer(headers=padding(9000))) as origin:
        faulty = http(f"""
            {outer}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://{origin.address};
                    {inner}
                }}
            }}
            """)
        good = correct(faulty, "NGX202", {inner: hand})
        with (
            pytest.raises(StartError, match="proxy_busy_buffers_size"),
            run_nginx(faulty, port, nginx),
        ):
            pass
        with run_nginx(good, port, nginx):
            assert get(port).result == 200


def test_ngx203_client_header_buffers_too_small(nginx: Binary, correct: Correction) -> None:
    """Fault: 400 for a large cookie, 414 for a long URL. Fix: safe."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            large_client_header_buffers 2 2k;
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://{origin.address}; }}
            }}
            """)
        good = correct(faulty, "NGX203", {"buffers 2 2k": "buffers 2 8k"})

        def answers(text: str) -> list[int | str]:
            with run_nginx(text, port, nginx):
                cookie = get(port, headers={"Cookie": "c=" + "x" * 4000})
                return [cookie.result, get(port, "/?" + "x" * 4000).result]

        assert answers(faulty) == [400, 414]
        assert answers(good) == [200, 200]


def test_ngx204_client_header_buffers_in_named_vhost(nginx: Binary, correct: Correction) -> None:
    """Fault: 414 for a URL that fits into the named server's own buffers. Fix: unsafe."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port} default_server;
                return 404;
            }}
            server {{
                listen 127.0.0.1:{port};
                server_name app.example;
                large_client_header_buffers 4 32k;
                location / {{ proxy_pass http://{origin.address}; }}
            }}
            """)
        hand = {"return 404;": "return 404; large_client_header_buffers 4 32k;"}
        good = correct(faulty, "NGX204", hand, "--unsafe")
        for text, expected in ((faulty, 414), (good, 200)):
            with run_nginx(text, port, nginx):
                reply = get(port, "/?" + "x" * 12000, {"Host": "app.example"})
                assert reply.result == expected


def test_ngx205_body_limit(nginx: Binary) -> None:
    """Fault: 413 for an upload above the default of 1m, not seen by the application."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                location /upload {{ proxy_pass http://{origin.address}; }}
            }}
            """)
        good = faulty.replace("location /upload {", "location /upload { client_max_body_size 3m;")
        body = b"x" * 2_000_000
        with run_nginx(faulty, port, nginx) as proxy:
            assert 200 not in tally(several(2, lambda _: post(port, "/upload", body)))
            assert proxy.logged("client intended to send too large body: 2000000 bytes")
        assert origin.seen.connections == 0
        with run_nginx(good, port, nginx):
            assert post(port, "/upload", body).result == 200


def test_ngx206_response_buffering_off(nginx: Binary, correct: Correction) -> None:
    """Fault: the application is busy for as long as a slow client reads. Fix: unsafe."""
    port = free_port()
    size = 6_000_000
    with Origin(Answer(parts=(b"x" * size,))) as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port} sndbuf=16k;
                location / {{
                    proxy_pass http://{origin.address};
                    proxy_buffering off;
                }}
            }}
            """)
        good = correct(faulty, "NGX206", {"buffering off": "buffering on"}, "--unsafe")
        for text, is_free in ((faulty, False), (good, True)):
            origin.forget()
            with run_nginx(text, port, nginx), socket.create_connection((LOOPBACK, port)) as client:
                client.sendall(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
                time.sleep(0.7)
                # The client has read nothing yet.
                assert (origin.seen.answered == 1) is is_free
