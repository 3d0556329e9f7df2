"""The keep-alive rules of nginx beyond their examples: facts, shared files, style, silence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gwlint.edits import Safety
from gwlint.rule import Severity

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed, fixed_text

POOLED = """events {{}}
http {{
    upstream app {{
        server 127.0.0.1:3000;
        {pool}
    }}
    server {{
        listen 8080;
        location / {{
            proxy_pass http://app;
            {route}
        }}
    }}
}}
"""
READY = 'proxy_http_version 1.1; proxy_set_header Connection "";'


def facts(idle: str) -> str:
    return f"services: {{app: {{addresses: ['localhost:3000'], idle_timeout: {idle}}}}}\n"


# Facts: what NGX401 to NGX404, NGX406 and NGX410 do with the idle limit of the application


@pytest.mark.parametrize("code", ["NGX402", "NGX403"])
def test_a_known_idle_limit_makes_the_fix_safe(code: str) -> None:
    route = {"NGX402": 'proxy_set_header Connection "";', "NGX403": "proxy_http_version 1.1;"}
    text = POOLED.format(pool="keepalive 8;", route=route[code])
    (guessed,) = findings(text, code)
    assert guessed.fix is not None
    assert guessed.fix.safety is Safety.UNSAFE
    files = {"nginx.conf": text, "gwlint.yaml": facts("20s")}
    (known,) = findings(files, code)
    assert known.fix is not None
    assert known.fix.safety is Safety.SAFE
    assert "keepalive_timeout 16s;" in fixed(files, code)["nginx.conf"]


def test_a_default_below_the_known_limit_needs_no_line() -> None:
    text = POOLED.format(pool="keepalive 8;", route="proxy_http_version 1.1;")
    after = fixed({"nginx.conf": text, "gwlint.yaml": facts("75s")}, "NGX403")["nginx.conf"]
    assert "keepalive_timeout" not in after


@pytest.mark.parametrize(
    ("idle", "written"), [("5s", "4s"), ("2s", "1s"), ("1s", "500ms"), ("30s", "24s")]
)
def test_the_idle_limit_is_set_below_the_known_one(idle: str, written: str) -> None:
    text = POOLED.format(pool="keepalive 8; keepalive_timeout 60s;", route=READY)
    files = {"nginx.conf": text, "gwlint.yaml": facts(idle)}
    (found,) = findings(files, "NGX410")
    assert found.severity is Severity.WARNING
    assert found.fix is not None
    assert found.fix.safety is Safety.SAFE
    assert f"keepalive_timeout {written};" in fixed(files, "NGX410")["nginx.conf"]


def test_an_idle_limit_equal_to_the_applications_is_too_long() -> None:
    text = POOLED.format(pool="keepalive 8; keepalive_timeout 5s;", route=READY)
    assert findings({"nginx.conf": text, "gwlint.yaml": facts("5s")}, "NGX410")
    assert not findings({"nginx.conf": text, "gwlint.yaml": facts("6s")}, "NGX410")
    assert not findings(text, "NGX410")


def test_one_unknown_server_keeps_the_fix_unsafe() -> None:
    pool = "server 127.0.0.1:3001; keepalive 8;"
    text = POOLED.format(pool=pool, route="proxy_http_version 1.1;")
    (found,) = findings({"nginx.conf": text, "gwlint.yaml": facts("30s")}, "NGX403")
    assert found.fix is not None
    assert found.fix.safety is Safety.UNSAFE


# NGX401


def test_a_single_application_is_information_and_several_are_a_warning() -> None:
    (one,) = findings(POOLED.format(pool="", route=""), "NGX401")
    assert one.severity is Severity.INFO
    (two,) = findings(POOLED.format(pool="server 127.0.0.1:3001;", route=""), "NGX401")
    assert two.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("pool", "route"),
    [
        ("keepalive 0;", ""),
        ("include servers.inc;", ""),
        ("", "proxy_set_header Connection close;"),
    ],
)
def test_no_word_of_a_pool_that_is_chosen_or_not_known(pool: str, route: str) -> None:
    assert not findings(POOLED.format(pool=pool, route=route), "NGX401")


def test_unix_sockets_need_no_pool() -> None:
    text = POOLED.format(pool="", route="")
    assert findings(text, "NGX401")
    assert not findings(text.replace("127.0.0.1:3000", "unix:/run/app.sock"), "NGX401")


def test_all_routes_get_what_they_need_and_keep_their_headers() -> None:
    text = """events {}
