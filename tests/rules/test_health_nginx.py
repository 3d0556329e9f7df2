"""The failover rules of nginx beyond their examples: counting, inheritance, style, silence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gwlint.rule import Severity

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed, fixed_text

TWO = "server 127.0.0.1:3000; server 127.0.0.1:3001;"
ROUTED = """{main}
events {{}}
http {{
    upstream app {{ {pool} }}
    server {{
        listen 8080;
        {server}
        location / {{
            proxy_pass http://app;
            {route}
        }}
    }}
}}
"""


def routed(pool: str = TWO, route: str = "", server: str = "", main: str = "") -> str:
    return ROUTED.format(pool=pool, route=route, server=server, main=main)


# NGX504


@pytest.mark.parametrize(
    ("pool", "found"),
    [
        (TWO, True),
        ("server a:1 max_fails=1; server b:1;", True),
        ("server a:1; server b:1 backup;", True),
        ("server a:1; server b:1; server c:1 max_fails=2;", False),
        ("server a:1; server b:1 max_fails=0;", False),
        ("server a:1 fail_timeout=0; server b:1 fail_timeout=0;", False),
        ("server a:1; server b:1 down;", False),
        ("server a:1; include more.inc;", False),
        ("server a:1; server b:1; include more.inc;", False),
    ],
)
def test_all_servers_must_go_after_one_failure(pool: str, found: bool) -> None:
    assert bool(findings(routed(pool), "NGX504")) == found


def test_the_outage_lasts_until_the_first_server_is_back() -> None:
    (found,) = findings(
        routed("server a:1 fail_timeout=1m; server b:1 fail_timeout=30s;"), "NGX504"
    )
    assert "leaves none for 30 s" in found.message


def test_each_server_counts_to_three_and_keeps_its_words() -> None:
    text = routed("server a:1 weight=2 max_fails=1;\n\tserver b:1\n\t\tbackup; # spare\n")
    after = fixed_text(text, "NGX504")
    assert "server a:1 weight=2 max_fails=3;\n" in after
    assert "server b:1\n\t\tbackup max_fails=3; # spare\n" in after


# NGX505


@pytest.mark.parametrize(
    ("server", "route", "found"),
    [
        ("", "", True),
        ("proxy_next_upstream error timeout;", "", True),
        ("proxy_next_upstream error http_502;", "", False),
        ("proxy_next_upstream error http_502;", "proxy_next_upstream error;", True),
        ("proxy_next_upstream off;", "", False),
        ("include more.inc;", "", False),
    ],
)
def test_which_answers_are_retried_is_inherited(server: str, route: str, found: bool) -> None:
    assert bool(findings(routed(server=server, route=route), "NGX505")) == found


def test_families_have_their_own_answers() -> None:
    text = routed().replace("proxy_pass http://app", "uwsgi_pass app")
    assert "uwsgi_next_upstream error timeout http_503;" in fixed_text(text, "NGX505")
    text = routed(server="proxy_next_upstream error;")
    assert "proxy_next_upstream error http_502 http_503 http_504;" in fixed_text(text, "NGX505")


# NGX506


@pytest.mark.parametrize(
    ("main", "pool", "severity"),
    [
        ("worker_processes auto;", TWO, Severity.INFO),
        ("worker_processes 2;", "server a:1 max_conns=5;", Severity.WARNING),
        ("worker_processes 2;", "server a:1 max_conns=0;", None),
        ("worker_processes 1;", TWO, None),
        ("", TWO, None),
        ("worker_processes 4;", "zone z 64k; " + TWO, None),
        ("worker_processes 4;", "include zone.inc; " + TWO, None),
    ],
)
def test_state_matters_with_several_workers(
    main: str, pool: str, severity: Severity | None
) -> None:
    found = findings(routed(pool, main=main), "NGX506")
    assert [one.severity for one in found] == ([] if severity is None else [severity])


def test_a_zone_needs_a_name_of_its_own_and_room() -> None:
    servers = " ".join(f"server 127.0.0.1:{3000 + index};" for index in range(100))
    text = routed(servers, main="worker_processes 2;").replace(
        "http {\n", "http {\n    limit_req_zone $binary_remote_addr zone=app:1m rate=9r/s;\n"
    )
    after = fixed_text(text, "NGX506")
    assert "upstream app { zone app_upstream 200k; server 127.0.0.1:3000;" in after


# NGX507


def test_nginx_looks_at_what_it_has_read_so_far() -> None:
    after_the_method = "ip_hash; server a:1; server b:1 backup;"
    before_the_method = "server a:1; server b:1 backup; ip_hash;"
    (found,) = findings(routed(after_the_method), "NGX507")
    assert found.span.text == "backup"
    assert not findings(routed(before_the_method), "NGX507")


# NGX508


@pytest.mark.parametrize(
    ("extra", "target", "severity"),
    [
        ("sticky cookie c;", None, Severity.WARNING),
        ("sticky cookie c;", "1.29.5", Severity.ERROR),
        ("sticky cookie c;", "1.29.6", None),
        ("sticky name=route;", "1.22.1", None),
        ("least_time header;", "1.30.0", Severity.ERROR),
        ("least_time header;", "1.31.0", None),
        ("queue 10;", "1.31.3", Severity.ERROR),
        ("ntlm;", None, Severity.ERROR),
    ],
)
def test_what_became_free_depends_on_the_target(
    extra: str, target: str | None, severity: Severity | None
) -> None:
    found = findings(routed(TWO + extra), "NGX508", target)
    assert [one.severity for one in found] == ([] if severity is None else [severity])


def test_a_configuration_for_plus_is_left_alone() -> None:
    text = routed(route="health_check;")
    assert findings(text, "NGX508")
    assert not findings(
        text.replace("location / {", "location /api { api; } location / {"), "NGX508"
    )


# NGX509


def test_an_address_is_named_once() -> None:
    text = routed(
        "server 10.0.0.1:3000;",
        server="location /a { proxy_pass http://10.0.0.1:3000; }"
        " location /b { proxy_pass http://10.0.0.2; } location /c { proxy_pass http://10.0.0.2; }"
        " location /d { proxy_pass http://name; } location /e { proxy_pass http://$host; }",
    )
    assert [one.span.text for one in findings(text, "NGX509")] == [
        "upstream app",
        "http://10.0.0.2",
    ]


# NGX510


@pytest.mark.parametrize(
    ("server", "found"),
    [
        ("error_page 502 /e.html;", True),
        ("error_page 404 /e.html;", False),
        ("error_page 502 /e.html; location = /e.html { root /srv; }", False),
        ("error_page 502 /err/e.html; location /err/ { root /srv; }", False),
        ("error_page 502 /e.html; location ~ [.]html$ { root /srv; }", False),
        ("error_page 502 /e.html; location ~ [.]htm$ { root /srv; }", True),
        ("error_page 502 /e.html; location ~ (?<n>[.]html { root /srv; }", False),
        ("error_page 502 /e.html; location ^~ /e { proxy_pass http://app; }", True),
        ("error_page 502 /e.html; location /e { proxy_pass http://other:1; }", False),
        (
            "error_page 502 /e.html; location /e { try_files $uri @x; proxy_pass http://app; }",
            False,
        ),
        ("error_page 502 =200 @again; location @again { proxy_pass http://app; }", True),
        ("error_page 502 $uri;", False),
        ("error_page 502 https://status.example.org/;", False),
        ("error_page 502 /e.html; include more.inc;", False),
    ],
)
def test_where_the_error_page_leads(server: str, found: bool) -> None:
    assert bool(findings(routed(server=server), "NGX510")) == found


def test_an_expression_that_takes_exponential_time_is_not_tried() -> None:
    page = "/" + "a" * 90
    server = f"error_page 502 {page}; location ~ ^/(a+)+b$ {{ root /srv; }}"
    assert not findings(routed(server=server), "NGX510")


def test_a_location_with_a_server_for_error_pages_is_no_loop() -> None:
    server = "error_page 502 /errors/e.html; location /errors/ { proxy_pass http://other:1; }"
    found = findings(routed(server=server), "NGX510")
    assert found == []


# NGX511


@pytest.mark.parametrize(
    ("server", "route", "found"),
    [
        ("error_page 500 503 /e.html;", "", True),
        ("error_page 502 504 /e.html;", "", False),
        ("error_page 503 /e.html; proxy_intercept_errors on;", "", False),
        ("error_page 503 /e.html; proxy_intercept_errors off;", "", False),
        ("error_page 503 /e.html;", "error_page 404 /n.html;", False),
        ("error_page 503 /e.html; include more.inc;", "", False),
    ],
)
def test_which_errors_are_the_applications_own(server: str, route: str, found: bool) -> None:
    assert bool(findings(routed(server=server, route=route), "NGX511")) == found


def test_interception_is_not_written_where_another_includer_has_it() -> None:
    files = {
        "nginx.conf": """events {}
http {
    server {
        error_page 503 /e.html;
        location / { include pass.inc; }
        location /a { include pass.inc; proxy_intercept_errors off; }
    }
}
""",
        "pass.inc": "proxy_pass http://127.0.0.1:3000;\n",
    }
    (found,) = findings(files, "NGX511")
    assert found.fix is None
    assert fixed(files, "NGX511") == files


# NGX512


@pytest.mark.parametrize(
    ("pool", "route", "found"),
    [
        (TWO, "proxy_request_buffering off;", True),
        ("server a:1;", "proxy_request_buffering off;", False),
        (TWO, "proxy_request_buffering off; client_max_body_size 0;", False),
        (TWO, "proxy_request_buffering off; client_max_body_size 5g;", False),
        (TWO, "proxy_request_buffering off; client_max_body_size 50m;", True),
        (TWO, "proxy_request_buffering off; proxy_next_upstream off;", False),
        (TWO, "", False),
    ],
)
def test_bodies_that_could_be_kept(pool: str, route: str, found: bool) -> None:
    assert bool(findings(routed(pool, route), "NGX512")) == found
