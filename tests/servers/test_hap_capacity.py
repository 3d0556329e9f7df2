"""HAProxy, limits of connections and files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from servers.binaries import Binary
from servers.clients import get, tally, together
from servers.fixes import Correction, replaced
from servers.origins import Answer, Origin
from servers.ports import free_port
from servers.proxies import StartError, run_haproxy, sections


def test_hap703_maxconn_above_file_limit(
    haproxy: Binary, correct: Correction, tmp_path: Path
) -> None:
    """Fault: `haproxy -c` accepts it, and the start fails. Fix: unsafe."""
    port = free_port()
    with Origin() as origin:
        faulty = "global\n    fd-hard-limit 1000\n    maxconn 2000\n" + sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                default_backend app
            backend app
                server s1 {origin.address}
            """)
        good = correct(faulty, "HAP703", {"maxconn 2000": "maxconn 450"}, "--unsafe")
        file = tmp_path / "haproxy.cfg"
        file.write_text(faulty)
        command = [haproxy.path, "-c", "-f", str(file)]
        environment = dict(haproxy.environment)
        assert subprocess.run(command, env=environment, check=False, timeout=10).returncode == 0
        with pytest.raises(StartError, match="Cannot raise FD limit to 4017, limit is 1000"):
            run_haproxy(faulty, port, haproxy).__enter__()
        with run_haproxy(good, port, haproxy):
            assert get(port).result == 200


def test_hap702_minconn_above_maxconn(haproxy: Binary) -> None:
    """Fault: maxconn 1 lets four requests through at once. By hand: no minconn."""
    port = free_port()
    with Origin(Answer(delay=0.3)) as origin:
        faulty = sections(f"""
            frontend fe
                bind 127.0.0.1:{port}
                timeout client 5s
                default_backend app
            backend app
                timeout queue 5s
                server s1 {origin.address} minconn 4 maxconn 1
            """)
        good = replaced(faulty, {" minconn 4": ""})
        for text, at_once in ((faulty, True), (good, False)):
            with run_haproxy(text, port, haproxy):
                replies = together(4, lambda _: get(port))
            assert tally(replies) == {200: 4}
            assert (max(reply.seconds for reply in replies) < 0.9) == at_once
