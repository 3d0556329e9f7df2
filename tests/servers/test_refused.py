"""Names that lead nowhere: the servers do not start, and gwlint says so beforehand."""

from __future__ import annotations

import pytest

from servers.binaries import Binary
from servers.certificates import certificate
from servers.clients import get
from servers.fixes import Correction, replaced
from servers.origins import Origin
from servers.ports import free_port
from servers.proxies import StartError, http, run_haproxy, run_nginx, sections


def test_ngx101_upstream_name_misspelt(nginx: Binary, correct: Correction) -> None:
    """Fault: nginx takes the name for a host and does not start. Fix: unsafe."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            upstream backend {{
                server {origin.address};
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://backends;
                }}
            }}
            """)
        good = correct(faulty, "NGX101", {"http://backends": "http://backend"}, "--unsafe")
        with (
            pytest.raises(StartError, match='host not found in upstream "backends"'),
            run_nginx(faulty, port, nginx),
        ):
            pass
        with run_nginx(good, port, nginx):
            assert get(port).result == 200


def test_hap101_undefined_backend(haproxy: Binary, correct: Correction) -> None:
    """Fault: HAProxy does not start. Fix: unsafe."""
    port = free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend shops
            backend shop
                server s1 {origin.address}
            """)
        good = correct(
            faulty, "HAP101", {"default_backend shops": "default_backend shop"}, "--unsafe"
        )
        with (
            pytest.raises(StartError, match="unable to find required default_backend: 'shops'"),
            run_haproxy(faulty, port, haproxy),
        ):
            pass
        with run_haproxy(good, port, haproxy):
            assert get(port).result == 200


def test_hap105_port_tls_mismatch(haproxy: Binary) -> None:
    """Fault: plain HTTP to a port that speaks TLS: 502. Corrected by hand: the port 443 by which
    the rule knows it is not free here, so what is shown is what becomes of the mismatch."""
    port = free_port()
    with certificate("app.example") as made, Origin(tls=made.context()) as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                server s1 {origin.address}
            """)
        tls = f"{origin.address} ssl verify none sni str(app.example)"
        good = replaced(faulty, {origin.address: tls})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert get(port).result == 502
            assert proxy.logged(r"fe app/s1 .* 502 .* SH--")
        with run_haproxy(good, port, haproxy):
            assert get(port).result == 200
