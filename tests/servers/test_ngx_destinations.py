"""nginx, destinations whose protocol or path is not the one that was meant."""

from __future__ import annotations

import pytest

from servers.binaries import Binary
from servers.certificates import certificate
from servers.clients import get, several, tally
from servers.fixes import Correction, replaced
from servers.origins import Answer, Origin, Request
from servers.ports import free_port, listener
from servers.proxies import StartError, http, run_nginx

TLS_PORT = 8443
PLAIN_PORT = 8080


def free_of_host(port: int) -> str:
    """An address of 127.0.0.0/8 at which the port is free: the ports of this rule are fixed."""
    for last in range(20, 60):
        host = f"127.0.0.{last}"
        try:
            listener(host, port).close()
        except OSError:
            continue
        return host
    pytest.skip(f"port {port} is taken everywhere")


def test_ngx105_plain_text_to_tls(nginx: Binary, correct: Correction) -> None:
    """Fault: http:// to a port of TLS fails for every request. Fix: unsafe, https://."""
    port, host = free_port(), free_of_host(TLS_PORT)
    with certificate("app.example") as made:
        behind = free_port()
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://{host}:{TLS_PORT}; }}
            }}
            """)
        good = correct(faulty, "NGX105", {"http://": "https://"}, "--unsafe")
        tls = http(f"""
            server {{
                listen 127.0.0.1:{behind};
                listen {host}:{TLS_PORT} ssl;
                ssl_certificate {made.file};
                ssl_certificate_key {made.key};
                location / {{ return 200; }}
            }}
            """)
        with run_nginx(tls, behind, nginx):
            with run_nginx(faulty, port, nginx):
                assert tally(several(3, lambda _: get(port))) == {400: 3}
            with run_nginx(good, port, nginx):
                assert tally(several(3, lambda _: get(port))) == {200: 3}


def test_ngx105_tls_to_plain_text(nginx: Binary, correct: Correction) -> None:
    """Fault: https:// to a port of plain text is a 502. Fix: unsafe, http:// on this machine."""
    port, behind, host = free_port(), free_port(), free_of_host(PLAIN_PORT)
    faulty = http(f"""
        server {{
            listen 127.0.0.1:{port};
            location / {{ proxy_pass https://{host}:{PLAIN_PORT}; }}
        }}
        """)
    good = correct(faulty, "NGX105", {"https://": "http://"}, "--unsafe")
    plain = http(f"""
        server {{
            listen 127.0.0.1:{behind};
            listen {host}:{PLAIN_PORT};
            location / {{ return 200; }}
        }}
        """)
    with run_nginx(plain, behind, nginx):
        with run_nginx(faulty, port, nginx) as proxy:
            assert tally(several(3, lambda _: get(port))) == {502: 3}
            assert proxy.logged("while SSL handshaking to upstream")
        with run_nginx(good, port, nginx):
            assert tally(several(3, lambda _: get(port))) == {200: 3}


def test_ngx110_duplicate_upstream_server(nginx: Binary, correct: Correction) -> None:
    """Fault: a refused request goes to the same server again. Fix: unsafe."""
    port, dead = free_port(), free_port()
    faulty = http(f"""
        upstream app {{
            server 127.0.0.1:{dead};
            server 127.0.0.1:{dead};
        }}
        server {{
            listen 127.0.0.1:{port};
            location / {{ proxy_pass http://app; }}
        }}
        """)
    line = f"server 127.0.0.1:{dead};"
    good = correct(faulty, "NGX110", {f"{line}\n        {line}": line}, "--unsafe")
    for text, attempts in ((faulty, 2), (good, 1)):
        with run_nginx(text, port, nginx) as proxy:
            assert get(port).result == 502
            assert proxy.logged("Connection refused")
            assert proxy.log.count("Connection refused") == attempts


def paths(origin: Origin) -> list[str]:
    return [request.path for request in origin.seen.requests]


def test_ngx114_slash_mangling(nginx: Binary, correct: Correction) -> None:
    """Fault: the application is asked for paths that it does not have. Fix: unsafe."""

    def app(request: Request) -> Answer:
        return Answer(status=200 if request.path in ("/v1", "/v2/users") else 404)

    port = free_port()
    with Origin(app) as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                location /api {{ proxy_pass http://{origin.address}/; }}
                location /two/ {{ proxy_pass http://{origin.address}/v2; }}
            }}
            """)
        good = correct(
            faulty, "NGX114", {"location /api": "location /api/", "/v2;": "/v2/;"}, "--unsafe"
        )
        with run_nginx(faulty, port, nginx):
            assert tally([get(port, "/api/v1"), get(port, "/two/users")]) == {404: 2}
        assert paths(origin) == ["//v1", "/v2users"]
        origin.forget()
        with run_nginx(good, port, nginx):
            assert tally([get(port, "/api/v1"), get(port, "/two/users")]) == {200: 2}
        assert paths(origin) == ["/v1", "/v2/users"]


def test_ngx115_uri_in_regex_location(nginx: Binary, correct: Correction) -> None:
    """Fault: nginx does not start. Fix: unsafe, without the slash."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                location ~ ^/app {{ proxy_pass http://{origin.address}/; }}
            }}
            """)
        address = origin.address
        good = correct(faulty, "NGX115", {f"{address}/;": f"{address};"}, "--unsafe")
        refused = pytest.raises(StartError, match="cannot have URI part in location given by")
        with refused, run_nginx(faulty, port, nginx):
            pass
        with run_nginx(good, port, nginx):
            assert get(port, "/app/1").result == 200
        assert paths(origin) == ["/app/1"]


def test_ngx118_pass_protocol_mixed(nginx: Binary) -> None:
    """Fault: the route that speaks FastCGI to a server of HTTP is a 502. By hand: proxy_pass."""
    port, behind = free_port(), free_port()
    faulty = http(f"""
        upstream app {{ server 127.0.0.1:{behind}; }}
        server {{
            listen 127.0.0.1:{port};
            location / {{ proxy_pass http://app; }}
            location /php {{ fastcgi_pass app; }}
        }}
        """)
    good = replaced(faulty, {"fastcgi_pass app": "proxy_pass http://app"})
    app = http(f"server {{ listen 127.0.0.1:{behind}; location / {{ return 200; }} }}")
    with run_nginx(app, behind, nginx):
        with run_nginx(faulty, port, nginx) as proxy:
            assert [get(port).result, get(port, "/php").result] == [200, 502]
            assert proxy.logged("upstream sent unsupported FastCGI protocol version: 72")
        with run_nginx(good, port, nginx):
            assert [get(port).result, get(port, "/php").result] == [200, 200]
