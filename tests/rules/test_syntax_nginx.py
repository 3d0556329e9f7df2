"""NGX001 to NGX008 and GTW002 beyond their examples."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gwlint.rule import Finding, Severity

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed_text

HTTP = "events {{}}\nhttp {{\n    {}\n}}\n"


def in_http(text: str) -> str:
    return HTTP.format(text)


def in_server(text: str) -> str:
    return in_http(f"server {{ listen unix:test.sock; {text} }}")


def lines(found: list[Finding]) -> list[int]:
    return [one.span.begin_position.line for one in found]


def nginx_says(text: str, folder: Path) -> tuple[bool, str]:
    """Whether the installed nginx accepts a configuration, and its messages."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail("nginx is not installed")
        pytest.skip("nginx is not installed")
    (folder / "nginx.conf").write_text(text)
    (folder / "logs").mkdir(exist_ok=True)
    done = subprocess.run(
        [binary, "-t", "-e", "stderr", "-p", f"{folder}/", "-c", "nginx.conf"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return done.returncode == 0, done.stderr


# NGX001


def test_a_missing_brace_is_told_where_the_indentation_shows_it() -> None:
    text = (
        "events {}\nhttp {\n    server {\n        location /a {\n            return 200;\n"
        "        location /b {\n            return 200;\n        }\n    }\n}\n"
    )
    (found,) = findings(text, "NGX001")
    assert found.span.begin_position.line == 4
    assert "after line 5" in found.message
    assert [label.span.begin_position.line for label in found.related] == [5]


def test_a_file_that_simply_ends_lacks_its_brace_there() -> None:
    (found,) = findings("events {}\nhttp {\n    server {\n        listen 80;\n    }\n", "NGX001")
    assert lines([found]) == [2]
    assert "at the end of the file" in found.message


def test_one_syntax_error_does_not_hide_the_next_or_other_rules() -> None:
    text = in_http(
        'add_header A "open;\n    gzip yes;\n    server { listen 80;; }\n'
        "    proxy_pas http://127.0.0.1;\n    server_tokens maybe;"
    )
    assert lines(findings(text, "NGX001")) == [3, 5]
    assert lines(findings(text, "NGX004")) == [4]


@pytest.mark.parametrize("regex", ["^/[0-9]{4}$", "^/a{2,}", "^/[a-z]{2,4}/b{3}"])
def test_a_regular_expression_with_braces_needs_quotes(regex: str, tmp_path: Path) -> None:
    unquoted = in_server(f"location ~ {regex} {{ return 200; }}")
    (found,) = findings(unquoted, "NGX001")
    assert "not quoted" in found.message
    assert findings(unquoted, "NGX002") == []
    assert not nginx_says(unquoted, tmp_path)[0]
    quoted = in_server(f'location ~ "{regex}" {{ return 200; }}')
    assert findings(quoted, "NGX001") == []
    assert nginx_says(quoted, tmp_path)[0]


def test_a_block_that_is_none_is_an_error_of_syntax_only() -> None:
    text = in_server("root { }")
    assert len(findings(text, "NGX001")) == 1
    assert findings(text, "NGX004") == []


# NGX002


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("proxy_red_timeout 5s;", "proxy_read_timeout 5s;"),
        ("Gzip on;", "gzip on;"),
        ("proxy-buffering off;", "proxy_buffering off;"),
        ("serverr { listen unix:a.sock; }", "server { listen unix:a.sock; }"),
    ],
)
def test_a_misspelt_name_is_corrected_and_nginx_takes_it(
    wrong: str, right: str, tmp_path: Path
) -> None:
    (found,) = findings(in_http(wrong), "NGX002")
    assert found.severity is Severity.ERROR
    assert fixed_text(in_http(wrong), "NGX002") == in_http(right)
    assert nginx_says(in_http(right), tmp_path)[0]


