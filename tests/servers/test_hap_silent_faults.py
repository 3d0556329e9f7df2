"""HAProxy, faults that it starts with, mostly without a word: what becomes of the traffic."""

from __future__ import annotations

import socket
import ssl
import time
from collections import Counter

import pytest

from servers.binaries import Binary
from servers.clients import Session, get, websocket
from servers.origins import Answer, Origin, WebSocket
from servers.ports import LOOPBACK, free_port
from servers.proxies import StartError, run_haproxy, sections

RETURN = "http-request return status 200 content-type text/plain string"


def routed(port: int, front: str = "", back: str = "") -> str:
    """A frontend and a backend, each with some lines."""
    return sections(f"""
        frontend fe
            bind {LOOPBACK}:{port}
            {front}
            default_backend app
        backend app
            {back}
        """)


def test_hap101_ring_that_is_missing(haproxy: Binary) -> None:
    """Fault: the check of the file passes, the start does not."""
    text = routed(free_port(), "log ring@nope local0", "server s1 127.0.0.1:1")
    with (
        pytest.raises(StartError, match="uses unknown ring named 'nope'"),
        run_haproxy(text, 1, haproxy),
    ):
        pass


def test_hap304_tunnel_shorter_than_server(haproxy: Binary) -> None:
    """Fault: a web socket is cut before the ordinary timeouts would."""
    port = free_port()
    with Origin(WebSocket()) as origin:
        for tunnel, lives in (("timeout tunnel 300ms", False), ("timeout tunnel 5s", True)):
            text = routed(port, "", f"{tunnel}\n            server s1 {origin.address}")
            with run_haproxy(text, port, haproxy), websocket(port) as opened:
                time.sleep(0.8)
                assert opened.echoes() is lives


@pytest.mark.parametrize(
    ("front", "server", "connections"),
    [
        ("", "", 1),
        ("http-request set-header Connection close", "", 6),
        ("", "pool-max-conn 0", 6),
    ],
    ids=["sound", "HAP401", "HAP402"],
)
def test_connections_are_not_kept(
    front: str, server: str, connections: int, haproxy: Binary
) -> None:
    """Fault: each request opens a connection to the server."""
    port = free_port()
    with Origin() as origin:
        back = f"http-reuse always\n            server s1 {origin.address} {server}"
        with run_haproxy(routed(port, front, back), port, haproxy):
            for _ in range(3):
                assert get(port).result == 200
            with Session(port) as session:
                for _ in range(3):
                    assert session.get().result == 200
        assert origin.seen.connections == connections


def test_hap510_errors_that_nobody_counts(haproxy: Binary) -> None:
    """Fault: the server that answers 500 stays in."""
    port = free_port()
    with Origin(Answer(status=500)) as broken, Origin() as sound:
        for observe, errors in (("", 6), ("observe layer7", 2)):
            back = (
                f"server s1 {broken.address} check inter 5s {observe} error-limit 2"
                f" on-error mark-down\n            server s2 {sound.address} check inter 5s"
            )
            with run_haproxy(routed(port, "", back), port, haproxy):
                results = Counter(get(port).result for _ in range(12))
            assert results[500] == errors


def test_hap901_global_at_the_end(haproxy: Binary) -> None:
    """Fault: no request is logged."""
    port = free_port()
    first, _, rest = routed(port, f"{RETURN} x", "server s1 127.0.0.1:1").partition("defaults\n")
    for text, is_logged in (
        (first + "defaults\n" + rest, True),
        (f"defaults\n{rest}{first}", False),
    ):
        with run_haproxy(text, port, haproxy) as proxy:
            assert get(port).result == 200
            assert proxy.logged("fe fe/<NOSRV>|fe app/<NOSRV>", within=0.5) is is_logged


def test_hap905_two_frontends_on_one_address(haproxy: Binary) -> None:
    """Fault: which of the two answers is left to chance."""
    port = free_port()
    text = routed(port, f"{RETURN} one", "server s1 127.0.0.1:1") + (
        f"frontend other\n    bind {LOOPBACK}:{port}\n    {RETURN} two\n"
    )
    with run_haproxy(text, port, haproxy):
        bodies = Counter(get(port).body for _ in range(60))
    assert set(bodies) == {b"one", b"two"}


def test_hap905_cookie_of_two_servers(haproxy: Binary) -> None:
    """Fault: clients of the second server are sent to the first."""
    port = free_port()
    with Origin() as first, Origin() as second:
        for value, reached in (("a", (6, 0)), ("b", (0, 6))):
            first.forget()
            second.forget()
            back = (
                f"cookie S insert\n            server s1 {first.address} cookie a\n"
                f"            server s2 {second.address} cookie {value}"
            )
            with run_haproxy(routed(port, "", back), port, haproxy):
                for _ in range(6):
                    assert get(port, headers={"Cookie": f"S={value}"}).result == 200
            assert (len(first.seen.requests), len(second.seen.requests)) == reached


def hello(name: str) -> bytes:
    """The first message of a TLS client."""
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


WAITING = "tcp-request inspect-delay 5s"
ASKING = "tcp-request content accept if { req.ssl_hello_type 1 }"


@pytest.mark.parametrize(
    ("rules", "is_named"),
    [((), False), ((WAITING,), False), ((ASKING,), False), ((WAITING, ASKING), True)],
    ids=["none", "delay", "rule", "both"],
)
def test_hap903_hello_that_nothing_waits_for(
    rules: tuple[str, ...], is_named: bool, haproxy: Binary
) -> None:
    """Fault: the backend is chosen before the client has named its server."""
    port = free_port()
    lines = "\n            ".join(("mode tcp", "option tcplog", *rules))
    route = "use_backend named if { req.ssl_sni a.example.com }"
    text = routed(
        port, f"{lines}\n            {route}", "mode tcp\n    retries 0\n    server s1 127.0.0.1:1"
    )
    text += "backend named\n    mode tcp\n    retries 0\n    server s1 127.0.0.1:1\n"
    with run_haproxy(text, port, haproxy) as proxy:
        with socket.create_connection((LOOPBACK, port), 5) as client:
            time.sleep(0.15)
            client.sendall(hello("a.example.com"))
            client.settimeout(8)
            assert client.recv(1) == b""
        assert proxy.logged(r"fe named/" if is_named else r"fe app/")
        assert ("fe named/" in proxy.log) is is_named
