"""nginx, destinations that lead nowhere. No rule here has a fix: the corrections are by hand."""

from __future__ import annotations

from servers.binaries import Binary
from servers.clients import get, several, tally
from servers.fixes import replaced
from servers.origins import Origin
from servers.ports import free_port
from servers.proxies import http, run_nginx


def test_ngx106_variable_destination_without_resolver(nginx: Binary) -> None:
    """Fault: 502 for every request, as the name in the variable cannot be looked up."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            upstream other {{ server {origin.address}; }}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    set $app "app.example";
                    proxy_pass http://$app;
                }}
            }}
            """)
        good = replaced(faulty, {"upstream other": "upstream app.example"})
        with run_nginx(faulty, port, nginx) as proxy:
            assert tally(several(3, lambda _: get(port))) == {502: 3}
            assert proxy.logged("no resolver defined to resolve app.example")
        with run_nginx(good, port, nginx):
            assert tally(several(3, lambda _: get(port))) == {200: 3}


def test_ngx109_all_servers_down(nginx: Binary) -> None:
    """Fault: 502 for every request, as no server may be asked."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            upstream app {{ server {origin.address} down; }}
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://app; }}
            }}
            """)
        good = replaced(faulty, {" down": ""})
        with run_nginx(faulty, port, nginx) as proxy:
            assert tally(several(3, lambda _: get(port))) == {502: 3}
            assert proxy.logged("no live upstreams while connecting to upstream")
        assert origin.seen.connections == 0
        with run_nginx(good, port, nginx):
            assert tally(several(3, lambda _: get(port))) == {200: 3}
