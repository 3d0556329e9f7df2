"""nginx, how much it takes at a time: connections, files, limits."""

from __future__ import annotations

import resource

from servers.binaries import Binary
from servers.clients import get, several, tally, together
from servers.fixes import Correction
from servers.origins import Answer, Origin
from servers.ports import free_port
from servers.proxies import run_nginx

CLIENTS = 48


def passing(port: int, origin: Origin, main: str, events: str) -> str:
    return f"""{main}
events {{ {events} }}
http {{
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://{origin.address}; }}
    }}
}}
"""


def limited(port: int, origin: Origin, limit: str, *lines: str) -> str:
    inner = "\n    ".join(lines)
    return f"""events {{}}
http {{
    limit_req_zone $binary_remote_addr zone=per_ip:1m rate=2r/s;
    {inner}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            {limit}
            proxy_pass http://{origin.address};
        }}
    }}
}}
"""


def test_ngx701_worker_connections_low(nginx: Binary, correct: Correction) -> None:
    """Fault: clients above half the number get no answer. Fix: unsafe."""
    port = free_port()
    with Origin(Answer(delay=0.3)) as origin:
        faulty = passing(port, origin, "worker_processes 1;", "worker_connections 20;")
        hand = {"worker_connections 20;": "worker_connections 1024;"}
        good = correct(faulty, "NGX701", hand, "--unsafe")
        with run_nginx(faulty, port, nginx) as proxy:
            answered = tally(together(CLIENTS, lambda _: get(port))).get(200, 0)
            assert answered < CLIENTS
            assert proxy.logged("worker_connections are not enough")
        with run_nginx(good, port, nginx):
            assert tally(together(CLIENTS, lambda _: get(port))) == {200: CLIENTS}


def test_ngx702_file_limit_below_connections(nginx: Binary, correct: Correction) -> None:
    """Fault: files run out before connections do, and requests get a 500. Fix: safe."""
    port = free_port()
    with Origin(Answer(delay=0.3)) as origin:
        main = "worker_processes 1; worker_rlimit_nofile 32;"
        faulty = passing(port, origin, main, "worker_connections 1024;")
        hand = {"worker_rlimit_nofile 32": "worker_rlimit_nofile 2048"}
        good = correct(faulty, "NGX702", hand)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 2048
        with run_nginx(faulty, port, nginx) as proxy:
            assert tally(together(CLIENTS, lambda _: get(port))).get(500, 0) > 0
            assert proxy.logged(r"socket\(\) failed \(24: ")
        with run_nginx(good, port, nginx):
            assert tally(together(CLIENTS, lambda _: get(port))) == {200: CLIENTS}


def test_ngx704_limit_without_burst(nginx: Binary, correct: Correction) -> None:
    """Fault: the second of two requests in a row is refused. Fix: unsafe."""
    port = free_port()
    with Origin() as origin:
        faulty = limited(port, origin, "limit_req zone=per_ip;")
        hand = {"limit_req zone=per_ip;": "limit_req zone=per_ip burst=20 nodelay;"}
        good = correct(faulty, "NGX704", hand, "--unsafe")
        with run_nginx(faulty, port, nginx) as proxy:
            assert tally(several(6, lambda _: get(port))) == {200: 1, 503: 5}
            assert proxy.logged('limiting requests, excess: .* by zone "per_ip"')
        with run_nginx(good, port, nginx):
            assert tally(several(6, lambda _: get(port))) == {200: 6}


def test_ngx705_limit_key_behind_proxy(nginx: Binary) -> None:
    """Fault: one client uses up the budget of another. No fix: whom to trust is a decision."""

    def ask(client: str) -> int | str:
        return get(port, headers={"X-Forwarded-For": client}).result

    port = free_port()
    limit = "limit_req zone=per_ip burst=2 nodelay;"
    trust = ("set_real_ip_from 127.0.0.1;", "real_ip_header X-Forwarded-For;")
    with Origin() as origin:
        faulty = limited(port, origin, limit)
        good = limited(port, origin, limit, *trust)
        for text, other in ((faulty, 503), (good, 200)):
            with run_nginx(text, port, nginx):
                assert [ask("192.0.2.1") for _ in range(4)] == [200, 200, 200, 503]
                assert ask("192.0.2.2") == other


def test_ngx706_limit_status_503(nginx: Binary, correct: Correction) -> None:
    """Fault: a client that sends too much looks like an outage. Fix: unsafe."""
    port = free_port()
    limit = "limit_req zone=per_ip burst=2 nodelay;"
    with Origin() as origin:
        faulty = limited(port, origin, limit)
        good = correct(faulty, "NGX706", {limit: f"{limit} limit_req_status 429;"}, "--unsafe")
        for text, refused in ((faulty, 503), (good, 429)):
            with run_nginx(text, port, nginx):
                assert tally(several(5, lambda _: get(port))) == {200: 3, refused: 2}
