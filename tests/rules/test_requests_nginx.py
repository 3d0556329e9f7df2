"""NGX203 to NGX207: buffers for requests and answers, and how much memory they take."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed, fixed_text


def conf(location: str = "", http: str = "", path: str = "/", server: str = "") -> str:
    return (
        f"events {{}}\nhttp {{\n{http}\nserver {{\nlisten 8080;\n{server}\nlocation {path} {{\n"
        f"\tproxy_pass http://127.0.0.1:3000;\n\t{location}\n}}\n}}\n}}\n"
    )


@pytest.mark.parametrize("size", ["1k", "7k", "4096", "0"])
def test_small_request_buffers(size: str) -> None:
    text = conf(http=f"large_client_header_buffers\t4  {size}; # hardened")
    (found,) = findings(text, "NGX203")
    assert found.span.text == size
    assert fixed_text(text, "NGX203") == text.replace(f"4  {size};", "4  8k;")


@pytest.mark.parametrize("size", ["8k", "8192", "1m", "4x", ""])
def test_request_buffers_that_are_no_finding(size: str) -> None:
    assert not findings(conf(http=f"large_client_header_buffers 4 {size};"), "NGX203")


def vhosts(default: str, named: str, listen: str = "8080", more: str = "") -> str:
    return (
        f"events {{}}\nhttp {{\n{more}\nserver {{ listen {listen} default_server; {default} }}\n"
        f"server {{ listen {listen}; server_name a.example; {named} }}\n}}\n"
    )


LARGE = "large_client_header_buffers 4 32k;"


def test_larger_buffers_in_a_named_server_in_one_line() -> None:
    text = vhosts("return 404;", LARGE)
    (found,) = findings(text, "NGX204")
    assert "4 8k" in found.message
    after = fixed_text(text, "NGX204")
    assert after == text.replace("default_server;", f"default_server; {LARGE}")


def test_the_default_servers_own_value_is_raised() -> None:
    text = vhosts("large_client_header_buffers 4 16k; return 404;", LARGE)
    (found,) = findings(text, "NGX204")
    assert found.related[0].span.text == "large_client_header_buffers 4 16k"
    assert fixed_text(text, "NGX204") == text.replace("4 16k", "4 32k")


@pytest.mark.parametrize(
    "text",
    [
        vhosts(LARGE, LARGE),
        vhosts("", "large_client_header_buffers 4 4k;"),
        vhosts("", LARGE, more="large_client_header_buffers 2 64k;"),
        vhosts(LARGE, ""),
        vhosts("", LARGE, listen="8443 ssl"),
        vhosts("include /nowhere/*.conf; include /nowhere/x.conf;", LARGE),
    ],
)
def test_buffers_of_named_servers_that_are_no_finding(text: str) -> None:
    assert not findings(text, "NGX204")


def test_named_servers_of_a_fragment_are_not_known() -> None:
    text = f"server {{\nlisten 80;\n}}\nserver {{\nlisten 80;\nserver_name a;\n{LARGE}\n}}\n"
    assert not findings({"conf.d/a.conf": text}, "NGX204")


@pytest.mark.parametrize(
    ("path", "count"), [("/upload", 1), ("/api/attachments/", 1), ("/", 0), ("/reupload", 0)]
)
def test_routes_for_uploads(path: str, count: int) -> None:
    found = findings(conf(path=path), "NGX205")
    assert len(found) == count
    assert all(one.severity.label == "info" for one in found)
    assert not findings(conf(path=path, server="client_max_body_size 20m;"), "NGX205")


def inner(outer_limit: str, inner_limit: str, location: str = "") -> str:
    return (
        f"events {{}}\nhttp {{\nserver {{ listen 80; {outer_limit}\n"
        "location / { proxy_pass http://127.0.0.1:8081; } }\n"
        f"server {{ listen 8081; {inner_limit} location / {{ {location} return 200; }} }}\n}}\n"
    )


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (inner("client_max_body_size 9m;", ""), 1),
        (inner("client_max_body_size 0;", "client_max_body_size 9m;"), 1),
        (inner("client_max_body_size 9m;", "client_max_body_size 0;"), 0),
        (inner("client_max_body_size 9m;", "", "client_max_body_size 9m;"), 0),
        (inner("", "client_max_body_size 1k;"), 0),
        (inner("client_max_body_size 9m;", "include /nowhere/x;"), 0),
    ],
)
def test_the_limit_of_the_server_behind(text: str, count: int) -> None:
    found = findings(text, "NGX205")
    assert [one.severity.label for one in found] == ["warning"] * count


@pytest.mark.parametrize("family", ["proxy", "fastcgi", "uwsgi", "scgi"])
def test_answers_that_are_not_buffered(family: str) -> None:
    scheme = "http://" if family == "proxy" else ""
    text = (
        f"events {{}}\nhttp {{ server {{ listen 80; location / {{ {family}_pass"
        f" {scheme}127.0.0.1:1; {family}_buffering off; }} }} }}\n"
    )
    assert len(findings(text, "NGX206")) == 1
    assert fixed_text(text, "NGX206") == text.replace("buffering off", "buffering on")


@pytest.mark.parametrize(
    "text",
    [
        conf("proxy_buffering off;", path="/events"),
        conf("proxy_buffering off; proxy_read_timeout 24h;"),
        conf("proxy_buffering off; proxy_set_header Upgrade $http_upgrade;"),
        conf("proxy_buffering off; include /nowhere/proxy.conf;"),
        conf("proxy_buffering off;", server="server_name stream.example.com;"),
        conf("proxy_request_buffering off;"),
    ],
)
def test_answers_that_need_not_be_buffered(text: str) -> None:
    assert not findings(text, "NGX206")


def test_no_fix_for_a_line_that_streams_need() -> None:
    text = conf(server="proxy_buffering off;\nlocation /sse { proxy_pass http://127.0.0.1:3000; }")
    (found,) = findings(text, "NGX206")
    assert found.fix is None
    assert [label.span.text for label in found.related] == ["http://127.0.0.1:3000"]


def test_a_shared_file_without_buffering() -> None:
    files = {
        "nginx.conf": (
            "events {}\nhttp { server { listen 80;\n"
            "location /a { include p.inc; }\nlocation /b { include p.inc; }\n} }\n"
        ),
        "p.inc": "proxy_pass http://127.0.0.1:1;\nproxy_buffering off;\n",
    }
    assert len(findings(files, "NGX206")) == 1
    assert fixed(files, "NGX206")["p.inc"] == files["p.inc"].replace("off", "on")


@pytest.mark.parametrize(
    ("workers", "connections", "count"),
    [("", "", 0), ("", "8192", 1), ("8", "1024", 1), ("auto", "1024", 0)],
)
def test_memory_for_buffers(workers: str, connections: str, count: int) -> None:
    """One answer takes 1 MiB and 4 KiB; 4 GiB are reached by 4,080 of them."""
    processes = f"worker_processes {workers};\n" if workers else ""
    events = f"worker_connections {connections};" if connections else ""
    text = conf("proxy_buffers 64 16k;").replace("events {}", f"{processes}events {{ {events} }}")
    found = findings(text, "NGX207")
    assert len(found) == count
    if found:
        assert "4096 requests" in found[0].message
        assert "1028k" in found[0].message


def test_memory_for_buffers_within_a_budget_of_ones_own() -> None:
    files = {"nginx.conf": conf("proxy_buffers 64 16k;"), "gwlint.yaml": "rules: {NGX207: {}}\n"}
    assert not findings(files, "NGX207")
    files["gwlint.yaml"] = "rules: {NGX207: {budget: 200m}}\n"
    assert len(findings(files, "NGX207")) == 1
