"""nginx, what answers show and what requests may choose."""

from __future__ import annotations

import socket
import ssl
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers.binaries import Binary
from servers.certificates import certificate
from servers.clients import get
from servers.fixes import Correction, corrected, gwlint, replaced
from servers.origins import Origin
from servers.ports import LOOPBACK, free_port
from servers.proxies import StartError, http, run_nginx
from servers.wire import Wire, header

PROTECTION = "X-Frame-Options"
INJECTION = "/x%0d%0aX-Injected:%20yes"


def site(port: int, text: str) -> str:
    return http(f"server {{\n    listen {port};\n    {text}\n}}")


def asked(
    port: int, target: str, host: str = "www.gwlint.test"
) -> tuple[int, list[tuple[str, str]]]:
    """Status and headers of a GET whose target and Host are sent as they are."""
    with socket.create_connection((LOOPBACK, port), 5) as connected:
        wire = Wire(connected)
        request = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        wire.send(request.encode())
        line, headers = wire.head(time.monotonic() + 5)
        return int(line.split(" ")[1]), headers


@pytest.fixture
def folder() -> Iterator[Path]:
    """A site in a folder that every user may read, unlike pytest's own, with a secret beside it."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made)
        path.chmod(0o755)
        (path / "files").mkdir()
        (path / "files" / "a").write_text("public")
        (path / "secret").write_text("secret")
        yield path


def headers_lost(port: int) -> str:
    return http(f"""
        server {{
            listen {port};
            add_header {PROTECTION} DENY always;
            location / {{
                add_header X-Cache hit;
                return 200;
            }}
        }}
        """)


def test_ngx807_inherited_response_headers_lost(nginx: Binary, correct: Correction) -> None:
    """Fault: the answer lacks the header of the outer block. Fix: unsafe."""
    port = free_port()
    faulty = headers_lost(port)
    own = "add_header X-Cache hit;"
    by_hand = {own: f"{own}\n            add_header {PROTECTION} DENY always;"}
    good = correct(faulty, "NGX807", by_hand, "--unsafe", "--profile", "security")
    for text, value in ((faulty, ""), (good, "DENY")):
        with run_nginx(text, port, nginx):
            reply = get(port)
            assert (reply.result, reply.header("X-Cache")) == (200, "hit")
            assert reply.header(PROTECTION) == value


def test_ngx807_newer_nginx_can_merge(nginx: Binary) -> None:
    if nginx.version < (1, 29, 3):
        pytest.skip(f"{nginx} has no add_header_inherit")
    port = free_port()
    text = headers_lost(port)
    for rule, value in (("merge", "DENY"), ("on", ""), ("off", "")):
        merged = replaced(text, {"listen": f"add_header_inherit {rule};\n        listen"})
        with run_nginx(merged, port, nginx):
            assert get(port).header(PROTECTION) == value


def test_ngx807_an_empty_name_empties_the_list(nginx: Binary) -> None:
    port = free_port()
    text = replaced(headers_lost(port), {"X-Cache hit": '"" ""'})
    with run_nginx(text, port, nginx):
        assert get(port).header(PROTECTION) == ""


def test_ngx801_alias_traversal(nginx: Binary, correct: Correction, folder: Path) -> None:
    """Fault: a file beside the folder is served. Fix: unsafe."""
    port = free_port()
    faulty = site(port, f"location /files {{ alias {folder}/files/; }}")
    by_hand = {"location /files ": "location /files/ "}
    good = correct(faulty, "NGX801", by_hand, "--unsafe", "--profile", "security")
    for text, beside, plain in ((faulty, 200, 301), (good, 404, 404)):
        with run_nginx(text, port, nginx):
            assert get(port, "/files/a").body == b"public"
            assert get(port, "/files../secret").result == beside
            assert get(port, "/files").result == plain


@pytest.mark.parametrize(
    ("header", "alias", "status"),
    [
        ("~ ^/files(.*)$", "files/$1", 200),
        ("~ ^/files(?<rest>.*)$", "files/$rest", 200),
        ("~ ^/files/(.*)$", "files/$1", 404),
        ("~ ^/files(.*)$", "files$1", 404),
        ("= /files", "files/", 404),
        ("/files", "files", 404),
    ],
)
def test_ngx801_which_aliases_are_left(
    nginx: Binary, folder: Path, header: str, alias: str, status: int
) -> None:
    port = free_port()
    text = site(port, f"location {header} {{ alias {folder}/{alias}; }}")
    with run_nginx(text, port, nginx):
        assert get(port, "/files../secret").result == status


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/", "http://$arg_to/"),
        ("/", "http://$arg_to.gwlint.test/"),
        ("~ ^/to/(?<to>[^/]+)", "http://${to}_service"),
        ("~ ^/to/([^/]+)", "http://$1_service"),
    ],
)
def test_ngx802_request_controlled_destination(nginx: Binary, location: str, target: str) -> None:
    """Fault: the client reaches a service of this machine. By hand: a fixed host."""
    port = free_port()
    with Origin() as inner:
        resolver = "resolver 127.0.0.1; "
        faulty = site(port, f"{resolver}location {location} {{ proxy_pass {target}; }}")
        path = "/to/%s%%3f" if "to" in location else "/?to=%s/"
        with run_nginx(faulty, port, nginx):
            assert get(port, path % inner.address).result == 200
        assert len(inner.seen.requests) == 1
        good = replaced(faulty, {target: f"http://{LOOPBACK}:{free_port()}"})
        with run_nginx(good, port, nginx):
            assert get(port, path % inner.address).result == 502
        assert len(inner.seen.requests) == 1


@pytest.mark.parametrize(
    ("text", "is_split"),
    [
        ("return 301 https://a.test$uri;", True),
        ("rewrite ^ https://a.test$uri permanent;", True),
        ("add_header X-Path $uri; return 200;", True),
        ("set $to $uri; return 301 https://a.test$to;", True),
        ("location ~ ^/([^/]*)$ { return 301 https://a.test/$1; }", True),
        ("return 301 https://a.test$request_uri;", False),
        ("return 200 $uri;", False),
        ("rewrite ^/([^/]*)$ https://a.test/$1 permanent;", False),
        ("location ~ ^/(.*)$ { return 301 https://a.test/$1; }", False),
        ("location ~ ^/(.*)$ { return 301 https://a.test$uri; }", False),
        (r"location ~ ^/([^/\r\n]*)$ { return 301 https://a.test/$1; }", False),
    ],
)
def test_ngx803_response_splitting(nginx: Binary, text: str, is_split: bool) -> None:
    """Fault: the client writes a header of the answer. By hand: $request_uri."""
    port = free_port()
    with run_nginx(site(port, text), port, nginx):
        _, headers = asked(port, INJECTION)
    assert (header(headers, "X-Injected") == "yes") is is_split


@pytest.mark.parametrize(
    ("line", "target", "is_split"),
    [
        ("proxy_set_header X-Path $uri; proxy_pass http://ORIGIN;", INJECTION, True),
        (
            "proxy_pass http://ORIGIN$uri;",
            "/x%20HTTP/1.1%0d%0aX-Injected:%20yes%0d%0aX:",
            True,
        ),
        ("proxy_set_header X-Path $request_uri; proxy_pass http://ORIGIN;", INJECTION, False),
    ],
)
def test_ngx803_the_application_gets_it_too(
    nginx: Binary, line: str, target: str, is_split: bool
) -> None:
    port = free_port()
    with Origin() as origin:
        text = site(port, f"location / {{ {line.replace('ORIGIN', origin.address)} }}")
        with run_nginx(text, port, nginx):
            asked(port, target)
        assert (origin.seen.requests[-1].header("X-Injected") == "yes") is is_split


def test_ngx804_host_from_client(nginx: Binary, correct: Correction) -> None:
    """Fault: the application gets another name than the one that chose the server. Fix: unsafe."""
    port = free_port()
    with Origin() as origin:
        lines = f"proxy_set_header Host $http_host; proxy_pass http://{origin.address};"
        faulty = site(port, f"location / {{ {lines} }}")
        good = correct(
            faulty, "NGX804", {"$http_host": "$host"}, "--unsafe", "--profile", "security"
        )
        for text, name in ((faulty, "evil.gwlint.test"), (good, "good.gwlint.test")):
            with run_nginx(text, port, nginx):
                status, _ = asked(port, "http://good.gwlint.test/", "evil.gwlint.test")
            assert (status, origin.seen.requests[-1].header("Host")) == (200, name)


def test_ngx810_weak_tls_protocol(nginx: Binary, correct: Correction) -> None:
    """Fault: a client with TLS 1.0 is served. Fix: unsafe."""
    port = free_port()
    with certificate("a.gwlint.test") as made:
        made.file.parent.chmod(0o755)
        faulty = http(f"""
            server {{
                listen {port} ssl;
                ssl_certificate {made.file};
                ssl_certificate_key {made.key};
                ssl_protocols TLSv1 TLSv1.2;
                ssl_ciphers DEFAULT:@SECLEVEL=0;
                return 200;
            }}
            """)
        by_hand = {"TLSv1 TLSv1.2": "TLSv1.2 TLSv1.3"}
        good = correct(faulty, "NGX810", by_hand, "--unsafe", "--profile", "security")
        for text, is_served in ((faulty, True), (good, False)):
            with run_nginx(text, port, nginx):
                assert speaks(port, ssl.TLSVersion.TLSv1) is is_served
                assert speaks(port, ssl.TLSVersion.TLSv1_2)


def speaks(port: int, version: ssl.TLSVersion) -> bool:
    """Whether a client that knows this version only gets a connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    try:
        with (
            socket.create_connection((LOOPBACK, port), 5) as connected,
            context.wrap_socket(connected),
        ):
            return True
    except (ssl.SSLError, ConnectionError):
        return False


