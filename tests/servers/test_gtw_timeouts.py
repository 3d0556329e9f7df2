"""HAProxy in front of nginx in front of an application: who gives up first, and who tries again."""

from __future__ import annotations

from servers.binaries import Binary
from servers.clients import get, post, several, tally
from servers.conftest import Pair
from servers.fixes import Correction
from servers.origins import Answer, Hangup, Origin
from servers.ports import free_port
from servers.proxies import http, hurried, run_haproxy, run_nginx, sections

TWENTIETH = 20
"""The application takes 20 s, the layers wait 10 s and 60 s: a test runs at 1/20 of the time."""

TIMES = ("timeout server", "proxy_read_timeout")


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


def test_gtw302_retries_multiply(pair: Pair, correct: Correction) -> None:
    """Fault: one request outside becomes two times two inside. Fix: unsafe."""
    outer, inner = free_port(), free_port()

    with Origin(Answer(delay=2)) as one, Origin(Answer(delay=2)) as two:
        faulty = {
            "haproxy.cfg": sections(f"""
                frontend fe
                    bind 127.0.0.1:{outer}
                    default_backend inner
                backend inner
                    timeout server 40s
                    retries 1
                    retry-on all-retryable-errors
                    server nginx 127.0.0.1:{inner}
                """),
            "nginx.conf": http(f"""
                upstream app {{
                    server {one.address} max_fails=0;
                    server {two.address} max_fails=0;
                }}
                server {{
                    listen 127.0.0.1:{inner};
                    location / {{
                        proxy_pass http://app;
                        proxy_read_timeout 4s;
                    }}
                }}
                """),
        }
        hand = {"haproxy.cfg": {"retry-on all-retryable-errors": "retry-on conn-failure"}}
        good = correct.files(faulty, "GTW302", hand, "--unsafe")
        for texts, begun in ((faulty, 4), (good, 2)):
            front = hurried(texts["haproxy.cfg"], TWENTIETH, *TIMES)
            back = hurried(texts["nginx.conf"], TWENTIETH, *TIMES)
            one.forget()
            two.forget()
            with run_nginx(back, inner, pair.nginx), run_haproxy(front, outer, pair.haproxy):
                assert get(outer).result == 504
            assert one.seen.count("/") + two.seen.count("/") == begun


def test_gtw303_app_timeout_below_proxy_nginx(nginx: Binary, correct: Correction) -> None:
    """Fault: the worker dies first, 502. Fix (unsafe): nginx gives up first, 504."""
    with Origin(Hangup(delay=20 / TWENTIETH)) as origin:
        faulty = before_nginx(origin, "proxy_read_timeout 60s;", "response_timeout: 20s")
        good = correct.files(faulty, "GTW303", {"nginx.conf": {"60s": "15s"}}, "--unsafe")
        assert [result_of_nginx(texts, nginx) for texts in (faulty, good)] == [502, 504]


def test_gtw303_app_timeout_below_proxy_haproxy(haproxy: Binary, correct: Correction) -> None:
    """The same behind HAProxy."""
    with Origin(Hangup(delay=20 / TWENTIETH)) as origin:
        faulty = before_haproxy(origin, "timeout server 60s", "response_timeout: 20s")
        good = correct.files(faulty, "GTW303", {"haproxy.cfg": {"60s": "15s"}}, "--unsafe")
        assert [result_of_haproxy(texts, haproxy) for texts in (faulty, good)] == [502, 504]


def test_gtw304_slow_route_below_timeout_nginx(nginx: Binary, correct: Correction) -> None:
    """Fault: the slow request ends as 504. Fix: unsafe."""
    with Origin(Answer(delay=20 / TWENTIETH)) as origin:
        faulty = before_nginx(origin, "proxy_read_timeout 10s;", "slowest_response: 20s")
        good = correct.files(faulty, "GTW304", {"nginx.conf": {"10s": "25s"}}, "--unsafe")
        assert [result_of_nginx(texts, nginx) for texts in (faulty, good)] == [504, 200]


def test_gtw304_slow_route_below_timeout_haproxy(haproxy: Binary, correct: Correction) -> None:
    """The same behind HAProxy."""
    with Origin(Answer(delay=20 / TWENTIETH)) as origin:
        faulty = before_haproxy(origin, "timeout server 10s", "slowest_response: 20s")
        good = correct.files(faulty, "GTW304", {"haproxy.cfg": {"10s": "25s"}}, "--unsafe")
        assert [result_of_haproxy(texts, haproxy) for texts in (faulty, good)] == [504, 200]


def before_nginx(origin: Origin, setting: str, fact: str) -> dict[str, str]:
    """An nginx on port 80 of the loopback address before the application, and a fact about it."""
    text = http(f"""
        server {{
            listen 127.0.0.1:80;
            location / {{
                proxy_pass http://{origin.address};
                {setting}
            }}
        }}
        """)
    return {"nginx.conf": text, "gwlint.yaml": services(origin, fact)}


def before_haproxy(origin: Origin, setting: str, fact: str) -> dict[str, str]:
    """The same with HAProxy."""
    text = sections(f"""
        frontend fe
            bind 127.0.0.1:80
            default_backend app
        backend app
            {setting}
            server one {origin.address}
        """)
    return {"haproxy.cfg": text, "gwlint.yaml": services(origin, fact)}


def services(origin: Origin, fact: str) -> str:
    return f'services:\n  api:\n    addresses: ["{origin.address}"]\n    {fact}\n'


def result_of_nginx(texts: dict[str, str], binary: Binary) -> int | str:
    """What becomes of a POST, which is not sent again, at a 20th of the time."""
    port = free_port()
    text = hurried(texts["nginx.conf"], TWENTIETH, *TIMES).replace(":80;", f":{port};")
    with run_nginx(text, port, binary):
        return post(port).result


def result_of_haproxy(texts: dict[str, str], binary: Binary) -> int | str:
    port = free_port()
    text = hurried(texts["haproxy.cfg"], TWENTIETH, *TIMES).replace(":80\n", f":{port}\n")
    with run_haproxy(text, port, binary):
        return post(port).result
