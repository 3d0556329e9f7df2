"""HAProxy, both sides speak something else: modes, TLS, HTTP/2, the PROXY protocol."""

from __future__ import annotations

from pathlib import Path

import pytest

from servers.binaries import Binary
from servers.certificates import certificate
from servers.clients import get, several, tally
from servers.fixes import Correction, corrected, gwlint, replaced
from servers.names import with_hosts
from servers.origins import Origin
from servers.ports import free_port, own_host
from servers.proxies import StartError, run_haproxy, sections

PLAIN_PORT = 8080
"""A port by which HAP105 knows plain HTTP."""


def configuration(port: int, server: str, bind: str = "", backend: str = "") -> str:
    return sections(f"""
            frontend fe
                bind 127.0.0.1:{port}{bind}
                default_backend app
            backend app
                retries 0{backend}
                {server}
            """)


def test_hap105_plain_http_to_a_tls_port(haproxy: Binary) -> None:
    """Fault: the server on the TLS port expects TLS: 502. By hand: the authority is a test's own,
    while the fix trusts those of the system."""
    port = free_port()
    with certificate("app.example") as made, Origin(tls=made.context()) as origin:
        faulty = configuration(port, f"server s1 {origin.address}")
        tls = f"{origin.address} ssl verify none sni str(app.example)"
        good = replaced(faulty, {f"s1 {origin.address}": f"s1 {tls}"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert get(port).result == 502
            assert proxy.logged(r"fe app/s1 .* 502 .* SH--")
        with run_haproxy(good, port, haproxy):
            assert get(port).result == 200


def test_hap105_tls_to_a_plain_port(haproxy: Binary, correct: Correction) -> None:
    """Fault: the server on the port for plain HTTP does not speak TLS: 503. Fix: unsafe."""
    port, host = free_port(), own_host()
    with (
        with_hosts(haproxy, f"{host} app.gwlint.test") as here,
        Origin(host=host, port=PLAIN_PORT),
    ):
        tls = "ssl verify none sni str(app.gwlint.test)"
        faulty = configuration(port, f"server s1 app.gwlint.test:{PLAIN_PORT} {tls}")
        good = correct(faulty, "HAP105", {f" {tls}": ""}, "--unsafe")
        with run_haproxy(faulty, port, here) as proxy:
            assert get(port).result == 503
            assert proxy.logged(r"fe app/s1 .* 503 .* [sS]C--")
        with run_haproxy(good, port, here):
            assert get(port).result == 200


def test_hap601_mode_mismatch(haproxy: Binary) -> None:
    """Fault: HAProxy does not start. By hand: mode http."""
    port = free_port()
    with Origin() as origin:
        faulty = configuration(port, f"mode tcp\n    server s1 {origin.address}")
        with pytest.raises(StartError, match="incompatible tcp backend"):
            run_haproxy(faulty, port, haproxy).__enter__()
        with run_haproxy(replaced(faulty, {"mode tcp": "mode http"}), port, haproxy):
            assert get(port).result == 200


def test_hap602_http_rule_in_tcp_mode(haproxy: Binary) -> None:
    """Fault: what was to be denied passes. By hand: mode http."""
    port = free_port()
    with Origin() as origin:
        text = configuration(port, f"server s1 {origin.address}")
        good = replaced(text, {"default_backend": "http-request deny\n    default_backend"})
        faulty = replaced(good, {"    mode http\n": "    mode tcp\n", "option httplog\n": "\n"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert get(port).result == 200
            assert proxy.logged("'http-request' rules ignored for frontend 'fe'")
        with run_haproxy(good, port, haproxy):
            assert get(port).result == 403


def test_hap603_server_tls_without_sni(haproxy: Binary, correct: Correction) -> None:
    """Fault: the server wants a name and ends the handshake: 503. Fix: safe with verifyhost."""
    port = free_port()
    with certificate("app.gwlint.test") as made, Origin(tls=made.context()) as origin:
        server = (
            f"server s1 {origin.address} ssl verify required ca-file {made.file}"
            " verifyhost app.gwlint.test"
        )
        faulty = configuration(port, server)
        good = correct(faulty, "HAP603", {server: f"{server} sni str(app.gwlint.test)"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert tally(several(2, lambda _: get(port))) == {503: 2}
            assert proxy.logged(r"fe app/s1 .* 503 .* SC--")
        with run_haproxy(good, port, haproxy):
            assert tally(several(2, lambda _: get(port))) == {200: 2}


def test_hap604_ssl_without_ca(haproxy: Binary) -> None:
    """Fault: HAProxy does not start. By hand: the file of the authority."""
    port = free_port()
    with certificate("app.gwlint.test") as made, Origin(tls=made.context(False)) as origin:
        faulty = configuration(port, f"server s1 {origin.address} ssl")
        with pytest.raises(StartError, match="no CA file specified"):
            run_haproxy(faulty, port, haproxy).__enter__()
        good = replaced(faulty, {" ssl": f" ssl ca-file {made.file}"})
        with run_haproxy(good, port, haproxy):
            assert get(port).result == 200


def test_hap606_any_name_accepted(haproxy: Binary, correct: Correction) -> None:
    """Fault: a certificate for another host will do. Fix: unsafe, it gets 503 from then on."""
    port = free_port()
    with (
        with_hosts(haproxy, "127.0.0.1 app.gwlint.test") as here,
        certificate("other.gwlint.test") as made,
        Origin(tls=made.context(False)) as origin,
    ):
        server = f"server s1 app.gwlint.test:{origin.port} ssl ca-file {made.file}"
        faulty = configuration(port, server)
        hand = {server: f"{server} verifyhost app.gwlint.test"}
        good = correct(faulty, "HAP606", hand, "--unsafe")
        with run_haproxy(faulty, port, here):
            assert get(port).result == 200
        with run_haproxy(good, port, here) as proxy:
            assert get(port).result == 503
            assert proxy.logged(r"fe app/s1 .* 503 .* SC--")


def test_hap606_the_right_name_still_passes(haproxy: Binary) -> None:
    """What the fix writes takes no server away whose certificate is for its name."""
    port = free_port()
    with (
        with_hosts(haproxy, "127.0.0.1 app.gwlint.test") as here,
        certificate("app.gwlint.test") as made,
        Origin(tls=made.context(False)) as origin,
    ):
        server = f"server s1 app.gwlint.test:{origin.port} ssl ca-file {made.file}"
        faulty = configuration(port, server)
        good = corrected({"haproxy.cfg": faulty}, "--select", "HAP606", "--unsafe")["haproxy.cfg"]
        with run_haproxy(good, port, here):
            assert get(port).result == 200


def test_hap607_h2_to_plain_server(haproxy: Binary) -> None:
    """Fault: HTTP/2 to a server that speaks HTTP/1. By hand: without proto."""
    port = free_port()
    with Origin() as origin:
        faulty = configuration(port, f"server s1 {origin.address} proto h2")
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert get(port).result in (502, 503)
            assert proxy.logged(r"fe app/s1 .* 50[23] ")
        with run_haproxy(replaced(faulty, {" proto h2": ""}), port, haproxy):
            assert get(port).result == 200


def test_hap609_accept_proxy_open(haproxy: Binary) -> None:
    """Fault: clients without a header are cut off. By hand: a header from the balancer only."""
    port = free_port()
    with Origin() as origin:
        server = f"server s1 {origin.address}"
        faulty = configuration(port, server, bind=" accept-proxy")
        rule = "tcp-request connection expect-proxy layer4 if { src 127.0.0.9 }"
        good = replaced(faulty, {" accept-proxy": f"\n    {rule}"})
        with run_haproxy(faulty, port, haproxy) as proxy:
            assert get(port).result in ("reset", "eof")
            assert proxy.logged("does not look like a PROXY protocol header")
        with run_haproxy(good, port, haproxy):
            assert get(port).result == 200


def test_hap608_forwardfor_missing(haproxy: Binary, correct: Correction) -> None:
    """Fault: the application does not see the client's address. Fix: safe."""
    port = free_port()
    with Origin() as origin:
        faulty = configuration(port, f"server s1 {origin.address}")
        bind = f"bind 127.0.0.1:{port}"
        good = correct(faulty, "HAP608", {bind: f"{bind}\n    option forwardfor"})
        for text, seen in ((faulty, ""), (good, "127.0.0.1")):
            origin.forget()
            with run_haproxy(text, port, haproxy):
                assert get(port).result == 200
            assert origin.seen.requests[-1].header("X-Forwarded-For") == seen


def test_the_fixes_of_many_faults_go_together(haproxy: Binary, tmp_path: Path) -> None:
    """What one run writes starts and answers, and the next run has nothing to add."""
    port = free_port()
    with Origin() as origin:
        faulty = f"""\
global
    fd-hard-limit 1000
    maxconn 2000
    nbproc 1
defaults
    mode http
    contimeout 5s
    clitimeout 5s
    srvtimeout 5s
    redispatch
    option forceclose
frontend fe
    bind 127.0.0.1:{port} process 1
    reqadd X-Forwarded-Proto:\\ https  # tell
    block if {{ path /admin }}
    default_backend app
backend app
    option httpchk GET /alive HTTP/1.1\\r\\nHost:\\ app.local
    server s1 {origin.address} check
    server s2 127.0.0.1:{free_port()} ssl verify none verifyhost api.local.net check
"""
        good = corrected({"haproxy.cfg": faulty}, "--unsafe")["haproxy.cfg"]
        (tmp_path / "haproxy.cfg").write_text(good)
        again = gwlint("fix", "--write", "--unsafe", ".", folder=str(tmp_path))
        assert again.returncode == 0, again.stdout + again.stderr
        assert (tmp_path / "haproxy.cfg").read_text() == good
        with pytest.raises(StartError, match="not supported any"):
            run_haproxy(faulty, port, haproxy).__enter__()
        with run_haproxy(good, port, haproxy):
            assert get(port).result == 200
            assert get(port, "/admin").result == 403
        paths = {request.path for request in origin.seen.requests}
        assert paths <= {"/", "/alive"}
        proto = [r.header("X-Forwarded-Proto") for r in origin.seen.requests if r.path == "/"]
        assert proto == ["https"]
