"""A load balancer in front of the gateway: who closes an idle connection first.

The test plays the load balancer. It keeps a connection idle for longer than the gateway does, and
sends the next request on it as one that has not learnt of the closing yet.
"""

from __future__ import annotations

import time

from servers.binaries import Binary
from servers.clients import Session
from servers.fixes import Correction
from servers.origins import Origin
from servers.ports import free_port
from servers.proxies import http, hurried, run_haproxy, run_nginx, sections

TWENTIETH = 20
"""The layer keeps connections for 60 s, the gateway for 5 s: a test runs at 1/20 of the time."""

IDLE = 20 / TWENTIETH

LAYERS = "layers:\n  - {name: alb, preset: aws-alb}\n"


def second_request(port: int) -> int | str:
    """What becomes of a request on a connection that was idle for 20 s, at 1/20 of the time."""
    with Session(port) as session:
        assert session.post().result == 200
        time.sleep(IDLE)
        return session.post().result


def test_gtw401_idle_inversion_nginx(nginx: Binary, correct: Correction) -> None:
    """Fault: the request is lost, for which a load balancer answers 502. Fix: unsafe."""
    with Origin() as origin:
        faulty = {
            "nginx.conf": http(f"""
                keepalive_timeout 5s;
                server {{
                    listen 80;
                    location / {{
                        proxy_pass http://{origin.address};
                    }}
                }}
                """),
            "gwlint.yaml": LAYERS,
        }
        hand = {"nginx.conf": {"keepalive_timeout 5s": "keepalive_timeout 65s"}}
        good = correct.files(faulty, "GTW401", hand, "--unsafe")
        for texts, lost in ((faulty, True), (good, False)):
            port = free_port()
            text = hurried(texts["nginx.conf"], TWENTIETH, "keepalive_timeout")
            with run_nginx(text.replace("listen 80;", f"listen 127.0.0.1:{port};"), port, nginx):
                assert (second_request(port) in ("eof", "reset")) is lost


def test_gtw401_idle_inversion_haproxy(haproxy: Binary, correct: Correction) -> None:
    """The same behind HAProxy, where timeout http-request stands in for http-keep-alive."""
    with Origin() as origin:
        faulty = {
            "haproxy.cfg": sections(f"""
                frontend fe
                    bind :80
                    default_backend app
                backend app
                    server one {origin.address}
                """),
            "gwlint.yaml": LAYERS,
        }
        hand = {"haproxy.cfg": {"bind :80": "bind :80\n    timeout http-keep-alive 65s"}}
        good = correct.files(faulty, "GTW401", hand, "--unsafe")
        for texts, lost in ((faulty, True), (good, False)):
            port = free_port()
            names = ("timeout http-keep-alive", "timeout http-request")
            text = hurried(texts["haproxy.cfg"], TWENTIETH, *names)
            with run_haproxy(text.replace("bind :80", f"bind 127.0.0.1:{port}"), port, haproxy):
                assert (second_request(port) in ("eof", "reset")) is lost
