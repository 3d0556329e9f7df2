"""GTW301: timeouts of two proxies on the way of one request."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed

HAPROXY = """\
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s

frontend www
    bind :80
    default_backend nginx

backend nginx
    server nginx 127.0.0.1:8080
"""


def nginx(*servers: str) -> str:
    return "events {}\nhttp {\n" + "\n".join(servers) + "\n}\n"


def server(name: str, location: str) -> str:
    return f"server {{ listen 127.0.0.1:8080; server_name {name}; location / {{ {location} }} }}"


SLOW = "proxy_pass http://127.0.0.1:3000; proxy_read_timeout 120s;"
QUICK = "proxy_pass http://127.0.0.1:3000; proxy_read_timeout 10s;"


def test_the_fix_stays_in_the_backend() -> None:
    after = fixed({"haproxy.cfg": HAPROXY, "nginx.conf": nginx(server("a", SLOW))}, "GTW301")
    assert after["haproxy.cfg"] == HAPROXY + "    timeout server 125s\n"


def test_a_quick_site_behind_the_same_address_leaves_doubt() -> None:
    """Only some hosts are slow, and nothing says that they come this way."""
    sites = nginx(server("a", SLOW), server("b", QUICK))
    assert not findings({"haproxy.cfg": HAPROXY, "nginx.conf": sites}, "GTW301")


def test_web_sockets_have_a_timeout_of_their_own() -> None:
    upgraded = SLOW + " proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
    files = {"haproxy.cfg": HAPROXY, "nginx.conf": nginx(server("a", upgraded))}
    assert not findings(files, "GTW301")


def test_of_several_machines_the_one_in_the_same_folder_is_meant() -> None:
    slow, quick = nginx(server("a", SLOW)), nginx(server("a", QUICK))
    files = {"one/haproxy.cfg": HAPROXY, "one/nginx.conf": slow, "two/nginx.conf": quick}
    assert [one.path for one in findings(files, "GTW301")] == ["one/haproxy.cfg"]
    files = {"one/haproxy.cfg": HAPROXY, "two/nginx.conf": slow, "three/nginx.conf": slow}
    assert not findings(files, "GTW301")


def test_nginx_in_front_of_haproxy() -> None:
    outer = nginx(
        "server { listen 80; location / { proxy_pass http://127.0.0.1:81; } }",
    )
    inner = HAPROXY.replace(":80\n", "127.0.0.1:81\n").replace("server 30s", "server 90s")
    files = {"haproxy.cfg": inner, "nginx.conf": outer}
    (found,) = findings(files, "GTW301")
    assert found.path == "nginx.conf"
    after = fixed(files, "GTW301")["nginx.conf"]
    assert "proxy_pass http://127.0.0.1:81; proxy_read_timeout 95s;" in after
