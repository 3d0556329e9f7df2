"""Security rules of nginx, with nginx itself as the judge of what fixes write."""

from __future__ import annotations

from pathlib import Path

import pytest
from nginx_accepts import accepts
from support import findings, fixed, fixed_text

from gwlint.rule import Severity


def http(text: str) -> str:
    return f"events {{}}\nhttp {{\n{text}\n}}\n"


def server(text: str, around: str = "") -> str:
    return http(f"{around}\n    server {{\n        listen 8080;\n{text}\n    }}")


def severities(text: str, code: str, target: str | None = None) -> list[Severity]:
    return [found.severity for found in findings(text, code, target)]


# NGX807

OUTER = "        add_header X-Frame-Options DENY always;"


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("add_header Cache-Control public;", [Severity.WARNING]),
        ("add_header X-Frame-Options SAMEORIGIN;", []),
        ("add_header x-frame-options SAMEORIGIN;", []),
        ("add_header Cache-Control public; add_header X-Frame-Options DENY always;", []),
        ('add_header "" "";', []),
        ("add_trailer X-Hash a;", []),
        ("expires 1h;", []),
        ("add_header_inherit merge; add_header Cache-Control public;", []),
        ("add_header_inherit off; add_header Cache-Control public;", []),
        ("add_header_inherit on; add_header Cache-Control public;", [Severity.WARNING]),
        ("more_set_headers 'X-Frame-Options: DENY'; add_header A b;", []),
        ("more_set_headers 'X-Other: a'; add_header A b;", [Severity.WARNING]),
        ("if ($request_method = OPTIONS) { add_header A b; return 204; }", []),
        ("if ($arg_a) { add_header A b; }", [Severity.WARNING]),
        ("include missing/*.conf; include absent.conf; add_header A b;", []),
    ],
)
def test_what_an_inner_level_loses(inner: str, expected: list[Severity]) -> None:
    text = server(f"{OUTER}\n        location / {{ {inner} }}")
    assert severities(text, "NGX807") == expected


@pytest.mark.parametrize(
    ("header", "severity"),
    [
        ("Strict-Transport-Security max-age=1", Severity.WARNING),
        ("Access-Control-Allow-Origin *", Severity.WARNING),
        ("Content-Security-Policy \"default-src 'self'\"", Severity.WARNING),
        ("X-Served-By $hostname", Severity.INFO),
        ("Cache-Control no-store", Severity.INFO),
    ],
)
def test_headers_that_browsers_obey_weigh_more(header: str, severity: Severity) -> None:
    text = server(f"        add_header {header};\n        location / {{ add_header A b; }}")
    assert severities(text, "NGX807") == [severity]


def test_empty_headers_are_no_loss() -> None:
    text = server('        add_header X-Frame-Options "";\n        location / { add_header A b; }')
    assert findings(text, "NGX807") == []


def test_merge_is_inherited_and_the_advice_knows_the_version() -> None:
    text = server(f"{OUTER}\n        location / {{ add_header A b; }}")
    assert findings(text.replace("http {", "http { add_header_inherit merge;"), "NGX807") == []
    (unknown,) = findings(text, "NGX807")
    assert unknown.advice.endswith("(nginx 1.29.3 and newer)")
    (newer,) = findings(text, "NGX807", "1.31.3")
    assert newer.advice.endswith("add_header_inherit merge'")


def test_each_level_loses_the_next_one() -> None:
    text = server(
        "        add_header B 1;\n        location / { add_header C 1; }",
        "    add_header X-Frame-Options DENY;",
    )
    first, second = findings(text, "NGX807")
    assert first.message.endswith("adds: X-Frame-Options")
    assert second.message.endswith("adds: B")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_is_lost_is_repeated(newline: str, tmp_path: Path) -> None:
    text = server(
        f"{OUTER}\n\tadd_header  X-Content-Type-Options\tnosniff; # all\n"
        "\tlocation / {\n\t\tadd_header A b; # own\n\t}"
    ).replace("\n", newline)
    after = fixed_text(text, "NGX807")
    added = "\t\tadd_header X-Frame-Options DENY always;\n\t\tadd_header X-Content-Type-Options"
    expected = text.replace(
        f"# own{newline}",
        f"# own\n{added} nosniff;\n".replace("\n", newline),
    )
    assert after == expected
    assert accepts(after, tmp_path)


