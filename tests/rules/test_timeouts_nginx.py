"""NGX302 and NGX304: how long nginx waits."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed, fixed_text

UPGRADE = (
    "proxy_http_version 1.1;\n    proxy_set_header Upgrade $http_upgrade;\n"
    '    proxy_set_header Connection "upgrade";'
)


def conf(location: str, path: str = "/ws", server: str = "", http: str = "") -> str:
    return (
        f"events {{}}\nhttp {{\n{http}\nserver {{\nlisten 8080;\n{server}\n"
        f"location {path} {{\n    proxy_pass http://127.0.0.1:3000;\n    {location}\n}}\n}}\n}}\n"
    )


@pytest.mark.parametrize("value", ["76s", "2m", "300", "1h"])
def test_a_long_connect_timeout(value: str) -> None:
    text = conf(f"proxy_connect_timeout {value}; # because")
    (found,) = findings(text, "NGX302")
    assert found.severity.label == "warning"
    assert fixed_text(text, "NGX302") == text.replace(f"timeout {value}", "timeout 5s")


@pytest.mark.parametrize("line", ["", "proxy_connect_timeout 75s;", "proxy_read_timeout 300s;"])
def test_a_connect_timeout_that_is_no_finding(line: str) -> None:
    assert not findings(conf(line), "NGX302")


def test_one_finding_for_a_line_that_many_routes_inherit() -> None:
    text = conf(
        "location /ws/a { proxy_pass http://app; }\nlocation /ws/b { proxy_pass http://app; }",
        http="upstream app { server 127.0.0.1:1; server 127.0.0.1:2; }\nproxy_connect_timeout 90;",
    )
    (found,) = findings(text, "NGX302")
    assert "90 s for a server of upstream" in found.message
    assert [label.span.text for label in found.related] == ["http://app"]


def test_connecting_in_stream() -> None:
    text = (
        "events {}\nstream {\nserver {\nlisten 3306;\nproxy_pass 127.0.0.1:3307;\n"
        "proxy_connect_timeout 10m;\n}\n}\n"
    )
    (found,) = findings(text, "NGX302")
    assert "proxy_timeout alone" in found.advice
    assert "about 133 s" in found.message


def test_a_route_named_for_web_sockets_is_certain() -> None:
    (found,) = findings(conf(UPGRADE), "NGX304")
    assert found.severity.label == "warning"
    assert found.fix is not None
    assert found.fix.safety.value == "safe"
    assert "proxy_pass http://127.0.0.1:3000;\n    proxy_read_timeout 3600s;" in fixed_text(
        conf(UPGRADE), "NGX304"
    )


def test_a_route_for_everything_is_information_and_its_fix_unsafe() -> None:
    (found,) = findings(conf(UPGRADE, "/"), "NGX304")
    assert found.severity.label == "info"
    assert found.fix is not None
    assert found.fix.safety.value == "unsafe"


@pytest.mark.parametrize(
    "names",
    [
        {"path": "/socket.io/"},
        {"path": "/cable"},
        {"path": "~ ^/api/v1/websockets?"},
        {"path": "/", "server": "server_name ws.example.com;"},
    ],
    ids=["socket.io", "cable", "regex", "host"],
)
def test_names_of_web_sockets(names: dict[str, str]) -> None:
    (found,) = findings(conf(UPGRADE, **names), "NGX304")
    assert found.severity.label == "warning"


SILENT = {
    "no upgrade": "proxy_http_version 1.1;",
    "half of the pair": "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;",
    "HTTP/1.0": UPGRADE.replace("1.1", "1.0"),
    "the default version": UPGRADE.replace("proxy_http_version 1.1;", ""),
    "long enough": UPGRADE + " proxy_read_timeout 61s;",
    "headers replaced": UPGRADE + "\nlocation /ws/in { proxy_pass http://a; "
    "proxy_read_timeout 5s; proxy_set_header Host a; }\nproxy_read_timeout 1h;",
    "an unread include": UPGRADE + "\ninclude /elsewhere.conf;",
}


@pytest.mark.parametrize("location", SILENT.values(), ids=SILENT)
def test_silent(location: str) -> None:
    assert not findings(conf(location), "NGX304")


def test_the_default_version_upgrades_in_newer_versions() -> None:
    text = conf(UPGRADE.replace("proxy_http_version 1.1;", ""))
    assert findings(text, "NGX304", target="1.29.7")


def test_a_fragment_is_judged_by_what_it_sets_itself() -> None:
    text = conf(UPGRADE)
    fragment = text[text.index("server {") : text.rindex("}")]
    assert not findings({"conf.d/ws.conf": fragment}, "NGX304")
    own = fragment.replace(UPGRADE, UPGRADE + "\n\tproxy_read_timeout 30s;")
    assert findings({"conf.d/ws.conf": own}, "NGX304")
    assert (
        "\tproxy_read_timeout 3600s;" in fixed({"conf.d/ws.conf": own}, "NGX304")["conf.d/ws.conf"]
    )


def test_an_outer_timeout_is_left_to_the_other_routes() -> None:
    text = conf(UPGRADE, http="proxy_read_timeout 20s;")
    (found,) = findings(text, "NGX304")
    assert [label.span.text for label in found.related] == ["proxy_read_timeout 20s"]
    result = fixed_text(text, "NGX304")
    assert "proxy_read_timeout 20s;" in result
    assert "proxy_read_timeout 3600s;" in result


def test_a_shared_timeout_is_not_changed_for_plain_routes() -> None:
    files = {
        "nginx.conf": "events {}\nhttp {\nserver {\nlisten 8080;\n"
        f"location /ws {{\n    include proxy.conf;\n    {UPGRADE}\n}}\n"
        "location / {\n    include proxy.conf;\n}\n}\n}\n",
        "proxy.conf": "proxy_pass http://127.0.0.1:3000;\nproxy_read_timeout 30s;\n",
    }
    (found,) = findings(files, "NGX304")
    assert found.fix is None


def test_a_shared_pass_gets_the_line_beside_the_include() -> None:
    files = {
        "nginx.conf": "events {}\nhttp {\nserver {\nlisten 8080;\n"
        f"location /ws {{\n    include proxy.conf;\n    {UPGRADE}\n}}\n"
        "location / {\n    include proxy.conf;\n}\n}\n}\n",
        "proxy.conf": "proxy_pass http://127.0.0.1:3000;\n",
    }
    result = fixed(files, "NGX304")
    assert result["proxy.conf"] == files["proxy.conf"]
    assert '"upgrade";\n    proxy_read_timeout 3600s;\n}' in result["nginx.conf"]
    assert not findings(result, "NGX304")


def test_a_location_on_one_line_stays_on_one_line() -> None:
    one = " ".join(UPGRADE.split())
    text = conf("", server=f"location /chat/ws {{ proxy_pass http://127.0.0.1:1; {one} }}")
    assert f"http://127.0.0.1:1; proxy_read_timeout 3600s; {one} }}" in fixed_text(text, "NGX304")


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("proxy_read_timeout 60000;", "proxy_read_timeout 60s;"),
        ("send_timeout 5000;", "send_timeout 5s;"),
        ("proxy_connect_timeout 50ms;", "proxy_connect_timeout 50s;"),
    ],
)
def test_a_slip_of_the_unit(line: str, after: str) -> None:
    text = conf(line)
    (found,) = findings(text, "NGX301")
    assert found.span.text == line.split()[1].rstrip(";")
    assert fixed_text(text, "NGX301") == text.replace(line, after)


@pytest.mark.parametrize(
    "line",
    [
        "proxy_read_timeout 86400;",
        "proxy_read_timeout 36000;",
        "proxy_read_timeout 4000;",
        "proxy_read_timeout 60000ms;",
        "proxy_read_timeout 100ms;",
        "proxy_send_timeout 50ms;",
        "proxy_read_timeout 12345;",
        "keepalive_timeout 10000;",
        "proxy_read_timeout x;",
    ],
)
def test_times_that_are_no_slip(line: str) -> None:
    assert not findings(conf(line), "NGX301")


def test_no_time_at_all_has_no_fix() -> None:
    (found,) = findings(conf("proxy_read_timeout 0s;"), "NGX301")
    assert "every request becomes a 504" in found.message
    assert found.fix is None


def test_a_slip_in_a_parameter() -> None:
    text = conf("", http="upstream app { server a:1 fail_timeout=30000; server b:1; }")
    (found,) = findings(text, "NGX301")
    assert found.span.text == "fail_timeout=30000"
    assert "fail_timeout=30s" in fixed_text(text, "NGX301")


def retried(line: str = "", servers: int = 3, family: str = "proxy", server: str = "") -> str:
    all_of_them = " ".join(f"server 127.0.0.1:{number};" for number in range(1, servers + 1))
    scheme = {"proxy": "http://", "grpc": "grpc://"}.get(family, "")
    return (
        f"events {{}}\nhttp {{\nupstream app {{ {all_of_them} }}\nserver {{ listen 80; {server}\n"
        f"location / {{ {family}_pass {scheme}app; {line} }}\n}}\n}}\n"
    )


@pytest.mark.parametrize("family", ["proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached"])
def test_retries_of_each_family(family: str) -> None:
    text = retried(family=family)
    (found,) = findings(text, "NGX303")
    assert "60 s each" in found.message
    assert "180 s in all" in found.message
    after = fixed_text(text, "NGX303")
    assert f"{family}_next_upstream_timeout 10s;" in after
    assert f"{family}_connect_timeout 5s;" in after


@pytest.mark.parametrize(
    "text",
    [
        retried(servers=1),
        retried("proxy_connect_timeout 5s; proxy_read_timeout 20s;"),
        retried("proxy_next_upstream_tries 2;"),
        retried("proxy_next_upstream_timeout 5s;"),
        retried("proxy_next_upstream error;"),
        retried("proxy_next_upstream off;"),
        retried("include /nowhere/x.conf;"),
        retried(servers=2).replace(":2;", ":2 down;"),
    ],
)
def test_retries_that_are_bounded(text: str) -> None:
    assert not findings(text, "NGX303")


def test_one_finding_and_one_fix_for_the_routes_to_an_upstream() -> None:
    text = retried(server="location /a { proxy_pass http://app; }")
    (found,) = findings(text, "NGX303")
    assert "so on 2 routes" in found.message
    after = fixed_text(text, "NGX303")
    assert after.count("proxy_next_upstream_timeout 10s;") == 2
    assert not findings(after, "NGX303")


def test_a_short_time_to_connect_is_left_alone() -> None:
    text = retried("proxy_connect_timeout 2s; proxy_next_upstream_timeout 0;")
    after = fixed_text(text, "NGX303")
    assert after == text.replace("next_upstream_timeout 0", "next_upstream_timeout 10s")


def test_retries_in_stream() -> None:
    text = (
        "events {}\nstream {\nupstream db { server 127.0.0.1:1; server 127.0.0.1:2; }\n"
        "server {\n\tlisten 53;\n\tproxy_pass db;\n}\n}\n"
    )
    (found,) = findings(text, "NGX303")
    assert "60 s each (proxy_connect_timeout): 120 s" in found.message
    assert fixed_text(text, "NGX303") == text.replace(
        "pass db;", "pass db;\n\tproxy_next_upstream_timeout 10s;\n\tproxy_connect_timeout 5s;"
    )
    assert not findings(text.replace("listen 53", "listen 53 udp"), "NGX303")


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("client_header_timeout 0;", 1),
        ("client_body_timeout 301s;", 1),
        ("client_body_timeout 5m;", 0),
        ("keepalive_timeout 0;", 1),
        ("keepalive_timeout 0 0;", 1),
        ("keepalive_timeout 1h;", 0),
    ],
)
def test_times_for_clients(line: str, count: int) -> None:
    found = findings(conf("", server=line), "NGX305")
    assert [one.severity.label for one in found] == ["info"] * count


def test_the_keepalive_timeout_of_an_upstream_is_no_clients() -> None:
    text = conf("", http="upstream app { server a:1; keepalive 2; keepalive_timeout 0; }")
    assert not findings(text, "NGX305")


@pytest.mark.parametrize(
    ("location", "server", "severities"),
    [
        ("proxy_connect_timeout 30s; proxy_read_timeout 10s;", "", ["warning"]),
        ("proxy_read_timeout 10s;", "proxy_connect_timeout 30s;", ["warning"]),
        ("proxy_read_timeout 10s;", "", ["info"]),
        ("proxy_read_timeout 10s;", "proxy_connect_timeout 10s;", []),
        ("proxy_connect_timeout 90s;", "", []),
        ("proxy_read_timeout 10s; proxy_connect_timeout 90s;", "", []),
        ("proxy_read_timeout 10s; include /nowhere/x;", "", []),
    ],
)
def test_a_read_timeout_below_the_one_for_connecting(
    location: str, server: str, severities: list[str]
) -> None:
    found = findings(conf(location, server=server), "NGX306")
    assert [one.severity.label for one in found] == severities
