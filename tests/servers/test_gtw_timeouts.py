"""HAProxy in front of nginx: which of the two gives up first."""

from __future__ import annotations

from servers.binaries import Binary
from servers.clients import get, several, tally
from servers.fixes import Correction
from servers.origins import Answer, Origin
from servers.ports import free_port
from servers.proxies import http, hurried, run_haproxy, run_nginx, sections

TWENTIETH = 20
"""The application takes 20 s, the layers wait 10 s and 60 s: a test runs at 1/20 of the time."""


def test_gtw301_outer_timeout_below_inner(
    nginx_old: Binary, haproxy: Binary, correct: Correction
) -> None:
    """Fault: 504 at the outer layer for work that the inner one finishes. Fix: unsafe."""
    outer, inner = free_port(), free_port()
    with Origin(Answer(delay=20 / TWENTIETH)) as origin:
        faulty = {
            "haproxy.cfg": sections(f"""
                frontend fe
                    bind 127.0.0.1:{outer}
                    default_backend inner
                backend inner
                    timeout server 10s
                    server nginx 127.0.0.1:{inner}
                """),
            "nginx.conf": http(f"""
                server {{
                    listen 127.0.0.1:{inner};
                    location / {{
                        proxy_pass http://{origin.address};
                        proxy_read_timeout 60s;
                    }}
                }}
                """),
        }
        hand = {"haproxy.cfg": {"timeout server 10s": "timeout server 65s"}}
        good = correct.files(faulty, "GTW301", hand, "--unsafe")
        for texts, result in ((faulty, 504), (good, 200)):
            front = hurried(texts["haproxy.cfg"], TWENTIETH, "timeout server")
            back = hurried(texts["nginx.conf"], TWENTIETH, "proxy_read_timeout")
            with (
                run_nginx(back, inner, nginx_old),
                run_haproxy(front, outer, haproxy) as proxy,
            ):
                assert tally(several(2, lambda _: get(outer))) == {result: 2}
                assert proxy.logged("inner/nginx .* 504 .* sH--", within=0.1) is (result == 504)