def test_one_line_blocks_stay_on_their_line(tmp_path: Path) -> None:
    text = server(f"{OUTER}\n        location / {{ add_header A b; }}")
    after = fixed_text(text, "NGX807")
    assert "{ add_header A b; add_header X-Frame-Options DENY always; }" in after
    assert accepts(after, tmp_path)


def test_a_shared_file_is_corrected_only_where_all_lose_the_same() -> None:
    site = "server {{ listen {0}; {1} include inner.conf; }}\n"
    inner = "location / {\n    add_header A b;\n}\n"
    for second, is_fixed in (("DENY", True), ("SAMEORIGIN", False)):
        files = {
            "nginx.conf": http(
                site.format(8080, "add_header X-Frame-Options DENY;")
                + site.format(8081, f"add_header X-Frame-Options {second};")
            ),
            "inner.conf": inner,
        }
        assert findings(files, "NGX807")
        if is_fixed:
            after = fixed(files, "NGX807")["inner.conf"]
            assert after.count("add_header X-Frame-Options DENY;") == 1
        else:
            assert all(one.fix is None for one in findings(files, "NGX807"))


def test_headers_of_an_included_file_are_reported_at_the_block_without_a_fix() -> None:
    files = {
        "nginx.conf": server(f"{OUTER}\n        location /a {{ include cache.conf; }}"),
        "cache.conf": "add_header Cache-Control public;\n",
    }
    (found,) = findings(files, "NGX807")
    assert (found.path, found.fix) == ("nginx.conf", None)


# NGX801


@pytest.mark.parametrize(
    ("header", "alias", "count"),
    [
        ("/files", "/srv/files/", 1),
        ("^~ /files", "/srv/files/", 1),
        ("/files", "/srv/files", 0),
        ("/files/", "/srv/files/", 0),
        ("= /files", "/srv/files/", 0),
        ("~ ^/files(.*)$", "/srv/files/$1", 1),
        ("~ ^/files(?<rest>.*)$", "/srv/files/$rest", 1),
        (r"~ /site(\d+)(.*)", "/srv/files/$2", 1),
        ("~ ^/files/(.*)$", "/srv/files/$1", 0),
        ("~ ^/files(.*)$", "/srv/files$1", 0),
        ("~ ^/files(/.*)$", "/srv/files/$1", 0),
        ("~ ^/files([a-z]+)$", "/srv/files/$1", 0),
        ("~ ^/files", "/srv/files/", 0),
    ],
)
def test_aliases_that_a_path_leaves(header: str, alias: str, count: int) -> None:
    text = server(f"        location {header} {{ alias {alias}; }}")
    assert len(findings(text, "NGX801")) == count


def test_a_location_that_returns_serves_no_files() -> None:
    text = server("        location /files { alias /srv/files/; return 404; }")
    assert findings(text, "NGX801") == []


def test_the_location_ends_in_a_slash(tmp_path: Path) -> None:
    text = server("\tlocation\t^~  /files{ alias /srv/files/; }")
    after = fixed_text(text, "NGX801")
    assert after == text.replace("/files{", "/files/{")
    assert accepts(after, tmp_path)
    quoted = server('        location "/files" { alias /srv/files/; }')
    assert [one.fix for one in findings(quoted, "NGX801")] == [None]


# NGX802


