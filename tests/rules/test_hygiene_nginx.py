"""NGX901 to NGX905: logs, server names, default servers and locations."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed, fixed_text

ROUTE = "location / { proxy_pass http://127.0.0.1:3000; }"


def conf(http: str = "", server: str = "", main: str = "") -> str:
    return (
        f"{main}\nevents {{}}\nhttp {{\n{http}\nserver {{\nlisten 80;\n{server}\n{ROUTE}\n}}\n}}\n"
    )


ALL = "$upstream_addr ${upstream_status} $upstream_response_time"


@pytest.mark.parametrize(
    "http",
    [
        f"log_format a '{ALL}'; access_log /x a;",
        f"log_format a '{ALL}'; access_log /x; access_log /y a buffer=4k;",
        "access_log off;",
        "access_log /dev/null;",
        "access_log /x unknown;",
        "",
    ],
)
def test_logs_that_tell_enough(http: str) -> None:
    assert not findings(conf(http), "NGX901")


def test_a_format_is_extended_by_what_it_lacks() -> None:
    text = conf("log_format a '$status $upstream_addr'\n\t'$request'; access_log /x a;")
    (found,) = findings(text, "NGX901")
    assert "$upstream_status and $upstream_response_time" in found.message
    added = " ' upstream_status=$upstream_status time=$upstream_response_time'"
    assert fixed_text(text, "NGX901") == text.replace("'$request'", f"'$request'{added}")


@pytest.mark.parametrize("log", ["/x", "/x combined", "/x combined buffer=4k", "/x if=$loggable"])
def test_the_predefined_format_is_replaced(log: str) -> None:
    text = conf("gzip on;", f"access_log {log};")
    after = fixed_text(text, "NGX901")
    assert after.index("log_format combined_upstream") < after.index("access_log /x")
    assert "access_log /x combined_upstream" in after
    assert not findings(after, "NGX901")


def test_two_logs_share_the_new_format() -> None:
    text = conf("access_log /x;", "access_log /y;").replace(
        "server {\n", "server { access_log /z; listen 81; " + ROUTE + " }\nserver {\n"
    )
    assert len(findings(text, "NGX901")) == 2
    assert fixed_text(text, "NGX901").count("log_format ") == 1


def test_a_format_in_json_has_no_fix() -> None:
    http = 'log_format j escape=json \'{"status": "$status"}\'; access_log /x j;'
    (found,) = findings(conf(http), "NGX901")
    assert found.fix is None


@pytest.mark.parametrize(
    ("main", "http", "count"),
    [
        ("error_log /x crit;", "", 1),
        ("error_log /x;", "error_log /dev/null emerg;", 1),
        ("error_log /x;", "error_log off;", 1),
        ("error_log /x error;", "", 0),
        ("error_log /dev/null;", "error_log /x warn;", 0),
        ("error_log /dev/null; error_log /x;", "", 0),
        ("error_log /dev/null; include /nowhere/x;", "", 0),
        ("", "", 0),
    ],
)
def test_hidden_errors(main: str, http: str, count: int) -> None:
    text = conf(http, main=main)
    assert len(findings(text, "NGX902")) == count
    assert not findings(fixed_text(text, "NGX902"), "NGX902")


def test_hidden_errors_without_an_outer_log_have_no_fix() -> None:
    (found,) = findings(conf("error_log /dev/null;"), "NGX902")
    assert found.fix is None


def test_a_line_that_hides_errors_goes() -> None:
    text = conf("\terror_log /dev/null; # quiet", main="error_log /x;")
    assert fixed_text(text, "NGX902") == text.replace("\terror_log /dev/null; # quiet\n", "")


def test_hidden_errors_of_a_fragment() -> None:
    hidden = {"conf.d/a.conf": f"server {{\nlisten 80;\nerror_log /x crit;\n{ROUTE}\n}}\n"}
    assert len(findings(hidden, "NGX902")) == 1
    assert fixed(hidden, "NGX902")["conf.d/a.conf"].count("/x error;") == 1


def servers(*blocks: str) -> str:
    inner = "\n".join(f"server {{ {block} {ROUTE} }}" for block in blocks)
    return f"events {{}}\nhttp {{\n{inner}\n}}\n"


@pytest.mark.parametrize(
    ("blocks", "count"),
    [
        (("listen 80; server_name a;", "listen *:80; server_name A;"), 1),
        (("server_name a;", "listen 80; server_name a;"), 1),
        (("listen 80; listen 81; server_name a;", "listen 81; listen 80; server_name a;"), 1),
        (("listen 80; server_name .a;", "listen 80; server_name a *.a;"), 2),
        (("listen 80; server_name _;", "listen 80; server_name _;"), 1),
        (("listen 80;", 'listen 80; server_name "";'), 1),
        (("listen 80; server_name a a;",), 0),
        (("listen 80; server_name ~^a$;", "listen 80; server_name ~^a$;"), 0),
        (("listen 80; server_name a;", "listen 127.0.0.1:80; server_name a;"), 0),
        (("listen 80; server_name a;", "listen [::]:80; server_name a;"), 0),
        (("listen 80; server_name a;", "include /nowhere/x; server_name a;"), 0),
        (("listen 443 quic; server_name a;", "listen 443 ssl; server_name a;"), 0),
    ],
)
def test_conflicting_names(blocks: tuple[str, ...], count: int) -> None:
    assert len(findings(servers(*blocks), "NGX903")) == count


@pytest.mark.parametrize(
    ("blocks", "severities"),
    [
        (("listen 80; server_name a;", "listen 80; server_name b;"), ["info"]),
        (("listen 80; listen 81; server_name a;", "listen 80; listen 81;"), ["info"]),
        (("listen 80; server_name _;", "listen 80; server_name b;"), []),
        (("listen 80; server_name ~.;", "listen 80; server_name b;"), []),
        (("listen 80; server_name a;", "listen 80 default; server_name b;"), []),
        (("listen 80; server_name a;", "listen 81; server_name b;"), []),
        (("listen 80; server_name a;", "listen 80; include /nowhere/x;"), []),
        (("listen 80 default_server;", "listen *:80 default;"), ["error"]),
        (("listen 80 default_server;", "listen [::]:80 default_server;"), []),
        (("listen 80 default_server; listen 80 default_server;",), []),
    ],
)
def test_default_servers(blocks: tuple[str, ...], severities: list[str]) -> None:
    found = findings(servers(*blocks), "NGX904")
    assert [one.severity.label for one in found] == severities


def test_a_first_server_without_an_application_is_no_fault() -> None:
    text = servers("listen 80; server_name b;").replace(
        "server {", "server { listen 80; server_name a; return 404; }\nserver {", 1
    )
    assert not findings(text, "NGX904")


def locations(*headers: str, server: str = "") -> str:
    inner = "\n".join(f"location {header} {{ return 200; }}" for header in headers)
    return f"events {{}}\nhttp {{ server {{ listen 80; {server}\n{inner}\n}} }}\n"


@pytest.mark.parametrize(
    "headers",
    [
        (r"~* \.(js|css)$", r"~ \.css$"),
        (r"~* \.(?:jpe|png)$", r"~* \.(png|jpe)$"),
        (r"~ \.php$", r"~ /index\.php$"),
        (r"~ \.php$", r"~ ^/index\.php$"),
        ("~ /", r"~* \.php$"),
        ("~ ^/api", "~ ^/api/v1/(.*)$"),
        ("~* ^/API", "~ ^/api$"),
        ("~ a[0-9]", "~ a[0-9]"),
        ("^~ /a/", "~ ^/a/b"),
        ("^~ /a/", "/a/", "~ ^/a/b$"),
        ("= /a", "~ ^/a$"),
    ],
)
def test_unreachable_locations(headers: tuple[str, ...]) -> None:
    (found,) = findings(locations(*headers), "NGX905")
    assert found.statement.normalised == f"location {headers[-1]}"


@pytest.mark.parametrize(
    "headers",
    [
        (r"~ \.css$", r"~* \.(js|css)$"),
        (r"~ \.css$", r"~* \.css$"),
        (r"~ \.(js|css)$", r"~ \.(css|png)$"),
        ("~ ^/api/", "~ ^/api"),
        ("~ ^/api$", "~ ^/api"),
        ("~ a[0-9]", "~ a[0-8]"),
        ("~ a.c$", r"~ abc$"),
        ("^~ /a/", "/a/b", "~ ^/a/b"),
        ("^~ /a/", "/a/b/c", "~ ^/a/b"),
        ("^~ /a/", "~ ^/a"),
        ("^~ /a/", "~ /a/b"),
        ("^~ /a/", "~* ^/a/b"),
        ("/a/", "~ ^/a/b"),
        ("= /a", "~ ^/a"),
        (r"~ ^/([a-z]", r"~ ^/([a-z]"),
    ],
)
def test_locations_that_are_reached(headers: tuple[str, ...]) -> None:
    assert not findings(locations(*headers), "NGX905")


@pytest.mark.parametrize(
    ("server", "count"),
    [
        ("return 301 https://a;", 1),
        ("return https://a;", 1),
        ("return 200 ok;", 1),
        ("return 503;", 0),
        ("if ($a) { break; } return 301 https://a;", 0),
        ("if ($a) { return 301 https://a; }", 0),
        ("error_page 301 /x; return 301 https://a;", 0),
        ("include /nowhere/x; return 301 https://a;", 0),
    ],
)
def test_locations_beside_a_return(server: str, count: int) -> None:
    found = findings(locations("/a", "@named", "/b", server=server), "NGX905")
    assert len(found) == count
    assert all("(2 locations in all)" in one.message for one in found)


def test_ten_thousand_locations_and_servers_are_judged() -> None:
    """Each regex is below a prefix with ^~, and port 80 has no default server. Anything quadratic
    would take minutes here."""
    many = [f"/p{number}" for number in range(5000)] + [f"^~ /c{n}/" for n in range(4600)]
    many += [f"~ ^/c{number}/x" for number in range(390)]
    names = [f"listen 80; server_name a{number};" for number in range(5000)]
    assert len(findings(locations(*many), "NGX905")) == 390
    assert len(findings(servers(*names), "NGX903")) == 0
    assert len(findings(servers(*names), "NGX904")) == 1
