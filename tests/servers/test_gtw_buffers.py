"""Sizes on which the two sides of a connection do not agree: response headers and bodies."""

from __future__ import annotations

from servers.binaries import Binary
from servers.clients import get, post, several, tally
from servers.conftest import Pair
from servers.fixes import Correction
from servers.origins import Answer, Origin, padding
from servers.ports import free_port
from servers.proxies import http, run_haproxy, run_nginx, sections


def services(origin: Origin, size: str) -> str:
    return f'services:\n  api:\n    addresses: ["{origin.address}"]\n    response_header: {size}\n'


def test_gtw201_header_limit_inversion_nginx(nginx: Binary, correct: Correction) -> None:
    """Fault: 502 for headers of 9 kB. Fix: unsafe."""
    port = free_port()
    with Origin(Answer(headers=padding(9000))) as origin:
        faulty = {
            "nginx.conf": http(f"""
                server {{
                    listen 127.0.0.1:{port};
                    location / {{
                        proxy_pass http://{origin.address};
                    }}
                }}
                """),
            "gwlint.yaml": services(origin, "9k"),
        }
        room = "proxy_buffer_size 12k; proxy_buffers 8 12k;"
        hand = {"nginx.conf": {f"{origin.address};": f"{origin.address}; {room}"}}
        good = correct.files(faulty, "GTW201", hand, "--unsafe")
        for texts, result in ((faulty, 502), (good, 200)):
            with run_nginx(texts["nginx.conf"], port, nginx):
                assert tally(several(2, lambda _: get(port))) == {result: 2}


def test_gtw201_header_limit_inversion_haproxy(haproxy: Binary, correct: Correction) -> None:
    """Fault: 502 for headers of 16 kB. Fix: unsafe."""
    port = free_port()
    with Origin(Answer(headers=padding(16000))) as origin:
        faulty = {
            "haproxy.cfg": sections(f"""
                frontend fe
                    bind 127.0.0.1:{port}
                    default_backend app
                backend app
                    server one {origin.address}
                """),
            "gwlint.yaml": services(origin, "16k"),
        }
        hand = {"haproxy.cfg": {"raw local0\n": "raw local0\n    tune.bufsize 17408\n"}}
        good = correct.files(faulty, "GTW201", hand, "--unsafe")
        for texts, result in ((faulty, 502), (good, 200)):
            with run_haproxy(texts["haproxy.cfg"], port, haproxy):
                assert tally(several(2, lambda _: get(port))) == {result: 2}


def test_gtw201_header_limit_inversion_of_two_proxies(pair: Pair, correct: Correction) -> None:
    """Fault: nginx was given room for headers of 20 kB, HAProxy in front not: 502. Fix: unsafe."""
    outer, inner = free_port(), free_port()
    with Origin(Answer(headers=padding(20000))) as origin:
        faulty = {
            "haproxy.cfg": sections(f"""
                frontend fe
                    bind 127.0.0.1:{outer}
                    default_backend inner
                backend inner
                    server nginx 127.0.0.1:{inner}
                """),
            "nginx.conf": http(f"""
                server {{
                    listen 127.0.0.1:{inner};
                    location / {{
                        proxy_pass http://{origin.address};
                        proxy_buffer_size 32k;
                        proxy_buffers 8 32k;
                    }}
                }}
                """),
        }
        hand = {"haproxy.cfg": {"raw local0\n": "raw local0\n    tune.bufsize 33792\n"}}
        good = correct.files(faulty, "GTW201", hand, "--unsafe")
        for texts, result in ((faulty, 502), (good, 200)):
            with (
                run_nginx(texts["nginx.conf"], inner, pair.nginx),
                run_haproxy(texts["haproxy.cfg"], outer, pair.haproxy),
            ):
                assert tally(several(2, lambda _: get(outer))) == {result: 2}


def test_gtw202_body_limit_inversion(nginx: Binary, correct: Correction) -> None:
    """Fault: the nginx behind refuses what the one in front has taken. Fix: unsafe."""
    outer, inner = free_port(), free_port()
    refused = "client intended to send too large body"
    with Origin() as origin:
        faulty = {
            "edge/nginx.conf": http(f"""
                server {{
                    listen 127.0.0.1:{outer};
                    client_max_body_size 8m;
                    location / {{
                        proxy_pass http://127.0.0.1:{inner};
                    }}
                }}
                """),
            "app/nginx.conf": http(f"""
                server {{
                    listen 127.0.0.1:{inner};
                    location / {{
                        proxy_pass http://{origin.address};
                    }}
                }}
                """),
        }
        hand = {"edge/nginx.conf": {"client_max_body_size 8m": "client_max_body_size 1m"}}
        good = correct.files(faulty, "GTW202", hand, "--unsafe")
        for texts, passed_on in ((faulty, True), (good, False)):
            with (
                run_nginx(texts["app/nginx.conf"], inner, nginx) as behind,
                run_nginx(texts["edge/nginx.conf"], outer, nginx) as front,
            ):
                reply = post(outer, body=b"x" * 2_000_000)
                assert reply.result in (413, "reset")
                assert (behind if passed_on else front).logged(refused)
                assert not (front if passed_on else behind).logged(refused, within=0.1)