@pytest.mark.parametrize(
    ("header", "target", "count"),
    [
        ("/", "http://$arg_host/", 1),
        ("/", "http://$http_x_target", 1),
        ("/", "$cookie_backend", 1),
        ("/", "http://$arg_host.example.com/", 1),
        ("/", "http://backend-$arg_id.example.com/", 1),
        ("/", "http://10.0.0.1:$arg_port/", 0),
        ("/", "http://10.0.0.1/$arg_path", 0),
        ("/", "http://10.0.0.1$request_uri", 0),
        ("/", "http://10.0.0.1:80$uri", 0),
        ("/", "http://$host$request_uri", 0),
        ("/", "http://$http_host$request_uri", 0),
        ("/", "http://unix:/run/app.sock", 0),
        ("~ ^/p/(.*)$", "http://$1", 1),
        ("~ ^/p/(?<rest>.*)$", "http://app$rest", 1),
        ("~ ^/p(/.*)$", "http://app$1", 0),
        ("~ ^/p/([^/]+)$", "http://$1_service", 1),
        ("~ ^/p/([a-z.]+)$", "http://$1", 1),
        ("~ ^/p/([a-z.]+)$", "http://$1.internal", 0),
        ("~ ^/p/([a-z]+)/", "http://$1:3000", 0),
        ("~ ^/p/(a|b)/", "http://$1", 0),
    ],
)
def test_hosts_that_the_client_chooses(header: str, target: str, count: int) -> None:
    text = server(f"        location {header} {{ proxy_pass {target}; }}")
    assert len(findings(text, "NGX802")) == count


@pytest.mark.parametrize(
    "guard",
    [
        "internal;",
        "deny all;",
        "auth_basic x;",
        "auth_request /check;",
        "if ($arg_host !~ ^app) { return 403; }",
        "include missing.conf;",
    ],
)
def test_guarded_places_are_left_alone(guard: str) -> None:
    text = server(f"        location / {{ {guard} proxy_pass http://$arg_host; }}")
    assert findings(text, "NGX802") == []


def test_values_are_followed_through_set_and_map() -> None:
    location = "        location / { set $to $target; fastcgi_pass $to; }"
    free = "map $uri $target { default 10.0.0.1:9000; ~^/x $arg_to; }"
    (found,) = findings(server(location, free), "NGX802")
    assert len(found.related) == 2
    assert findings(server(location, free.replace("$arg_to", "10.0.0.2:9000")), "NGX802") == []


# NGX803


@pytest.mark.parametrize(
    ("location", "count"),
    [
        ("/ { return 301 https://a.test$uri; }", 1),
        ("/ { return 302 /new$document_uri; }", 1),
        ("/ { return https://a.test$uri; }", 1),
        ("/ { return 301 https://a.test$request_uri; }", 0),
        ("/ { return 200 $uri; }", 0),
        ("/ { return 301 https://a.test/?from=$arg_from; }", 0),
        ("/ { rewrite ^ https://a.test$uri permanent; }", 1),
        ("/ { rewrite ^/([^/]*)$ https://a.test/$1 permanent; }", 0),
        ("/ { rewrite ^ /new$uri; }", 0),
        ("/ { add_header X-Path $uri; }", 1),
        ("/ { add_header X-Query $args; }", 0),
        ("/ { proxy_set_header X-Path $uri; proxy_pass http://127.0.0.1:1; }", 1),
        ("/ { proxy_pass http://127.0.0.1:1$uri; }", 1),
        ("/ { proxy_pass http://127.0.0.1:1$request_uri; }", 0),
        ("/ { set $to $uri; return 301 https://a.test$to; }", 1),
        ("= /x { return 301 https://a.test$uri; }", 0),
        ("~ ^/(.*)$ { return 301 https://a.test/$1; }", 0),
        ("~ ^/(.*)$ { return 301 https://a.test$uri; }", 0),
        ("~ ^/(.*) { return 301 https://a.test$uri; }", 1),
        ("~ ^/([^/]*)$ { return 301 https://a.test/$1; }", 1),
        (r"~ ^/([^/\r\n]*)$ { return 301 https://a.test/$1; }", 0),
        (r"~ ^/([^/\s]*)$ { return 301 https://a.test/$1; }", 0),
        (r"~ '^/([\s\S]*)$' { return 301 https://a.test/$1; }", 1),
        (r"~ ^/(?<id>\d+)/([^/]*)$ { return 301 https://a.test/$id; }", 0),
        ("~ ^/(?<page>[^/]*)$ { add_header X-Page $page; }", 1),
        ("~ ^/([^/]*)$ { if ($arg_a ~ (.*)) { return 301 /$1; } }", 0),
    ],
)
def test_line_ends_in_headers(location: str, count: int) -> None:
    assert len(findings(server(f"        location {location}"), "NGX803")) == count


