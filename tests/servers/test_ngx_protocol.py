"""nginx, what it says to the application: upgrades, TLS names, request headers."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import pytest

from servers.binaries import Binary
from servers.certificates import Certificate, certificate
from servers.clients import get, several, tally, websocket
from servers.fixes import Correction
from servers.origins import Answer, Origin, Request, WebSocket
from servers.ports import free_port
from servers.proxies import StartError, http, run_nginx

NAME = "app.example"

REQUESTS = 3


def location(port: int, upstream: str, *lines: str) -> str:
    """A server whose one location passes requests on; with `upstream app` where one is given."""
    block = f"upstream app {{ server {upstream}; }}\n" if upstream else ""
    inner = "\n".join(f"        {line}" for line in lines)
    return http(
        f"{block}server {{\n    listen 127.0.0.1:{port};\n    location / {{\n{inner}\n    }}\n}}\n"
    )


def results(text: str, port: int, binary: Binary) -> Mapping[int | str, int]:
    with run_nginx(text, port, binary):
        return tally(several(REQUESTS, lambda _: get(port)))


def test_ngx601_websocket_headers_missing(nginx: Binary, correct: Correction) -> None:
    """Fault: the application sees no handshake and answers 426. Fix: safe."""
    port = free_port()
    with Origin(WebSocket()) as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                proxy_set_header Host $host;
                location /ws {{
                    proxy_pass http://{origin.address};
                }}
            }}
            """)
        pair = "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
        where = f"proxy_pass http://{origin.address};"
        hand = {where: f"{where} proxy_http_version 1.1; {pair}"}
        good = correct(faulty, "NGX601", hand)
        with run_nginx(faulty, port, nginx), websocket(port, "/ws") as socket:
            assert socket.status == 426
        with run_nginx(good, port, nginx), websocket(port, "/ws") as socket:
            assert socket.status == 101
            assert socket.echoes()


def test_ngx601_half_a_pair(nginx: Binary, correct: Correction) -> None:
    """Fault: Upgrade without Connection is no handshake either. Fix: safe."""

    def strict(request: Request) -> Answer | WebSocket:
        asks = "upgrade" in request.header("Connection").lower()
        return WebSocket() if asks else Answer(status=400)

    port = free_port()
    with Origin(strict) as origin:
        faulty = location(
            port,
            "",
            f"proxy_pass http://{origin.address};",
            "proxy_http_version 1.1;",
            "proxy_set_header Upgrade $http_upgrade;",
        )
        upgrade = "proxy_set_header Upgrade $http_upgrade;"
        good = correct(
            faulty, "NGX601", {upgrade: f"{upgrade} proxy_set_header Connection upgrade;"}
        )
        for text, status in ((faulty, 400), (good, 101)):
            with run_nginx(text, port, nginx), websocket(port) as socket:
                assert socket.status == status
        if not correct.by_hand:
            # The fix leaves plain requests plain.
            with run_nginx(good, port, nginx):
                assert get(port).result == 400


def test_ngx602_upgrade_without_http11(nginx_old: Binary, correct: Correction) -> None:
    """Fault: an application that follows RFC 6455 refuses HTTP/1.0. Fix: safe."""

    def strict(request: Request) -> Answer | WebSocket:
        return WebSocket() if request.version == "HTTP/1.1" else Answer(status=426)

    port = free_port()
    with Origin(strict) as origin:
        upgrade = "proxy_set_header Upgrade $http_upgrade;"
        faulty = location(
            port,
            "",
            f"proxy_pass http://{origin.address};",
            upgrade,
            'proxy_set_header Connection "upgrade";',
        )
        good = correct(faulty, "NGX602", {upgrade: f"proxy_http_version 1.1; {upgrade}"})
        for text, status in ((faulty, 426), (good, 101)):
            with run_nginx(text, port, nginx_old), websocket(port) as socket:
                assert socket.status == status


def test_ngx603_upstream_tls_without_sni(nginx: Binary, correct: Correction) -> None:
    """Fault: an origin that requires SNI ends the handshake. Fix: safe."""
    port = free_port()
    with certificate(NAME) as made, Origin(tls=made.context()) as origin:
        passing = "proxy_pass https://app;"
        faulty = location(port, origin.address, passing, f"proxy_set_header Host {NAME};")
        good = correct(
            faulty,
            "NGX603",
            {passing: f"{passing} proxy_ssl_server_name on; proxy_ssl_name {NAME};"},
        )
        assert results(faulty, port, nginx) == {502: REQUESTS}
        assert results(good, port, nginx) == {200: REQUESTS}


def test_ngx604_sni_is_upstream_name(nginx: Binary, correct: Correction) -> None:
    """Fault: the origin is asked for a host "app", which it does not have. Fix: unsafe."""
    port = free_port()
    with certificate(NAME) as made, Origin(tls=made.context(), host="127.0.0.2") as origin:
        sni = "proxy_ssl_server_name on;"
        faulty = location(
            port, origin.address, "proxy_pass https://app;", sni, f"proxy_set_header Host {NAME};"
        )
        # Servers of this machine are left alone by the rule, so the fix is made for another one.
        elsewhere = faulty.replace(origin.address, "192.0.2.1:443")
        good = correct(elsewhere, "NGX604", {sni: f"{sni} proxy_ssl_name {NAME};"}, "--unsafe")
        assert results(faulty, port, nginx) == {502: REQUESTS}
        good = good.replace("192.0.2.1:443", origin.address)
        assert results(good, port, nginx) == {200: REQUESTS}