def test_a_near_name_that_does_not_fit_here_is_no_suggestion() -> None:
    (found,) = findings(in_http("proxy_pas http://127.0.0.1;"), "NGX002")
    assert found.severity is Severity.WARNING
    assert found.fix is None


def test_blocks_of_unknown_modules_and_data_are_left_alone() -> None:
    text = in_http(
        "map $uri $page { proxy_pas 1; Listen 2; }\n    types { text/html html; }\n"
        "    frobnicate { liste 1; proxy_pas 2; }"
    )
    (found,) = findings(text, "NGX002")
    assert found.span.text == "frobnicate"


def test_a_module_that_is_not_known_may_have_any_directive() -> None:
    loads = "load_module modules/ngx_http_own_module.so;\n"
    assert findings(loads + in_http("frobnicate on;"), "NGX002") == []
    assert len(findings(loads + in_http("gzipp on;"), "NGX002")) == 1
    known = "load_module modules/ngx_http_lua_module.so;\n"
    assert len(findings(known + in_http("frobnicate on;"), "NGX002")) == 1


# NGX003


def test_a_misplaced_block_is_reported_but_not_what_it_holds() -> None:
    text = in_http("upstream a { server 127.0.0.1; location / { return 200; } }")
    assert [one.span.text for one in findings(text, "NGX003")] == ["location"]


def test_broken_braces_silence_the_context() -> None:
    text = "events {}\nhttp {\n    server {\n    }\n    }\n    server { listen 80; }\n}\n"
    assert findings(text, "NGX001")
    assert findings(text, "NGX003") == []


def test_a_fragment_belongs_to_the_context_that_it_fits() -> None:
    assert findings({"nginx/part.conf": "proxy_pass http://127.0.0.1:1;\n"}, "NGX003") == []
    commented = "# gwlint: context=http\nproxy_pass http://127.0.0.1:1;\n"
    assert len(findings({"nginx/part.conf": commented}, "NGX003")) == 1


def test_an_included_file_is_judged_where_it_is_included() -> None:
    files = {
        "nginx.conf": in_http("include one.inc; server { listen 80; include one.inc; }"),
        "one.inc": "ssl_reject_handshake on;\nserver_name a;\n",
    }
    (found,) = findings(files, "NGX003")
    assert (found.path, found.span.text) == ("one.inc", "server_name")


# NGX004


@pytest.mark.parametrize(
    "wrong",
    [
        "gzip yes;",
        "gzip_comp_level 12;",
        "proxy_read_timeout 60sec;",
        "client_max_body_size 10mb;",
        "proxy_buffers 8;",
        "proxy_http_version 3;",
        "keepalive_timeout;",
    ],
)
def test_what_the_rule_refuses_nginx_refuses(wrong: str, tmp_path: Path) -> None:
    assert len(findings(in_http(wrong), "NGX004")) == 1
    assert not nginx_says(in_http(wrong), tmp_path)[0]


# NGX006


def test_missing_includes_and_those_that_come_with_nginx() -> None:
    text = in_http(
        "include mime.types; include gone.conf; include /etc/letsencrypt/options.conf;"
        " include conf.d/*.conf;"
    )
    assert [one.span.text for one in findings(text, "NGX006")] == ["gone.conf"]


# NGX007


@pytest.mark.parametrize(
    "twice",
    [
        "root a; root b;",
        "location / { root a; alias b; }",
        "location /x { } location ^~ /x { }",
        "location = /x { } location =/x { }",
        "location / { limit_except GET { deny all; } limit_except PUT { deny all; } }",
        "listen 127.0.0.1:8099; listen 127.0.0.1:8099;",
        "proxy_buffering on; proxy_buffering on;",
        "client_max_body_size 1m; client_max_body_size 2m;",
        "location / { proxy_pass http://127.0.0.1:1; proxy_pass http://127.0.0.1:2; }",
    ],
)
def test_what_is_a_duplicate_nginx_refuses(twice: str, tmp_path: Path) -> None:
    assert len(findings(in_server(twice), "NGX007")) == 1
    accepted, said = nginx_says(in_server(twice), tmp_path)
    assert not accepted
    assert "duplicate" in said