def test_ngx813_version_shown(nginx: Binary, correct: Correction) -> None:
    """Fault: each answer tells the version. Fix: safe."""
    port = free_port()
    faulty = site(port, "return 404;")
    by_hand = {"return 404;": "return 404; server_tokens off;"}
    good = correct(faulty, "NGX813", by_hand, "--profile", "security")
    with run_nginx(faulty, port, nginx):
        assert get(port).header("Server").startswith("nginx/1.")
    with run_nginx(good, port, nginx):
        reply = get(port)
        assert reply.header("Server") == "nginx"
        assert b"nginx/" not in reply.body


def test_ngx815_allow_without_deny(nginx: Binary, correct: Correction, folder: Path) -> None:
    """Fault: who is not listed is let in, whatever the outer block says. Fix: unsafe."""
    port = free_port()
    inner = f"location / {{ allow 192.0.2.1; root {folder}; }}"
    faulty = site(port, f"deny all; {inner}")
    by_hand = {"allow 192.0.2.1;": "allow 192.0.2.1; deny all;"}
    good = correct(faulty, "NGX815", by_hand, "--unsafe", "--profile", "security")
    for text, status in ((faulty, 200), (good, 403)):
        with run_nginx(text, port, nginx):
            assert get(port, "/secret").result == status


