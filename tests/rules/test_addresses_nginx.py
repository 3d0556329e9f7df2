"""NGX101 and NGX102 beyond their examples."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed_text

NAMED = (
    "events {{}}\nhttp {{\n    upstream {} {{ server 127.0.0.1:1; }}\n"
    "    server {{ listen unix:test.sock; location / {{ proxy_pass {}; }} }}\n}}\n"
)


def nginx_accepts(text: str, folder: Path) -> bool:
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail("nginx is not installed")
        pytest.skip("nginx is not installed")
    (folder / "nginx.conf").write_text(text)
    (folder / "logs").mkdir(exist_ok=True)
    command = [binary, "-t", "-e", "stderr", "-p", f"{folder}/", "-c", "nginx.conf"]
    return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0


# NGX101


def test_the_name_is_corrected_with_its_uri_kept(tmp_path: Path) -> None:
    after = fixed_text(NAMED.format("backend", "http://bakcend/api?x"), "NGX101")
    assert after == NAMED.format("backend", "http://backend/api?x")
    assert nginx_accepts(after, tmp_path)


@pytest.mark.parametrize(
    ("upstream", "destination"),
    [
        ("backend", "http://backend2"),
        ("web1", "http://web2"),
        ("backend", "http://bakend:8080"),
        ("backend", "http://backend.local"),
        ("backend", "http://$arg_bakend"),
        ("backend", "http://frontend"),
        ("app", "http://api"),
        ("backend", "http://backend"),
    ],
)
def test_other_names_are_not_misspelt(upstream: str, destination: str) -> None:
    text = NAMED.format(upstream, destination)
    assert findings(text, "NGX101") == []


def test_an_upstream_in_use_is_not_meant() -> None:
    text = NAMED.format("oauth", "http://oauth; } location /b { proxy_pass http://auth")
    assert findings(text, "NGX101") == []


def test_fragments_and_lost_includes_may_hold_the_upstream() -> None:
    part = NAMED.format("backend", "http://bakend").partition("http {\n")[2].rpartition("}")[0]
    part = part.replace("{ ", "{\n")
    assert findings({"nginx/conf.d/site.conf": part}, "NGX101") == []
    text = NAMED.format("backend", "http://bakend").replace(
        "http {\n", "http {\n    include /etc/elsewhere/*.conf;\n"
    )
    assert findings(text, "NGX101") == []


# NGX102


@pytest.mark.parametrize(
    "location",
    [
        "proxy_pass http://127.0.0.1:70000;",
        "proxy_pass http://127.0.0.1:0;",
        "proxy_pass http://127.0.0.1:;",
        "proxy_pass http://:80;",
        "proxy_pass http://256.1.1.1;",
        "proxy_pass http://[::1;",
        "proxy_pass http://unix:;",
        "proxy_pass http://*:80;",
        "proxy_pass 127.0.0.1:80;",
        "fastcgi_pass http://127.0.0.1:9000;",
        "fastcgi_pass 127.0.0.1;",
        "fastcgi_pass 127.0.0.1:9000/x;",
        "grpc_pass http://127.0.0.1:1;",
        "memcached_pass 127.0.0.1;",
        "resolver 127.0.0.1:70000;",
        "resolver 300.1.1.1;",
    ],
)
def test_what_is_no_address_nginx_refuses(location: str, tmp_path: Path) -> None:
    text = NAMED.format("a", f"http://a; }} location /b {{ {location[:-1]}")
    assert len(findings(text, "NGX102")) == 1
    assert not nginx_accepts(text, tmp_path)


@pytest.mark.parametrize(
    "location",
    [
        "proxy_pass http://127.0.0.1:00080/a:b?c:d;",
        "proxy_pass HTTPS://[::1]:8443/;",
        "proxy_pass http://unix:/run/app.sock:/x;",
        "proxy_pass http://127.0.0.1:$server_port;",
        "proxy_pass $scheme://127.0.0.1:1;",
        "fastcgi_pass unix:/run/php.sock;",
        "uwsgi_pass uwsgi://127.0.0.1:1;",
        "grpc_pass 127.0.0.1:1;",
        "resolver 127.0.0.1 [::1]:53 valid=10s ipv6=off;",
    ],
)
def test_addresses_that_nginx_takes(location: str, tmp_path: Path) -> None:
    text = NAMED.format("a", f"http://a; }} location /b {{ {location[:-1]}")
    assert findings(text, "NGX102") == []
    assert nginx_accepts(text, tmp_path)


@pytest.mark.parametrize("listen", ["70000", "0", "127.0.0.1:", "300.0.0.1:80", "::1:80", "unix:"])
def test_listen_addresses(listen: str, tmp_path: Path) -> None:
    text = f"events {{}}\nhttp {{ server {{ listen {listen}; }} }}\n"
    assert len(findings(text, "NGX102")) == 1
    assert not nginx_accepts(text, tmp_path)


def test_a_path_below_a_socket_is_no_socket() -> None:
    text = NAMED.format("a", "http://a; } location /b { proxy_pass http://unix:/run/a.sock/api")
    (found,) = findings(text, "NGX102")
    assert found.span.text == "http://unix:/run/a.sock/api"


def test_destinations_of_stream_need_a_port() -> None:
    text = (
        "events {}\nstream {\n    upstream a { server 127.0.0.1; }\n"
        "    server { listen 9000; proxy_pass a; }\n"
        "    server { listen 9001; proxy_pass http://127.0.0.1:1; }\n}\n"
    )
    lines = [one.span.begin_position.line for one in findings(text, "NGX102")]
    assert lines == [3, 5]
