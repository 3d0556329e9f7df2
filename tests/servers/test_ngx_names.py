"""nginx and host names: when they are looked up, and to how many addresses."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from servers.binaries import Binary
from servers.clients import get, several, tally
from servers.fixes import Correction, replaced
from servers.names import NameServer, with_hosts
from servers.origins import Answer, Hangup, Origin, Request
from servers.ports import free_port
from servers.proxies import http, hurried, run_nginx


def test_ngx107_name_resolved_once(nginx: Binary) -> None:
    """Fault: an address that changed after the start is never seen. By hand: a variable."""
    name, port = "app.elb.amazonaws.com", free_port()
    with (
        with_hosts(nginx, f"127.0.0.2 {name}") as here,
        NameServer(["127.0.0.1"]) as names,
        Origin() as origin,
    ):
        # When nginx starts the name is 127.0.0.2; by then the application is at 127.0.0.1.
        app = origin.address.rpartition(":")[2]
        faulty = http(f"""
            resolver {names.address};
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://{name}:{app}; }}
            }}
            """)
        good = replaced(
            faulty, {f"proxy_pass http://{name}": f"set $app {name}; proxy_pass http://$app"}
        )
        with run_nginx(faulty, port, here) as proxy:
            assert tally(several(3, lambda _: get(port))) == {502: 3}
            assert proxy.logged(r"Connection refused.*127\.0\.0\.2")
        assert names.asked == 0
        with run_nginx(good, port, here):
            assert tally(several(3, lambda _: get(port))) == {200: 3}


def test_ngx107_resolve(
    nginx: Binary, correct: Correction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same in an upstream. Fix: unsafe, with `resolve`, from nginx 1.27.3 on."""
    if nginx.version < (1, 27, 3):
        pytest.skip(f"{nginx} does not know resolve")
    # The fix is judged by the nginx that PATH has, which may be an older one.
    (tmp_path / "nginx").symlink_to(nginx.path)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    name, port = "app.elb.amazonaws.com", free_port()
    with (
        with_hosts(nginx, f"127.0.0.2 {name}") as here,
        NameServer(["127.0.0.1"]) as names,
        Origin() as origin,
    ):
        app = origin.address.rpartition(":")[2]
        faulty = http(f"""
            resolver {names.address};
            upstream app {{
                server {name}:{app};
            }}
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://app; }}
            }}
            """)
        version = ".".join(map(str, nginx.version))
        good = correct(
            faulty,
            "NGX107",
            {f"server {name}:{app};": f"zone app 64k; server {name}:{app} resolve;"},
            "--unsafe",
            "--target",
            f"nginx={version}",
        )
        with run_nginx(faulty, port, here):
            assert tally(several(3, lambda _: get(port))) == {502: 3}
        with run_nginx(good, port, here):
            # The first answer of the name server may come after the first request.
            end = time.monotonic() + 2
            while get(port).result != 200 and time.monotonic() < end:
                time.sleep(0.05)
            assert tally(several(3, lambda _: get(port))) == {200: 3}


def test_ngx108_name_with_several_addresses(nginx: Binary, correct: Correction) -> None:
    """Fault: one failure of the application takes both addresses out. Fix: unsafe."""

    def blip(request: Request) -> Answer | Hangup:
        return Hangup() if request.path == "/blip" else Answer()

    port = free_port()
    # 127.0.0.2 stands for ::1: nothing listens there.
    with with_hosts(nginx, "127.0.0.2 localhost") as here, Origin(blip) as origin:
        app = origin.address.rpartition(":")[2]
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://localhost:{app}; }}
            }}
            """)
        good = correct(faulty, "NGX108", {"localhost": "127.0.0.1"}, "--unsafe")
        with run_nginx(faulty, port, here) as proxy:
            assert tally(several(3, lambda _: get(port))) == {200: 3}
            assert get(port, "/blip").result == 502
            assert tally(several(3, lambda _: get(port))) == {502: 3}
            assert proxy.logged("no live upstreams while connecting to upstream")
        with run_nginx(good, port, here):
            assert get(port, "/blip").result == 502
            assert tally(several(3, lambda _: get(port))) == {200: 3}


def test_ngx117_resolver_timeout_default(nginx: Binary, correct: Correction) -> None:
    """Fault: a name server that is silent stalls each request for 30 s. Fix: safe."""
    port = free_port()
    with NameServer(None) as silent:
        faulty = http(f"""
            resolver {silent.address};
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    set $app app.example;
                    proxy_pass http://$app;
                }}
            }}
            """)
        resolver = f"resolver {silent.address};"
        good = correct(faulty, "NGX117", {resolver: f"{resolver} resolver_timeout 10s;"})
        with run_nginx(faulty, port, nginx):
            assert get(port, timeout=1).result == "timeout"
        # The default of 30 s is 1.5 s in this time.
        with run_nginx(hurried(good, 20, "resolver_timeout"), port, nginx) as proxy:
            assert get(port, timeout=1).result == 502
            assert proxy.logged(r"could not be resolved \(110")
    assert silent.asked >= 2


def test_ngx103_proxy_loop(nginx: Binary) -> None:
    """Fault: one request takes all connections of the worker. By hand: the right address."""
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://127.0.0.1:{port}; }}
            }}
            """)
        good = replaced(faulty, {f"http://127.0.0.1:{port}": f"http://{origin.address}"})
        with run_nginx(faulty, port, nginx) as proxy:
            assert get(port).result == 502
            assert proxy.logged("512 worker_connections are not enough")
        with run_nginx(good, port, nginx):
            assert get(port).result == 200