def test_a_map_may_bring_the_path() -> None:
    block = "map $uri $to { default /; ~^/old /new$uri; /a /b; }"
    text = server("        return 301 https://a.test$to;", block)
    (found,) = findings(text, "NGX803")
    assert [label.span.text for label in found.related] == ["~^/old /new$uri"]
    assert findings(text.replace("/new$uri", "/new"), "NGX803") == []


# NGX804


@pytest.mark.parametrize(
    ("header", "count"),
    [
        ("Host $http_host", 1),
        ("host ${http_host}", 1),
        ("Host $host", 0),
        ("Host $host:$server_port", 0),
        ("X-Forwarded-Host $http_host", 0),
    ],
)
def test_the_host_that_the_client_wrote(header: str, count: int, tmp_path: Path) -> None:
    text = server(f"\tproxy_set_header  {header}; # as it is")
    assert len(findings(text, "NGX804")) == count
    if count:
        after = fixed_text(text, "NGX804")
        assert after == text.replace(header.split()[1], "$host")
        assert accepts(after, tmp_path)


# NGX810

TLS = "        listen 8443 ssl;"


@pytest.mark.parametrize(
    ("protocols", "expected"),
    [
        ("TLSv1.2 TLSv1.3", []),
        ("TLSv1.3", []),
        ("TLSv1 TLSv1.1 TLSv1.2", [Severity.WARNING]),
        ("TLSv1.2 SSLv3", [Severity.WARNING]),
    ],
)
def test_the_versions_that_are_named(protocols: str, expected: list[Severity]) -> None:
    assert severities(server(TLS, f"    ssl_protocols {protocols};"), "NGX810") == expected


def test_the_default_versions_are_of_the_target(tmp_path: Path) -> None:
    text = server(TLS)
    assert severities(text, "NGX810") == [Severity.INFO]
    assert severities(text, "NGX810", "1.22.1") == [Severity.WARNING]
    assert findings(text, "NGX810", "1.27.3") == []
    assert findings(server(""), "NGX810", "1.22.1") == []
    assert findings(server(TLS, "    include missing.conf;"), "NGX810", "1.22.1") == []
    assert len(findings(server(f"{TLS}\n    }} server {{ {TLS}"), "NGX810", "1.22.1")) == 1
    after = fixed_text(server("", "    ssl_protocols TLSv1;"), "NGX810")
    assert "    ssl_protocols TLSv1.2 TLSv1.3;" in after
    assert accepts(after, tmp_path)


# NGX813


@pytest.mark.parametrize(
    ("around", "inside", "count"),
    [
        ("", "", 1),
        ("server_tokens on;", "", 1),
        ("server_tokens build;", "", 1),
        ("server_tokens off;", "", 0),
        ("server_tokens off;", "server_tokens on;", 1),
        ("", "server_tokens off;", 0),
        ("more_clear_headers Server;", "", 0),
        ("include missing.conf;", "", 0),
    ],
)
def test_who_tells_the_version(around: str, inside: str, count: int) -> None:
    assert len(findings(server(inside, around), "NGX813")) == count


def test_the_version_is_hidden_for_all(tmp_path: Path) -> None:
    after = fixed_text(server(""), "NGX813")
    assert "    server_tokens off;\n" in after or "server_tokens off;" in after
    assert findings(after, "NGX813") == []
    assert accepts(after, tmp_path)
    assert findings("server { listen 8080; }\n", "NGX813") == []


# NGX815


@pytest.mark.parametrize(
    ("level", "count"),
    [
        ("allow 10.0.0.1;", 1),
        ("allow 10.0.0.1; deny all;", 0),
        ("deny all; allow 10.0.0.1;", 0),
        ("allow all;", 0),
        ("allow 10.0.0.1; satisfy any; auth_basic x;", 0),
        ("allow 10.0.0.1; satisfy any;", 1),
        ("allow 10.0.0.1; auth_basic x;", 1),
        ("allow 10.0.0.1; include missing.conf;", 0),
    ],
)
def test_lists_that_refuse_nobody(level: str, count: int) -> None:
    assert len(findings(server(f"        location / {{ {level} }}"), "NGX815")) == count