def test_ngx605_upstream_tls_unverified(nginx: Binary, correct: Correction) -> None:
    """Fault: an impostor with a certificate of its own is accepted. Fix: unsafe."""
    port = free_port()
    with (
        certificate(NAME) as trusted,
        certificate(NAME) as forged,
        Origin(tls=forged.context(needs_name=False)) as impostor,
    ):
        authority = f"proxy_ssl_trusted_certificate {readable(trusted)};"
        name = f"proxy_ssl_name {NAME};"
        faulty = location(port, "192.0.2.1:443", "proxy_pass https://app;", name, authority)
        hand = {authority: f"{authority} proxy_ssl_verify on;"}
        # Servers of this machine are left alone by the rule, so the fix is made for another one.
        good = correct(faulty, "NGX605", hand, "--unsafe")
        faulty, good = (text.replace("192.0.2.1:443", impostor.address) for text in (faulty, good))
        assert results(faulty, port, nginx) == {200: REQUESTS}
        with run_nginx(good, port, nginx) as proxy:
            assert get(port).result == 502
            assert proxy.logged("upstream SSL certificate verify error")


def test_ngx606_verify_without_ca(nginx: Binary) -> None:
    """Fault: nginx does not start. There is no fix: the authorities are the author's choice."""
    port = free_port()
    with certificate(NAME) as made, Origin(tls=made.context(needs_name=False)) as origin:
        lines = (
            f"proxy_pass https://{origin.address};",
            "proxy_ssl_verify on;",
            f"proxy_ssl_name {NAME};",
        )
        refused = pytest.raises(StartError, match="no proxy_ssl_trusted_certificate")
        with refused, run_nginx(location(port, "", *lines), port, nginx):
            pass
        good = location(port, "", *lines, f"proxy_ssl_trusted_certificate {readable(made)};")
        assert results(good, port, nginx) == {200: REQUESTS}


def test_ngx607_verify_name_mismatch(nginx: Binary, correct: Correction) -> None:
    """Fault: the certificate is not one for the upstream block's name. Fix: unsafe."""
    port = free_port()
    with certificate(NAME) as made, Origin(tls=made.context(needs_name=False)) as origin:
        verify = "proxy_ssl_verify on;"
        faulty = location(
            port,
            origin.address,
            "proxy_pass https://app;",
            verify,
            f"proxy_ssl_trusted_certificate {readable(made)};",
            f"proxy_set_header Host {NAME};",
        )
        good = correct(faulty, "NGX607", {verify: f"{verify} proxy_ssl_name {NAME};"}, "--unsafe")
        with run_nginx(faulty, port, nginx) as proxy:
            assert get(port).result == 502
            assert proxy.logged('upstream SSL certificate does not match "app"')
        assert results(good, port, nginx) == {200: REQUESTS}


def test_ngx608_upstream_tls_protocols(nginx: Binary, correct: Correction) -> None:
    """Fault: an origin that wants TLS 1.3 is not reached. Fix: unsafe."""
    port = free_port()
    with certificate(NAME) as made:
        newest = made.context(needs_name=False)
        newest.minimum_version = ssl.TLSVersion.TLSv1_3
        with Origin(tls=newest) as origin:
            old = "proxy_ssl_protocols TLSv1.2;"
            faulty = location(port, "", f"proxy_pass https://{origin.address};", old)
            hand = {old: "proxy_ssl_protocols TLSv1.2 TLSv1.3;"}
            good = correct(faulty, "NGX608", hand, "--unsafe")
            assert results(faulty, port, nginx) == {502: REQUESTS}
            assert results(good, port, nginx) == {200: REQUESTS}


def test_ngx609_inherited_headers_lost(nginx: Binary, correct: Correction) -> None:
    """Fault: one header in the location, and the application gets another Host. Fix: unsafe."""

    def misdirected(request: Request) -> Answer:
        return Answer(status=200 if request.header("Host") == "test.example" else 421)

    port = free_port()
    with Origin(misdirected) as origin:
        faulty = http(f"""
            upstream app {{ server {origin.address}; }}
            server {{
                listen 127.0.0.1:{port};
                proxy_set_header Host $host;
                location / {{
                    proxy_pass http://app;
                    proxy_set_header X-Real-IP $remote_addr;
                }}
            }}
            """)
        own = "proxy_set_header X-Real-IP $remote_addr;"
        good = correct(faulty, "NGX609", {own: f"proxy_set_header Host $host; {own}"}, "--unsafe")
        assert results(faulty, port, nginx) == {421: REQUESTS}
        assert results(good, port, nginx) == {200: REQUESTS}


def test_ngx610_upstream_name_as_host(nginx: Binary, correct: Correction) -> None:
    """Fault: the application refuses "my_app" as a host name. Fix: unsafe."""

    def picky(request: Request) -> Answer:
        return Answer(status=400 if "_" in request.header("Host") else 200)

    port = free_port()
    with Origin(picky) as origin:
        faulty = http(f"""
            upstream my_app {{ server {origin.address}; }}
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://my_app; }}
            }}
            """)
        passing = "proxy_pass http://my_app;"
        good = correct(
            faulty, "NGX610", {passing: f"{passing} proxy_set_header Host $host;"}, "--unsafe"
        )
        assert results(faulty, port, nginx) == {400: REQUESTS}
        assert results(good, port, nginx) == {200: REQUESTS}


def readable(made: Certificate) -> str:
    """The path of the certificate, which a worker that is not root reads too."""
    made.file.parent.chmod(0o755)
    made.file.chmod(0o644)
    return str(made.file)