@pytest.mark.parametrize(
    "twice",
    [
        "add_header A 1; add_header A 1;",
        "server_name a b; server_name c;",
        "location = /x { } location /x { }",
        "location ~ x { } location ~ x { }",
        "root a; location / { root b; }",
        "error_page 404 /a; error_page 404 /b;",
        "return 200; return 404;",
        "access_log off; access_log off;",
        "location / { proxy_redirect http://a/ /; proxy_redirect http://b/ /; }",
        "types { text/a a; } types { text/b b; }",
    ],
)
def test_what_may_be_repeated_is_no_duplicate(twice: str, tmp_path: Path) -> None:
    assert findings(in_server(twice), "NGX007") == []
    assert nginx_says(in_server(twice), tmp_path) == (True, nginx_says("events {}", tmp_path)[1])


def test_an_include_counts_where_it_stands() -> None:
    files = {
        "nginx.conf": in_http(
            "proxy_read_timeout 5s; include t.inc; server { listen 80; include t.inc; }"
        ),
        "t.inc": "proxy_read_timeout 9s;\n",
    }
    (found,) = findings(files, "NGX007")
    assert found.path == "t.inc"
    assert [label.span.path for label in found.related] == ["nginx.conf"]


def test_many_locations_take_linear_time() -> None:
    many = "\n".join(f"location /{number} {{ return 200; }}" for number in range(10_000))
    assert findings(in_server(many), "NGX007") == []


def test_the_measured_duplicates_name_known_contexts() -> None:
    import gwlint.data
    from gwlint.syntax.nginx.directives import lookup

    path = Path(gwlint.data.__path__[0]) / "nginx_duplicates.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    assert "http" in data["always"]["proxy_read_timeout"]
    assert "add_header" not in data["always"]
    for names in data.values():
        for name, contexts in names.items():
            spec = lookup(name)
            assert spec is not None
            assert all(spec.allowed_in(context) for context in contexts)


# NGX008


def test_a_semicolon_is_put_in_before_a_comment() -> None:
    text = in_server("\n        root /srv # files\n        autoindex off;\n")
    (found,) = findings(text, "NGX008")
    assert found.severity is Severity.ERROR
    assert "root /srv; # files" in fixed_text(text, "NGX008")


def test_a_swallowed_directive_that_nginx_accepts_is_a_warning(tmp_path: Path) -> None:
    text = in_server("\n        index index.html\n        root a;\n")
    assert nginx_says(text, tmp_path)[0]
    (found,) = findings(text, "NGX008")
    assert found.severity is Severity.WARNING
    assert found.fix is not None
    assert found.fix.safety.value == "unsafe"


def test_line_endings_stay(tmp_path: Path) -> None:
    text = in_server("\r\n\troot a\r\n\tautoindex off;\r\n")
    after = fixed_text(text, "NGX008")
    assert after == text.replace("root a", "root a;")
    assert nginx_says(after, tmp_path)[0]


def test_an_ellipsis_lacks_no_semicolon() -> None:
    text = in_server("\n        ...\n        root a;\n")
    assert findings(text, "NGX008") == []
    assert lines(findings(text, "NGX002")) == [4]


# GTW002


def test_templates_of_both_dialects_are_named() -> None:
    files = {
        "nginx.conf": "events {}\nhttp { {% if tls %} ssl_protocols TLSv1.3; {% endif %} }\n",
        "haproxy.cfg": "global\n    maxconn {{ connections }}\n\nlisten a\n    bind :80\n",
    }
    assert [(one.path, lines([one])) for one in findings(files, "GTW002")] == [
        ("haproxy.cfg", [2]),
        ("nginx.conf", [2]),
    ]