def test_an_included_deny_counts_and_the_outer_one_does_not(tmp_path: Path) -> None:
    outer = server(
        "        deny all;\n        location / {\n            allow 10.0.0.1; # ours\n        }"
    )
    (found,) = findings(outer, "NGX815")
    assert [label.span.text for label in found.related] == ["deny all"]
    after = fixed_text(outer, "NGX815")
    assert "allow 10.0.0.1; # ours\n            deny all;\n" in after
    assert accepts(after, tmp_path)
    files = {
        "nginx.conf": server("        location / { allow 10.0.0.1; include rest.conf; }"),
        "rest.conf": "deny all;\n",
    }
    assert findings(files, "NGX815") == []


# NGX816


@pytest.mark.parametrize(
    ("level", "count"),
    [
        ("deny all; return 200 up;", 1),
        ("auth_basic x; return 204;", 1),
        ("auth_request /check; return 200;", 1),
        ("auth_basic off; return 200;", 0),
        ("deny all; return 404;", 0),
        ("deny all; return 301 /x;", 0),
        ("allow 10.0.0.1; return 200;", 0),
        ("deny all; if ($arg_a) { return 200; }", 0),
        ("return 200;", 0),
    ],
)
def test_answers_before_the_check(level: str, count: int) -> None:
    assert len(findings(server(f"        location / {{ {level} }}"), "NGX816")) == count


# NGX817


@pytest.mark.parametrize(
    ("level", "count"),
    [
        ("stub_status;", 1),
        ("stub_status on; allow 10.0.0.1;", 1),
        ("stub_status; allow 10.0.0.1; deny all;", 0),
        ("stub_status; auth_basic x;", 0),
        ("stub_status; internal;", 0),
        ("stub_status; if ($remote_addr != 10.0.0.1) { return 403; }", 0),
        ("stub_status; include missing.conf;", 0),
    ],
)
def test_status_pages(level: str, count: int) -> None:
    text = server(f"        location /s {{ {level} }}")
    assert len(findings(text, "NGX817")) == count
    assert findings(text.replace("listen 8080", "listen 127.0.0.1:8080"), "NGX817") == []
    assert findings(text.replace("listen 8080", "listen unix:/run/s.sock"), "NGX817") == []


def test_the_status_page_is_kept_for_this_machine(tmp_path: Path) -> None:
    text = server("        location /s {\n            stub_status;\n        }")
    after = fixed_text(text, "NGX817")
    added = "            allow 127.0.0.1;\n            deny all;\n"
    assert after == text.replace("stub_status;\n", f"stub_status;\n{added}")


# NGX819


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("root /;", 1),
        ("root //;", 1),
        ("root /srv;", 0),
        ("root $folder;", 0),
        ("root /; location / { proxy_pass http://127.0.0.1:1; }", 0),
        ("root /; location / { return 404; } location /x { expires 1h; }", 1),
        ("root /; location / { root /srv; }", 0),
        ("root /; location / { deny all; }", 0),
        ("location = /robots.txt { root /; }", 0),
        ("location /x { root /; internal; }", 0),
        ("location /x { root /; }", 1),
        ("location /x/ { alias /; }", 1),
        ("location /x/ { alias /; deny all; }", 0),
    ],
)
def test_the_whole_file_system(text: str, count: int) -> None:
    assert len(findings(server(f"        {text}"), "NGX819")) == count


def test_no_rule_is_quadratic() -> None:
    """Thousands of locations: seconds at most."""
    locations = "".join(
        f"location /l{n} {{ add_header A {n}; set $to{n} $uri; return 301 /n$to{n}; }}\n"
        for n in range(1500)
    )
    text = server(f"{OUTER}\n{locations}")
    assert len(findings(text, "NGX807")) == 1500
    assert len(findings(text, "NGX803")) == 1500
    assert findings(text, "NGX819") == []
    maps = "".join(f"map $uri $m{n} {{ ~a $m{n + 1}; ~b $m{n + 1}; }}\n" for n in range(500))
    assert findings(server("return 301 https://a.test$m0;", maps), "NGX803") == []
    chosen = "".join(
        f"location /l{n} {{ set $to{n} $arg_a; proxy_pass http://$to{n}; }}\n" for n in range(1500)
    )
    assert len(findings(server(chosen), "NGX802")) == 1500
