"""HAProxy in front of nginx: PROXY headers, TLS and HTTP versions on which both must agree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest

from servers.binaries import Binary
from servers.certificates import Certificate, certificate
from servers.clients import get, several, tally
from servers.conftest import Pair
from servers.fixes import Correction
from servers.ports import free_port
from servers.proxies import Proxy, http, run_haproxy, run_nginx, sections


@pytest.fixture(scope="module")
def cert() -> Iterator[Certificate]:
    with certificate("app.example") as made:
        yield made


def layers(outer: int, inner: int, server: str, listen: str = "", more: str = "") -> dict[str, str]:
    """HAProxy on `outer` before an nginx on `inner` that answers by itself."""
    return {
        "haproxy.cfg": sections(f"""
            frontend fe
                bind 127.0.0.1:{outer}
                default_backend inner
            backend inner
                timeout connect 100ms
                server nginx 127.0.0.1:{inner}{server}
            """),
        "nginx.conf": http(f"""
            server {{
                listen 127.0.0.1:{inner}{listen};
                {more}
                location / {{
                    return 200;
                }}
            }}
            """),
    }


@dataclass(frozen=True)
class Case:
    """A HAProxy server line and an nginx listen that do not agree, and the server line that does.

    `result` is what becomes of each request.
    """

    server: str
    listen: str
    result: int
    right: str


def assert_corrected(case: Case, code: str, pair: Pair, correct: Correction, more: str) -> None:
    outer, inner = free_port(), free_port()
    faulty = layers(outer, inner, case.server, case.listen, more)
    hand = {"haproxy.cfg": {f":{inner}{case.server}": f":{inner}{case.right}"}}
    good = correct.files(faulty, code, hand, "--unsafe")
    assert results(faulty, outer, inner, pair) == {case.result: 2}
    assert results(good, outer, inner, pair) == {200: 2}


def results(texts: dict[str, str], outer: int, inner: int, pair: Pair) -> dict[int | str, int]:
    """What becomes of two requests."""
    with (
        run_nginx(texts["nginx.conf"], inner, pair.nginx),
        run_haproxy(texts["haproxy.cfg"], outer, pair.haproxy),
    ):
        return tally(several(2, lambda _: get(outer)))


@pytest.mark.parametrize(
    "case", [Case(" send-proxy", "", 400, ""), Case("", " proxy_protocol", 502, " send-proxy")]
)
def test_gtw601_proxy_protocol_mismatch(case: Case, pair: Pair, correct: Correction) -> None:
    """Fault: 400 for a header too much, 502 for a missing one. Fix: unsafe."""
    assert_corrected(case, "GTW601", pair, correct, "")


@pytest.mark.parametrize(
    "case", [Case(" ssl verify none", "", 503, ""), Case("", " ssl", 400, " ssl verify none")]
)
def test_gtw602_tls_mismatch(
    case: Case, cert: Certificate, pair: Pair, correct: Correction
) -> None:
    """Fault: 503 for TLS too much, 400 for TLS missing before nginx. Fix: unsafe."""
    files = f"ssl_certificate {cert.file}; ssl_certificate_key {cert.key};"
    assert_corrected(case, "GTW602", pair, correct, files if case.listen else "")


@pytest.mark.parametrize(("scheme", "right"), [("http", "https"), ("https", "http")])
def test_gtw602_tls_mismatch_of_an_application(
    scheme: str, right: str, cert: Certificate, nginx: Binary, correct: Correction
) -> None:
    """Fault: TLS to plain text gives 502; plain text to TLS 400, since the application is an nginx
    that gwlint does not read. Fix: unsafe."""
    port, app = free_port(), free_port()
    is_tls = scheme == "http"
    listen = f"listen 127.0.0.1:{app} {'ssl' if is_tls else ''};"
    files = f"ssl_certificate {cert.file}; ssl_certificate_key {cert.key};" if is_tls else ""
    faulty = {
        "nginx.conf": proxied(port, f"proxy_pass {scheme}://127.0.0.1:{app};"),
        "gwlint.yaml": protocol(app, "https" if is_tls else "http1"),
    }
    good = correct.files(
        faulty, "GTW602", {"nginx.conf": {f"{scheme}://": f"{right}://"}}, "--unsafe"
    )
    with application(listen + files, app, nginx):
        for texts, result in ((faulty, 400 if is_tls else 502), (good, 200)):
            with run_nginx(texts["nginx.conf"], port, nginx):
                assert tally(several(2, lambda _: get(port))) == {result: 2}


@pytest.mark.parametrize(("directive", "result"), [("fastcgi_pass", 502), ("uwsgi_pass", 400)])
def test_gtw603_another_protocol(
    directive: str, result: int, nginx: Binary, correct: Correction
) -> None:
    """Fault: FastCGI to a port of HTTP gives 502, uwsgi 400. Fix: unsafe."""
    port, app = free_port(), free_port()
    faulty = {
        "nginx.conf": proxied(port, f"{directive} 127.0.0.1:{app};"),
        "gwlint.yaml": protocol(app, "http1"),
    }
    hand = {"nginx.conf": {f"{directive} ": "proxy_pass http://"}}
    good = correct.files(faulty, "GTW603", hand, "--unsafe")
    with application(f"listen 127.0.0.1:{app};", app, nginx):
        for texts, expected in ((faulty, result), (good, 200)):
            with run_nginx(texts["nginx.conf"], port, nginx):
                assert tally(several(2, lambda _: get(port))) == {expected: 2}


def test_gtw603_http1_to_h2(nginx_old: Binary, haproxy: Binary, correct: Correction) -> None:
    """Fault: HTTP/1 to an nginx that takes HTTP/2 alone, as before 1.25.1: 502. Fix: unsafe."""
    outer, inner = free_port(), free_port()
    target = "target: {nginx: '1.22'}\n"
    faulty = {**layers(outer, inner, "", " http2"), "gwlint.yaml": target}
    hand = {"haproxy.cfg": {f":{inner}": f":{inner} proto h2"}}
    good = correct.files(faulty, "GTW603", hand, "--unsafe")
    pair = Pair(nginx_old, haproxy)
    assert results(faulty, outer, inner, pair) == {502: 2}
    assert results(good, outer, inner, pair) == {200: 2}


def test_gtw603_h2_to_http1(pair: Pair) -> None:
    """Fault: HTTP/2 to an nginx without it. There is no fix: which side is meant is not known."""
    outer, inner = free_port(), free_port()
    faulty, good = (layers(outer, inner, server) for server in (" proto h2", ""))
    (bad,) = results(faulty, outer, inner, pair)
    assert bad in (502, 503)
    assert results(good, outer, inner, pair) == {200: 2}


def application(text: str, port: int, binary: Binary) -> AbstractContextManager[Proxy]:
    """An nginx that answers each request with 200."""
    return run_nginx(http(f"server {{ {text} location / {{ return 200; }} }}"), port, binary)


def proxied(port: int, statement: str) -> str:
    return http(f"""
        server {{
            listen 127.0.0.1:{port};
            location / {{
                {statement}
            }}
        }}
        """)


def protocol(port: int, name: str) -> str:
    return f'services:\n  api:\n    addresses: ["127.0.0.1:{port}"]\n    protocol: {name}\n'
