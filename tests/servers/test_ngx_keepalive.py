"""nginx below 1.29.7, the upstream keep-alive pool: switched on, and yet without effect.

Fault: a new connection to the application for every request; from 1.29.7 on the defaults heal it.
"""

from __future__ import annotations

import pytest

from servers.binaries import Binary
from servers.clients import get, several, tally
from servers.fixes import Correction
from servers.origins import Origin
from servers.ports import free_port
from servers.proxies import http, run_nginx

REQUESTS = 8

VERSION = "proxy_http_version 1.1;"
CLEARED = 'proxy_set_header Connection "";'

SCENARIOS = {
    # The fixes also settle the idle limit, which they can only guess here: hence unsafe.
    "NGX402": ("keepalive 8;", CLEARED, {CLEARED: f"{VERSION} {CLEARED}"}),
    "NGX403": ("keepalive 8;", VERSION, {VERSION: f"{VERSION} {CLEARED}"}),
    "NGX404": (
        "keepalive 8;\n    least_conn;",
        f"{VERSION} {CLEARED}",
        {"keepalive 8;\n        least_conn;": "least_conn;\n        keepalive 8;"},
    ),
}


@pytest.mark.parametrize("code", SCENARIOS)
def test_pool_without_effect(nginx_old: Binary, correct: Correction, code: str) -> None:
    pool, location, hand = SCENARIOS[code]
    port = free_port()
    with Origin() as origin:
        faulty = http(f"""
upstream app {{
    server {origin.address};
    {pool}
}}
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://app;
        {location}
    }}
}}
""")
        good = correct(faulty, code, hand, "--unsafe")
        for text, connections in ((faulty, REQUESTS), (good, 1)):
            origin.forget()
            with run_nginx(text, port, nginx_old):
                assert tally(several(REQUESTS, lambda _: get(port))) == {200: REQUESTS}
            assert origin.seen.connections == connections
