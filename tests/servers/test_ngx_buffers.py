"""nginx, response headers and the buffers that hold them."""

from __future__ import annotations

import pytest

from servers.binaries import Binary
from servers.clients import get, several, tally
from servers.fixes import Correction
from servers.origins import Answer, Origin, padding
from servers.ports import free_port
from servers.proxies import StartError, http, run_nginx


def test_ngx201_header_buffer_too_small(nginx: Binary, correct: Correction) -> None:
    """Fault: 502 for every answer with more headers than proxy_buffer_size. Fix: safe."""
    port = free_port()
    with Origin(Answer(headers=padding(3000))) as origin:
        faulty = http(f"""
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://{origin.address};
                    proxy_buffer_size 2k;
                }}
            }}
            """)
        good = correct(faulty, "NGX201", {"proxy_buffer_size 2k": "proxy_buffer_size 8k"})
        with run_nginx(faulty, port, nginx) as proxy:
            assert tally(several(3, lambda _: get(port))) == {502: 3}
            assert proxy.logged("upstream sent too big header")
        with run_nginx(good, port, nginx):
            assert tally(several(3, lambda _: get(port))) == {200: 3}


INCONSISTENT = {
    "alone": ("", "proxy_buffer_size 16k;", "proxy_buffer_size 16k; proxy_buffers 8 16k;"),
    "met in a location": (
        "proxy_buffer_size 16k; proxy_buffers 8 16k;",
        "proxy_buffers 4 8k;",
        "proxy_buffers 4 16k;",
    ),
}


@pytest.mark.parametrize("outer, inner, hand", INCONSISTENT.values(), ids=INCONSISTENT)
def test_ngx202_buffers_inconsistent(
    nginx: Binary, correct: Correction, outer: str, inner: str, hand: str
) -> None:
    """Fault: nginx does not start; busy (2 x 16k) is above all buffers but one. Fix: safe."""
    port = free_port()
    with Origin(Answer(headers=padding(9000))) as origin:
        faulty = http(f"""
            {outer}
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://{origin.address};
                    {inner}
                }}
            }}
            """)
        good = correct(faulty, "NGX202", {inner: hand})
        with (
            pytest.raises(StartError, match="proxy_busy_buffers_size"),
            run_nginx(faulty, port, nginx),
        ):
            pass
        with run_nginx(good, port, nginx):
            assert get(port).result == 200
