"""HAProxy, requests without a destination. No rule here has a fix: corrected by hand."""

from __future__ import annotations

from servers.binaries import Binary
from servers.clients import get, several, tally
from servers.fixes import replaced
from servers.origins import Origin
from servers.ports import free_port
from servers.proxies import run_haproxy, sections


def test_hap108_backend_without_servers(haproxy: Binary) -> None:
    """Fault: 503 for every request."""
    port = free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                balance roundrobin
            """)
        good = replaced(faulty, {"balance roundrobin": f"server s1 {origin.address}"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert tally(several(3, lambda _: get(port))) == {503: 3}
            assert proxy.logged(r"fe app/<NOSRV> .* 503 .* SC--")
        with run_haproxy(good, port, haproxy):
            assert tally(several(3, lambda _: get(port))) == {200: 3}


def test_hap110_frontend_without_route(haproxy: Binary) -> None:
    """Fault: 503 for every request that no use_backend matches."""
    port = free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                use_backend app if {{ path_beg /app }}
            backend app
                server s1 {origin.address}
            """)
        route = "use_backend app if { path_beg /app }"
        good = replaced(faulty, {route: f"{route}\n    default_backend app"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert get(port, "/app").result == 200
            assert tally(several(3, lambda _: get(port))) == {503: 3}
            assert proxy.logged(r"fe fe/<NOSRV> .* 503 .* SC--")
        with run_haproxy(good, port, haproxy):
            assert tally(several(3, lambda _: get(port))) == {200: 3}
