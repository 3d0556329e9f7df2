"""HAProxy, health checks that miss what they are for."""

from __future__ import annotations

import threading
import time

from servers.binaries import Binary
from servers.certificates import certificate
from servers.clients import get, several, tally
from servers.fixes import Correction
from servers.origins import Answer, Behaviour, Origin, Request
from servers.ports import free_port
from servers.proxies import run_haproxy, sections


def app_example_only(request: Request) -> Behaviour:
    """A virtual host, as applications with a list of allowed hosts behave."""
    return Answer(status=200 if request.header("Host") == "app.example" else 400)


def test_hap507_check_without_host(haproxy: Binary, correct: Correction) -> None:
    """Fault: the check is answered with 400, so every server is out: 503. Fix: unsafe."""
    port = free_port()
    with Origin(app_example_only) as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                option httpchk GET /health
                http-check expect status 200
                http-request set-header Host app.example
                server s1 {origin.address} check inter 100ms fall 1
            """)
        option = "option httpchk GET /health"
        send = f"{option}\n    http-check send ver HTTP/1.1 hdr Host app.example"
        good = correct(faulty, "HAP507", {option: send}, "--unsafe")
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert proxy.logged("Server app/s1 is DOWN, reason: Layer7 wrong status, code: 400")
            assert get(port).result == 503
            assert proxy.logged(r"fe app/<NOSRV> .* 503 .* SC--")
        origin.forget()
        with run_haproxy(good, port, haproxy) as proxy:
            time.sleep(0.4)
            assert origin.seen.count("/health") >= 2
            assert "is DOWN" not in proxy.log
            assert get(port).result == 200


def test_hap508_check_without_sni(haproxy: Binary, correct: Correction) -> None:
    """Fault: the handshake of the check fails for want of a name: 503. Fix: safe."""
    port = free_port()
    with certificate("app.example") as made, Origin(tls=made.context()) as origin:
        verified = f"ssl verify required ca-file {made.file} sni str(app.example)"
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                server s1 {origin.address} {verified} check inter 100ms fall 1
            """)
        good = correct(faulty, "HAP508", {"fall 1": "fall 1 check-sni app.example"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert proxy.logged("Server app/s1 is DOWN, reason: Layer6 invalid response")
            assert get(port).result == 503
        with run_haproxy(good, port, haproxy) as proxy:
            time.sleep(0.4)
            assert "is DOWN" not in proxy.log
            assert get(port).result == 200


def test_hap509_backup_never_used(haproxy: Binary, correct: Correction) -> None:
    """Fault: a dead server is never down, so the backup stays idle: 503. Fix: safe."""
    port = free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                retries 1
                default-server inter 100ms fall 1
                server s1 127.0.0.1:{free_port()}
                server s2 {origin.address} check backup
            """)
        good = correct(faulty, "HAP509", {"fall 1": "fall 1 check"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert get(port).result == 503
            assert proxy.logged(r"fe app/s1 .* 503 .* SC--")
            assert origin.seen.count("/") == 0
        with run_haproxy(good, port, haproxy) as proxy:
            assert proxy.logged("Server app/s1 is DOWN")
            assert tally(several(2, lambda _: get(port))) == {200: 2}


def test_hap510_observe_without_check(haproxy: Binary, correct: Correction) -> None:
    """Fault: nothing is observed, so a server that answers 500 stays in use. Fix: unsafe."""
    port = free_port()
    with Origin(Answer(status=500)) as failing, Origin() as healthy:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                balance roundrobin
                default-server observe layer7 error-limit 2 on-error mark-down inter 30s
                server s1 {failing.address}
                server s2 {healthy.address}
            """)
        good = correct(faulty, "HAP510", {"inter 30s": "inter 30s check"}, "--unsafe")
        for text, errors in ((faulty, 6), (good, 2)):
            with run_haproxy(text, port, haproxy):
                replies = tally(several(12, lambda _: get(port)))
                assert replies == {500: errors, 200: 12 - errors}


def test_hap511_breaker_on_every_server(haproxy: Binary, correct: Correction) -> None:
    """Fault: a burst of errors on all servers empties the backend: 503. Fix: unsafe."""
    port = free_port()
    failing = [True]

    def burst(request: Request) -> Behaviour:
        return Answer(status=500 if failing[0] and request.path == "/" else 200)

    with Origin(burst) as one, Origin(burst) as two:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                balance roundrobin
                option httpchk GET /health
                default-server check inter 20s fastinter 200ms
                default-server observe layer7 error-limit 3 on-error mark-down
                server s1 {one.address}
                server s2 {two.address}
            """)
        good = correct(faulty, "HAP511", {"mark-down": "fastinter"}, "--unsafe")
        for text, afterwards in ((faulty, {503: 4}), (good, {200: 4})):
            failing[0] = True
            with run_haproxy(text, port, haproxy):
                during = tally(several(8, lambda _: get(port)))
                assert during[500] >= 6
                failing[0] = False
                # The burst is over; what the breaker took out stays out until its checks succeed.
                assert tally(several(4, lambda _: get(port))) == afterwards


def test_hap505_retries_zero(haproxy: Binary, correct: Correction) -> None:
    """Fault: a restart of the application shows as 503. Fix: safe."""
    port, app = free_port(), free_port()
    faulty = sections(f"""
        frontend fe
            bind 127.0.0.1:{port}
            default_backend app
        backend app
            retries 0
            server s1 127.0.0.1:{app}
        """)
    good = correct(faulty, "HAP505", {"retries 0": "retries 3"})
    with run_haproxy(faulty, port, haproxy) as proxy:
        assert get(port).result == 503
        assert proxy.logged(r"fe app/s1 .* 503 .* SC--")
    with run_haproxy(good, port, haproxy):
        started = time.monotonic()
        replies = []

        def ask() -> None:
            replies.append(get(port))

        client = threading.Thread(target=ask)
        client.start()
        time.sleep(0.3)
        with Origin(port=app):
            client.join(5)
        assert tally(replies) == {200: 1}
        assert time.monotonic() - started >= 0.9


def test_hap513_default_server_after_servers(haproxy: Binary, correct: Correction) -> None:
    """Fault: the settings behind the servers count for none, so no check runs. Fix: unsafe."""
    port, dead = free_port(), free_port()
    faulty = sections(f"""
        frontend fe
            bind 127.0.0.1:{port}
            default_backend app
        backend app
            server s1 127.0.0.1:{dead}
            default-server check inter 100ms fall 1
        """)
    settings = "    default-server check inter 100ms fall 1\n"
    server = f"    server s1 127.0.0.1:{dead}\n"
    hand = {settings: "", server: settings + server}
    good = correct(faulty, "HAP513", hand, "--unsafe")
    with run_haproxy(faulty, port, haproxy) as proxy:
        assert not proxy.logged("is DOWN", within=0.5)
    with run_haproxy(good, port, haproxy) as proxy:
        assert proxy.logged("Server app/s1 is DOWN")


def test_hap514_check_rules_without_httpchk(haproxy: Binary, correct: Correction) -> None:
    """Fault: the rules are ignored, so a broken application stays in use. Fix: unsafe."""
    port = free_port()
    with Origin(Answer(status=500)) as failing, Origin() as healthy:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                balance roundrobin
                http-check expect status 200
                default-server check inter 100ms fall 1
                server s1 {failing.address}
                server s2 {healthy.address}
            """)
        rule = "http-check expect status 200"
        good = correct(faulty, "HAP514", {rule: f"option httpchk\n    {rule}"}, "--unsafe")
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert proxy.logged("uses http-check rules without 'option httpchk'")
            assert not proxy.logged("is DOWN", within=0.4)
            assert tally(several(4, lambda _: get(port))) == {500: 2, 200: 2}
        with run_haproxy(good, port, haproxy) as proxy:
            assert proxy.logged("Server app/s1 is DOWN, reason: Layer7 wrong status, code: 500")
            assert tally(several(4, lambda _: get(port))) == {200: 4}


def test_hap515_check_send_proxy_missing(haproxy: Binary, correct: Correction) -> None:
    """Fault: the check omits the PROXY line on a port that expects it: 503. Fix: safe."""
    port, behind = free_port(), free_port()
    with Origin() as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                option httpchk GET /
                server s1 127.0.0.1:{behind} send-proxy check port {behind} inter 100ms fall 1
            listen behind
                bind 127.0.0.1:{behind} accept-proxy
                server origin {origin.address}
            """)
        good = correct(faulty, "HAP515", {"fall 1": "fall 1 check-send-proxy"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert proxy.logged("Server app/s1 is DOWN")
            assert get(port).result == 503
        with run_haproxy(good, port, haproxy) as proxy:
            time.sleep(0.4)
            assert "app/s1 is DOWN" not in proxy.log
            assert get(port).result == 200
