"""Names that lead nowhere: the servers do not start, and gwlint says so beforehand."""

from __future__ import annotations

import pytest

from servers.binaries import Binary
from servers.clients import get
from servers.fixes import Correction
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