@pytest.mark.parametrize("check", ["deny all;", "auth_basic x; auth_basic_user_file none;"])
def test_ngx816_return_bypasses_access(nginx: Binary, check: str, folder: Path) -> None:
    """Fault: the answer comes before the check. By hand: a file."""
    port = free_port()
    faulty = site(port, f"location / {{ {check} return 200 up; }}")
    good = replaced(faulty, {"return 200 up;": f"root {folder};"})
    with run_nginx(faulty, port, nginx):
        assert get(port, "/secret").result == 200
    with run_nginx(good, port, nginx):
        assert get(port, "/secret").result in (401, 403)


def test_the_fixes_of_many_faults_go_together(nginx: Binary, tmp_path: Path) -> None:
    """What one run writes starts, and the next run has nothing to add."""
    port = free_port()
    with Origin() as origin:
        faulty = site(
            port,
            f"""add_header {PROTECTION} DENY always;
    location /files {{ alias {tmp_path}/; allow 192.0.2.1; }}
    location / {{
        add_header X-Cache hit;
        proxy_set_header Host $http_host;
        proxy_pass http://{origin.address};
    }}""",
        )
        options = ("--unsafe", "--profile", "security")
        good = corrected({"nginx.conf": faulty}, *options)["nginx.conf"]
        (tmp_path / "nginx.conf").write_text(good)
        again = gwlint("fix", "--write", *options, ".", folder=str(tmp_path))
        assert again.returncode in (0, 1), again.stdout + again.stderr
        assert (tmp_path / "nginx.conf").read_text() == good
        with run_nginx(good, port, nginx):
            reply = get(port)
            assert (reply.result, reply.header(PROTECTION)) == (200, "DENY")
            assert get(port, "/files/x").result == 403


def test_ngx817_status_page_open(nginx: Binary, correct: Correction) -> None:
    """Fault: everybody reads the page. Fix: unsafe; the client here is 127.0.0.1, and let in."""
    port = free_port()
    faulty = site(port, "location /s { stub_status; }")
    by_hand = {"stub_status;": "stub_status; allow 127.0.0.1; deny all;"}
    try:
        with run_nginx(faulty, port, nginx):
            assert get(port, "/s").body.startswith(b"Active connections")
    except StartError as error:
        if "unknown directive" in str(error):
            pytest.skip(f"{nginx} is built without stub_status")
        raise
    good = correct(faulty, "NGX817", by_hand, "--unsafe", "--profile", "security")
    # The fixed page for others: the address that is let in is another one.
    for text, status in ((good, 200), (replaced(good, {"127.0.0.1": "192.0.2.1"}), 403)):
        with run_nginx(text, port, nginx):
            assert get(port, "/s").result == status


@pytest.mark.parametrize(
    ("text", "path"),
    [("root /;", "/etc/passwd"), ("location /x/ { alias /; }", "/x/etc/passwd")],
)
def test_ngx819_filesystem_root_exposed(nginx: Binary, text: str, path: str, folder: Path) -> None:
    """Fault: a file of the system is served. By hand: the folder of the site."""
    port = free_port()
    faulty = site(port, text)
    with run_nginx(faulty, port, nginx):
        assert b"root:" in get(port, path).body
    with run_nginx(replaced(faulty, {" /;": f" {folder}/;"}), port, nginx):
        assert get(port, path).result == 404