http {
\tproxy_set_header Host $host;
\tupstream app { server 127.0.0.1:3000; }
\tserver {
\t\tlisten 8080;
\t\tlocation / { proxy_pass http://app; }
\t\tlocation /api {
\t\t\tproxy_set_header X-Api 1; # ours
\t\t\tproxy_http_version 1.0;
\t\t\tproxy_pass http://app;
\t\t}
\t}
}
"""
    assert (
        fixed_text(text, "NGX401")
        == """events {}
http {
\tproxy_set_header Host $host;
\tproxy_set_header Connection "";
\tupstream app { server 127.0.0.1:3000; keepalive 32; keepalive_timeout 4s; }
\tserver {
\t\tlisten 8080;
\t\tlocation / { proxy_pass http://app; proxy_http_version 1.1; }
\t\tlocation /api {
\t\t\tproxy_set_header X-Api 1; # ours
\t\t\tproxy_set_header Connection "";
\t\t\tproxy_http_version 1.1;
\t\t\tproxy_pass http://app;
\t\t}
\t}
}
"""
    )


def test_a_shared_file_that_also_serves_web_sockets_is_left_alone() -> None:
    files = {
        "nginx.conf": """events {}
http {
    upstream app { server 127.0.0.1:3000; }
    server {
        listen 8080;
        location / {
            include proxy.inc;
            proxy_pass http://app;
        }
        location /live {
            include proxy.inc;
            proxy_set_header Connection upgrade;
            proxy_pass http://127.0.0.1:3001;
        }
    }
}
""",
        "proxy.inc": "proxy_set_header Host $host;\n",
    }
    after = fixed(files, "NGX401")
    assert after["proxy.inc"] == files["proxy.inc"]
    assert "proxy_pass http://app;\n            proxy_http_version 1.1;" in after["nginx.conf"]
    assert after["nginx.conf"].count('Connection ""') == 1


# NGX405


def test_the_map_is_added_once_and_in_the_authors_style() -> None:
    text = (
        "events {}\r\nhttp {\r\n\tserver {\r\n\t\tlisten 8080;\r\n"
        "\t\tlocation / { proxy_pass http://a:1; proxy_set_header Connection upgrade; }\r\n"
        '\t\tlocation /b { proxy_pass http://b:1; proxy_set_header Connection "upgrade"; }\r\n'
        "\t}\r\n}\r\n"
    )
    after = fixed_text(text, "NGX405")
    assert after.count("map ") == 1
    assert (
        "\tmap $http_upgrade $connection_upgrade {\r\n\t\tdefault upgrade;\r\n\t\t''      '';\r\n"
        "\t}\r\n\tserver {\r\n"
    ) in after
    assert after.count("Connection $connection_upgrade;") == 2


def test_a_fragment_of_the_http_block_gets_its_map_in_front() -> None:
    text = (
        "server {\n    location / {\n        proxy_pass http://a:1;\n"
        "        proxy_set_header Connection upgrade;\n    }\n}\n"
    )
    after = fixed({"site.conf": text}, "NGX405")["site.conf"]
    assert after.startswith("map $http_upgrade $connection_upgrade {\n    default upgrade;\n")


def test_a_location_named_for_web_sockets_may_say_upgrade() -> None:
    text = POOLED.format(pool="", route='proxy_set_header Connection "upgrade";')
    assert findings(text, "NGX405")
    for path in ("/ws", "/api/websocket/", "/socket.io/"):
        assert not findings(text.replace("location /", f"location {path}"), "NGX405")


# NGX406


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ("default upgrade; '' close;", True),
        ("default close; websocket upgrade;", True),
        ("default close; ~.* upgrade;", False),
        ("default upgrade;", False),
        ("default upgrade; '' '';", False),
        ("websocket upgrade;", False),
        ("include entries.inc; '' close;", False),
    ],
)
def test_which_entry_counts_for_a_plain_request(entries: str, found: bool) -> None:
    text = POOLED.format(pool="keepalive 8;", route="proxy_set_header Connection $up;")
    text = text.replace("http {\n", f"http {{\n    map $http_upgrade $up {{ {entries} }}\n")
    assert bool(findings(text, "NGX406")) == found


def test_without_a_pool_the_usual_map_costs_nothing() -> None:
    text = POOLED.format(pool="", route="proxy_set_header Connection $up;")
    text = text.replace("http {\n", "http { map $http_upgrade $up { default upgrade; '' close; }\n")
    assert not findings(text, "NGX406")
    assert not findings(text, "NGX406", target="1.28.0")
    assert findings(text, "NGX406", target="1.29.7")


# NGX408


@pytest.mark.parametrize(
    ("level", "route", "found"),
    [("", "", True), ("fastcgi_keep_conn on;", "", False), ("", "fastcgi_keep_conn off;", True)],
)
def test_the_flag_of_fastcgi_is_inherited(level: str, route: str, found: bool) -> None:
    text = f"""events {{}}
http {{
    {level}
    upstream php {{ server 127.0.0.1:9000; keepalive 8; }}
    server {{ location / {{ fastcgi_pass php; {route} }} }}
}}
"""
    assert bool(findings(text, "NGX408")) == found
    assert fixed_text(text, "NGX408").count("fastcgi_keep_conn on;") == 1


# NGX409


def test_routes_to_one_address_share_one_block() -> None:
    text = """events {}
http {
  proxy_set_header Host $host;
  server {
    location / { proxy_pass "http://[::1]:3000/v1/?a=b"; }
    location /a { proxy_pass http://[::1]:3000; }
    location /b { proxy_pass http://app; }
  }
}
"""
    after = fixed_text(text, "NGX409")
    assert after.count("upstream __1_3000 {") == 0
    assert after.count("upstream _1_3000 {\n    server [::1]:3000;\n") == 1
    assert 'proxy_pass "http://_1_3000/v1/?a=b";' in after
    assert "proxy_pass http://_1_3000;" in after
    assert "upstream app_80 {" in after


def test_a_name_in_a_fragment_may_be_an_upstream() -> None:
    text = "server {\n    listen 80;\n    location / { proxy_pass http://app; }\n}\n"
    assert not findings({"sites/site.conf": text}, "NGX409")
    assert findings({"sites/site.conf": text.replace("app", "app:3000")}, "NGX409")


def test_without_a_host_header_or_with_tls_there_is_no_fix() -> None:
    text = "events {{}}\nhttp {{ server {{ location / {{ {} }} }} }}\n"
    for route in (
        "proxy_pass http://a:1;",
        "proxy_pass https://a:1; proxy_set_header Host $host;",
    ):
        (found,) = findings(text.format(route), "NGX409")
        assert found.fix is None


# NGX410


@pytest.mark.parametrize(
    ("pool", "route", "target", "found"),
    [
        ("keepalive 8;", READY, None, True),
        ("keepalive 8;", "", None, False),
        ("keepalive 8;", "", "1.29.7", True),
        ("", READY, None, False),
        ("", "", "1.30.0", True),
        ("keepalive 0;", "", "1.30.0", False),
        ("", "proxy_set_header Connection close;", "1.30.0", False),
    ],
)
def test_a_pool_that_is_not_used_has_no_race(
    pool: str, route: str, target: str | None, found: bool
) -> None:
    text = POOLED.format(pool=pool, route=route)
    assert bool(findings(text, "NGX410", target)) == found


def test_before_the_directive_existed_there_is_no_fix() -> None:
    text = POOLED.format(pool="keepalive 8;", route=READY)
    (found,) = findings(text, "NGX410", "1.14.0")
    assert found.fix is None
