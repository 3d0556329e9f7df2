"""HAProxy, rules that never count, or count before those above them."""

from __future__ import annotations

import pytest

from servers.binaries import Binary
from servers.clients import get, several, tally
from servers.fixes import Correction, replaced
from servers.origins import Answer, Origin
from servers.ports import free_port
from servers.proxies import run_haproxy, sections


@pytest.mark.parametrize("broad", ["if { path_beg /api }", ""])
def test_hap902_unreachable_rule(haproxy: Binary, broad: str) -> None:
    """Fault: /api/v2 goes to the old servers. No fix in the catalogue: moved by hand."""
    port = free_port()
    with Origin(Answer(404)) as old, Origin() as new:
        wide = f"use_backend old {broad}".rstrip()
        narrow = "use_backend new if { path_beg /api/v2 }"
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                {wide}
                {narrow}
            backend old
                server s1 {old.address}
            backend new
                server s1 {new.address}
            """)
        good = replaced(faulty, {f"{wide}\n    {narrow}": f"{narrow}\n    {wide}"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert tally(several(3, lambda _: get(port, "/api/v2/x"))) == {404: 3}
            assert proxy.logged(r"fe old/s1 .* 404 .* ----")
        with run_haproxy(good, port, haproxy):
            assert tally(several(3, lambda _: get(port, "/api/v2/x"))) == {200: 3}
            assert get(port, "/api/v1").result == 404


def test_hap901_rule_order(haproxy: Binary, correct: Correction) -> None:
    """Fault: a deny below use_backend counts all the same. Fix: safe, it only moves the line."""
    port = free_port()
    with Origin() as origin:
        route = "use_backend app if { path_beg /a }"
        deny = "http-request deny if { path /a/b }"
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                {route}
                {deny}
                default_backend app
            backend app
                server s1 {origin.address}
            """)
        hand = {f"{route}\n    {deny}": f"{deny}\n    {route}"}
        good = correct(faulty, "HAP901", hand)
        for text, is_warned in ((faulty, True), (good, False)):
            with run_haproxy(text, port, haproxy) as proxy:
                assert [get(port, path).result for path in ("/a", "/a/b")] == [200, 403]
                assert ("will still be processed before" in proxy.log) == is_warned
