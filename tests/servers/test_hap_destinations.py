"""HAProxy, servers that cannot answer: by name, by weight, or because they are HAProxy itself."""

from __future__ import annotations

import time

import pytest

from servers.binaries import Binary
from servers.clients import get, several, tally
from servers.fixes import Correction, replaced
from servers.names import NameServer, with_hosts
from servers.origins import Origin
from servers.ports import free_port
from servers.proxies import StartError, run_haproxy, sections


def test_hap106_name_without_resolvers(haproxy: Binary, correct: Correction) -> None:
    """Fault: an address that changed after the start is never seen: 503. Fix: unsafe."""
    name, port = "app-1.eu-west-1.elb.amazonaws.com", free_port()
    with (
        with_hosts(haproxy, f"127.0.0.2 {name}") as here,
        NameServer(["127.0.0.1"]) as names,
        Origin() as origin,
    ):
        # When HAProxy starts the name is 127.0.0.2; by then the application is at 127.0.0.1.
        server = f"server s1 {name}:{origin.port}"
        faulty = sections(f"""
            resolvers names
                nameserver one {names.address}
                timeout resolve 200ms
                hold valid 200ms
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                retries 0
                {server}
            """)
        hand = {server: f"{server} resolvers names init-addr last,libc,none"}
        good = correct(faulty, "HAP106", hand, "--unsafe")
        with run_haproxy(faulty, port, here) as proxy:
            assert tally(several(3, lambda _: get(port))) == {503: 3}
            assert proxy.logged(r"fe app/s1 .* 503 .* SC--")
        assert names.asked == 0
        with run_haproxy(good, port, here):
            end = time.monotonic() + 5
            while get(port).result != 200 and time.monotonic() < end:
                time.sleep(0.1)
            assert tally(several(3, lambda _: get(port))) == {200: 3}
        assert names.asked > 0


@pytest.mark.parametrize(
    ("code", "faulty_words", "good_words"),
    [
        ("HAP107", " init-addr none", ""),
        ("HAP109", " weight 0", ""),
        ("HAP109", " disabled", ""),
        ("HAP109", " weight 0 backup", " backup"),
    ],
)
def test_servers_without_a_use(
    haproxy: Binary, code: str, faulty_words: str, good_words: str
) -> None:
    """Fault: 503 for every request. Neither rule has a fix: corrected by hand."""
    port = free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                server s1 localhost:{origin.port}{faulty_words}
            """)
        good = replaced(faulty, {f"{origin.port}{faulty_words}": f"{origin.port}{good_words}"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert tally(several(3, lambda _: get(port))) == {503: 3}
            assert proxy.logged(r"fe app/<NOSRV> .* 503 .* SC--")
        with run_haproxy(good, port, haproxy):
            assert tally(several(3, lambda _: get(port))) == {200: 3}


def test_hap111_dynamic_backend_without_default(haproxy: Binary) -> None:
    """Fault: a name that no backend has gets 503. By hand: a default_backend."""
    port = free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                use_backend %[path,field(2,/)]
            backend app
                server s1 {origin.address}
            """)
        route = "use_backend %[path,field(2,/)]"
        good = replaced(faulty, {route: f"{route}\n    default_backend app"})
        with run_haproxy(faulty, port, haproxy):
            assert get(port, "/app").result == 200
            assert tally(several(3, lambda _: get(port, "/other"))) == {503: 3}
        with run_haproxy(good, port, haproxy):
            assert tally(several(3, lambda _: get(port, "/other"))) == {200: 3}


def test_hap103_server_is_own_bind(haproxy: Binary) -> None:
    """Fault: one request takes every connection there is. By hand: the application's address."""
    port = free_port()
    with Origin() as origin:
        faulty = (
            f"global\n    maxconn 20\n{sections('')}"
            + f"""
frontend fe
    bind 127.0.0.1:{port}
    timeout client 1s
    default_backend app
backend app
    timeout server 1s
    server s1 127.0.0.1:{port}
"""
        )
        good = replaced(faulty, {f"server s1 127.0.0.1:{port}": f"server s1 {origin.address}"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert get(port, timeout=3).result != 200
            # The log tells how many connections there were: the one request took most of 20.
            assert proxy.logged(r"fe app/s1 .* (504|400) .* (1\d|20)/(1\d|20)/")
        with run_haproxy(good, port, haproxy):
            assert get(port).result == 200


GUARD = """\
.if !defined(GWLINT_TEST_UNSET)
    .alert "GWLINT_TEST_UNSET is not set"
.endif
"""


def test_hap008_unset_environment_address(haproxy: Binary, correct: Correction) -> None:
    """Fault: a server of another host becomes this machine. Fix: unsafe, HAProxy says so."""
    port = free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                server s1 "$GWLINT_TEST_UNSET:{origin.port}"
            """)
        good = correct(
            faulty,
            "HAP008",
            {"frontend fe": f"{GUARD}frontend fe"},
            "--unsafe",
        )
        with run_haproxy(faulty, port, haproxy):
            assert get(port).result == 200
        assert origin.seen.count("/") == 1
        with pytest.raises(StartError, match="GWLINT_TEST_UNSET is not set"):
            run_haproxy(good, port, haproxy).__enter__()


def test_hap007_empty_argument(haproxy: Binary) -> None:
    """Fault: the condition behind an empty word is not read, so all requests are denied."""
    port = free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                http-request deny "" if {{ path /admin }}
                default_backend app
            backend app
                server s1 {origin.address}
            """)
        good = replaced(faulty, {'deny "" if': "deny if"})
        with run_haproxy(faulty, port, haproxy):
            assert get(port).result == 403
        with run_haproxy(good, port, haproxy):
            assert get(port).result == 200
            assert get(port, "/admin").result == 403
