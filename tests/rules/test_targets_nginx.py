"""NGX103 to NGX118, the rules on where requests go, beyond their examples."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gwlint.rule import Severity

sys.path.insert(0, str(Path(__file__).parent))
from nginx_accepts import accepts
from support import findings, fixed, fixed_text


def conf(location: str, *, http: str = "", server: str = "listen unix:test.sock;") -> str:
    """A main file with one location: `location` is its header and block."""
    return f"events {{}}\nhttp {{\n{http}\nserver {{\n{server}\n{location}\n}}\n}}\n"


def found(text: str, code: str, target: str | None = None) -> list[str]:
    return [one.span.text for one in findings(text, code, target)]


def fragment(location: str) -> dict[str, str]:
    return {"nginx/conf.d/site.conf": f"server {{\n    listen 80;\n    {location}\n}}\n"}


# NGX103

LOOPS = {
    "the default port": ("", "location / { proxy_pass http://localhost; }"),
    "its own address": ("listen 10.0.0.1:80;", "location / { proxy_pass http://10.0.0.1; }"),
    "all addresses": ("listen *:81;", "location / { proxy_pass http://127.0.0.1:81; }"),
    "six": ("listen [::]:81;", "location / { proxy_pass http://[::1]:81; }"),
    "the same path": ("listen 81;", "location /a/ { proxy_pass http://127.0.0.1:81/a/; }"),
    "a pattern": ("listen 81;", "location ~ x { proxy_pass http://127.0.0.1:81; }"),
    "ssl on": ("listen 81; ssl on;", "location / { proxy_pass https://127.0.0.1:81; }"),
    "tls": ("listen 81 ssl;", "location / { proxy_pass https://127.0.0.1:81; }"),
}


@pytest.mark.parametrize(("server", "location"), LOOPS.values(), ids=LOOPS)
def test_the_way_leads_back(server: str, location: str) -> None:
    assert len(findings(conf(location, server=server), "NGX103")) == 1


NO_LOOPS = {
    "another port": ("listen 81;", "location / { proxy_pass http://127.0.0.1:82; }"),
    "another machine": ("listen 81;", "location / { proxy_pass http://10.0.0.1:81; }"),
    "another path": ("listen 81;", "location /a/ { proxy_pass http://127.0.0.1:81/; }"),
    "another family": ("listen 81;", "location / { proxy_pass http://[::1]:81; }"),
    "tls to plain text": ("listen 81;", "location / { proxy_pass https://127.0.0.1:81; }"),
    "the PROXY protocol": (
        "listen 81 proxy_protocol;",
        "location / { proxy_pass http://127.0.0.1:81; }",
    ),
    "internal": ("listen 81;", "location / { internal; proxy_pass http://127.0.0.1:81; }"),
    "a condition": (
        "listen 81; if ($http_x) { return 200; }",
        "location / { proxy_pass http://127.0.0.1:81; }",
    ),
    "a named location": ("listen 81;", "location @a { proxy_pass http://127.0.0.1:81; }"),
    "another server there": (
        "listen 81; server_name a; } server { listen 127.0.0.1:81; } server { listen 9;",
        "location / { proxy_pass http://127.0.0.1:81; }",
    ),
    "an unread file": (
        "listen 81; include /etc/elsewhere/*.conf;",
        "location / { proxy_pass http://127.0.0.1:81; }",
    ),
}


@pytest.mark.parametrize(("server", "location"), NO_LOOPS.values(), ids=NO_LOOPS)
def test_the_way_may_lead_elsewhere(server: str, location: str) -> None:
    assert findings(conf(location, server=server), "NGX103") == []


def test_the_name_decides_where_servers_share_a_port() -> None:
    shared = "server { listen 81; server_name other; }"
    text = conf(
        "location / { HOST proxy_pass http://127.0.0.1:81; }", http=shared, server="listen 81;"
    )
    kept = text.replace("HOST", "proxy_set_header Host $host;")
    assert len(findings(kept, "NGX103")) == 1
    assert findings(text.replace("HOST", ""), "NGX103") == []
    assert findings(text.replace("HOST", "proxy_set_header Host other;"), "NGX103") == []


def test_one_server_elsewhere_ends_the_loop() -> None:
    pool = "upstream a { server 127.0.0.1:81; server 127.0.0.1:82; }"
    text = conf("location / { proxy_pass http://a; }", http=pool, server="listen 81;")
    assert findings(text, "NGX103") == []
    assert len(findings(text.replace("server 127.0.0.1:82", "server 10.0.0.1 down"), "NGX103")) == 1
    assert findings(fragment("location / { proxy_pass http://127.0.0.1; }"), "NGX103") == []


# NGX105


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("proxy_pass http://10.0.0.1:443;", "proxy_pass https://10.0.0.1:443;"),
        ('proxy_pass "http://10.0.0.1:8443/a";', 'proxy_pass "https://10.0.0.1:8443/a";'),
        ("proxy_pass https://localhost:8080/;", "proxy_pass http://localhost:8080/;"),
        ("grpc_pass grpc://10.0.0.1:443;", "grpc_pass grpcs://10.0.0.1:443;"),
    ],
)
def test_the_scheme_follows_the_port(before: str, after: str) -> None:
    text = conf(f"location / {{ {before} }}")
    assert fixed_text(text, "NGX105") == text.replace(before, after)


@pytest.mark.parametrize(
    "location",
    ["proxy_pass https://10.0.0.1:80;", "grpc_pass 10.0.0.1:443;"],
)
def test_no_scheme_is_guessed(location: str) -> None:
    (one,) = findings(conf(f"location / {{ {location} }}"), "NGX105")
    assert one.fix is None


@pytest.mark.parametrize(
    "location",
    [
        "proxy_pass http://10.0.0.1:80;",
        "proxy_pass https://10.0.0.1:443;",
        "proxy_pass http://10.0.0.1;",
        "proxy_pass https://10.0.0.1;",
        "proxy_pass http://10.0.0.1:4430;",
        "proxy_pass $scheme://10.0.0.1:443;",
        "fastcgi_pass 10.0.0.1:443;",
        "proxy_pass http://unix:/run/443:;",
    ],
)
def test_scheme_and_port_agree(location: str) -> None:
    assert findings(conf(f"location / {{ {location} }}"), "NGX105") == []


def test_a_plain_listen_on_8443_is_known() -> None:
    here = "server { listen 127.0.0.1:8443; }"
    text = conf("location / { proxy_pass http://127.0.0.1:8443; }", http=here)
    assert findings(text, "NGX105") == []
    assert len(findings(text.replace("8443; }\nserver", "8443 ssl; }\nserver"), "NGX105")) == 1


def test_all_passes_to_an_upstream_change_together() -> None:
    pool = "upstream a { server 10.0.0.1:443; }"
    text = conf(
        "location / { proxy_pass http://a; } location /b { proxy_pass http://a/b; }", http=pool
    )
    assert fixed_text(text, "NGX105") == text.replace("http://a", "https://a")
    mixed = text.replace("443;", "443; server 10.0.0.2:3000;")
    (one,) = findings(mixed, "NGX105")
    assert one.fix is None


# NGX107


def test_names_that_move_are_warnings() -> None:
    names = {
        "web": Severity.INFO,
        "coredns.default.svc.cluster.local": Severity.INFO,
        "db-0.db.default.svc.cluster.local": Severity.WARNING,
        "x-1.eu-west-1.elb.amazonaws.com": Severity.WARNING,
        "x.elb.eu-west-1.amazonaws.com": Severity.WARNING,
        "tasks.web": Severity.WARNING,
        "web.service.dc1.consul": Severity.WARNING,
        "app.azurewebsites.net": Severity.WARNING,
    }
    for name, severity in names.items():
        (one,) = findings(conf(f"location / {{ proxy_pass http://{name}:3000; }}"), "NGX107")
        assert (one.span.text, one.severity) == (name, severity)


@pytest.mark.parametrize(
    "location",
    [
        "proxy_pass http://10.0.0.1;",
        "proxy_pass http://localhost:3000;",
        "proxy_pass http://unix:/run/app.sock;",
        "proxy_pass http://$host;",
        "proxy_pass http://app.internal$request_uri;",
        "proxy_pass http://app.example.com;",
    ],
)
def test_nothing_is_looked_up_at_start(location: str) -> None:
    assert findings(conf(f"location / {{ {location} }}"), "NGX107") == []


def test_a_name_may_be_an_upstream_elsewhere() -> None:
    assert findings(fragment("location / { proxy_pass http://app; }"), "NGX107") == []
    assert len(findings(fragment("location / { proxy_pass http://app:3000; }"), "NGX107")) == 1


POOL = "resolver 127.0.0.1;\nupstream a {\n\tleast_conn;\n\tserver app.internal:1; # one\n}"


def test_resolve_comes_with_a_zone(tmp_path: Path) -> None:
    text = conf("location / { proxy_pass http://a; }", http=POOL)
    after = fixed_text(text, "NGX107", "1.31.3")
    assert "\tzone upstream_a 64k;\n\tleast_conn;\n\tserver app.internal:1 resolve; # one" in after
    assert accepts(after, tmp_path, newest=True)


@pytest.mark.parametrize("target", [None, "1.22.1", "1.27.2"])
def test_older_versions_do_not_know_resolve(target: str | None) -> None:
    text = conf("location / { proxy_pass http://a; }", http=POOL)
    (one,) = findings(text, "NGX107", target)
    assert one.fix is None
    assert ("1.27.3" in one.advice) is (target is None)


def test_resolve_needs_a_resolver_for_all_of_http() -> None:
    text = conf("location / { proxy_pass http://a; }", http=POOL.replace("resolver 127.0.0.1;", ""))
    (one,) = findings(text, "NGX107", "1.31.3")
    assert one.fix is None


# NGX108


def test_localhost_is_replaced_where_it_stands(tmp_path: Path) -> None:
    text = conf(
        "location / { proxy_pass http://localhost:3000/localhost; }\n"
        "location /f { fastcgi_pass localhost:9000; }",
        http="upstream a { server LOCALHOST:1 weight=2; }",
    )
    after = fixed_text(text, "NGX108")
    assert "http://127.0.0.1:3000/localhost;" in after
    assert "fastcgi_pass 127.0.0.1:9000;" in after
    assert "server 127.0.0.1:1 weight=2;" in after
    assert accepts(after, tmp_path)


def test_localhost_that_listens_on_both_is_sound() -> None:
    here = "server { listen 3000; listen [::]:3000; }"
    text = conf("location / { proxy_pass http://localhost:3000; }", http=here)
    assert findings(text, "NGX108") == []
    assert found(conf("location / { proxy_pass http://localhost.example; }"), "NGX108") == []


# NGX110


def test_the_repeated_line_goes_with_its_comment() -> None:
    text = conf(
        "location / { proxy_pass http://a; }",
        http="upstream a {\n\tserver 10.0.0.1;\n\tserver 10.0.0.1:80; # again\n}",
    )
    assert fixed_text(text, "NGX110") == text.replace("\tserver 10.0.0.1:80; # again\n", "")


def test_other_parameters_are_for_the_operator_to_decide() -> None:
    (one,) = findings(conf("", http="upstream a { server a:1 weight=2; server A:1; }"), "NGX110")
    assert one.fix is None


@pytest.mark.parametrize(
    "servers",
    [
        "server a:1; server a:2;",
        "server a:1; server a:1 down;",
        "server a:1; server a:1 backup;",
        "server unix:/a; server unix:/b;",
        "server a service=x resolve; server a service=y resolve;",
    ],
)
def test_servers_that_differ(servers: str) -> None:
    assert findings(conf("", http=f"upstream a {{ {servers} }}"), "NGX110") == []


def test_a_list_that_is_included_twice_stays_whole() -> None:
    files = {
        "nginx.conf": "events {}\nhttp { upstream a { include list.inc; include list.inc; } }\n",
        "list.inc": "server 10.0.0.1;\n",
    }
    (one,) = findings(files, "NGX110")
    assert one.fix is None


# NGX111


def test_what_may_use_an_upstream() -> None:
    unused = "upstream a { server 10.0.0.1; }"
    text = conf("location / { USE }", http=unused)
    assert found(text.replace("USE", "return 200;"), "NGX111") == ["a"]
    for use in (
        "proxy_pass http://a;",
        "grpc_pass a;",
        "proxy_pass http://$host;",
        "redis2_pass a;",
        "content_by_lua_block { ngx.exec('@a') }",
        "include /etc/elsewhere/*.conf;",
    ):
        assert found(text.replace("USE", use), "NGX111") == []


def test_pools_of_other_files_are_left_alone() -> None:
    files = {
        "nginx.conf": "events {}\nhttp { include pools.inc; }\n",
        "pools.inc": "upstream a { server 10.0.0.1; }\n",
    }
    assert findings(files, "NGX111") == []


# NGX112


@pytest.mark.parametrize(
    ("host", "severity"),
    [
        ("192.0.2.1", Severity.WARNING),
        ("198.51.100.255:80", Severity.WARNING),
        ("[2001:db8:1::1]:80", Severity.WARNING),
        ("www.example.org", Severity.WARNING),
        ("app.example", Severity.WARNING),
        ("YOUR_SERVER:3000", Severity.WARNING),
        ("your-domain.com", Severity.WARNING),
        ("<hostname>:80", Severity.WARNING),
        ("x.x.x.x", Severity.WARNING),
        ("0.0.0.0:3000", Severity.INFO),
    ],
)
def test_placeholders(host: str, severity: Severity) -> None:
    (one,) = findings(conf(f"location / {{ proxy_pass http://{host}; }}"), "NGX112")
    assert one.severity is severity


@pytest.mark.parametrize(
    "host",
    ["192.0.3.1", "[2001:db9::1]", "example", "counterexample.com", "neighbour", "mayour.internal"],
)
def test_what_only_looks_like_a_placeholder(host: str) -> None:
    assert findings(conf(f"location / {{ proxy_pass http://{host}:3000; }}"), "NGX112") == []


# NGX114


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("location /a { proxy_pass http://h:1/;", "location /a/ { proxy_pass http://h:1/;"),
        ("location ^~ /a{ proxy_pass http://h:1/b/;", "location ^~ /a/{ proxy_pass http://h:1/b/;"),
        ("location /a/ { proxy_pass http://h:1/b;", "location /a/ { proxy_pass http://h:1/b/;"),
        ("location / { proxy_pass http://h:1/b;", "location / { proxy_pass http://h:1/b/;"),
        (
            "location /a { proxy_pass http://unix:/run/a/:/;",
            "location /a/ { proxy_pass http://unix:/run/a/:/;",
        ),
    ],
)
def test_the_slash_is_added(before: str, after: str, tmp_path: Path) -> None:
    text = conf(before + " }").replace("h:1", "127.0.0.1:1")
    result = fixed_text(text, "NGX114")
    assert result == text.replace(before, after).replace(
        before.replace("h:1", "127.0.0.1:1"), after.replace("h:1", "127.0.0.1:1")
    )
    assert accepts(result, tmp_path)


@pytest.mark.parametrize(
    "location",
    [
        "location /a { proxy_pass http://h:1; }",
        "location /a { proxy_pass http://h:1/a; }",
        "location /a/ { proxy_pass http://h:1/; }",
        "location = /a { proxy_pass http://h:1/; }",
        "location /a/ { proxy_pass http://h:1/go?to=; }",
        "location /a { rewrite ^/a(.*) $1 break; proxy_pass http://h:1/; }",
        "location /a { proxy_pass http://h:1/; } location /a/ { proxy_pass http://h:1/; }",
        "location /a { proxy_pass http://h:1/$arg_x/; }",
        "location /a { fastcgi_pass h:1; }",
        "location /img_ { proxy_pass http://h:1/images/; }",
    ],
)
def test_paths_stay_whole(location: str) -> None:
    assert findings(conf(location), "NGX114") == []


# NGX115


@pytest.mark.parametrize(
    ("location", "uri"),
    [
        ("location ~* x { proxy_pass http://127.0.0.1:1/; }", "/"),
        ("location ~x { proxy_pass http://127.0.0.1:1/; }", "/"),
        ("location @a { proxy_pass http://127.0.0.1:1/; }", "/"),
        ("location ~ x { proxy_pass http://unix:/a.sock:/; }", ":/"),
        ('location ~ x { proxy_pass "http://127.0.0.1:1/"; }', "/"),
        ("location / { if ($arg_a) { proxy_pass http://127.0.0.1:1/; } }", "/"),
        ("location / { limit_except GET { proxy_pass http://127.0.0.1:1/; } }", "/"),
    ],
)
def test_the_slash_is_removed(location: str, uri: str, tmp_path: Path) -> None:
    text = conf(location)
    assert not accepts(text, tmp_path)
    assert found(text, "NGX115") == [uri]
    assert accepts(fixed_text(text, "NGX115"), tmp_path)


@pytest.mark.parametrize("uri", ["/v2/", "?a=b", "//"])
def test_a_longer_uri_is_no_slip(uri: str, tmp_path: Path) -> None:
    text = conf(f"location ~ x {{ proxy_pass http://127.0.0.1:1{uri}; }}")
    assert not accepts(text, tmp_path)
    (one,) = findings(text, "NGX115")
    assert one.fix is None


@pytest.mark.parametrize(
    "location",
    [
        "location ~ x { proxy_pass http://127.0.0.1:1; }",
        "location ~ x { proxy_pass http://127.0.0.1:1$uri; }",
        "location ^~ /x { proxy_pass http://127.0.0.1:1/; }",
        "location = /x { proxy_pass http://127.0.0.1:1/y; }",
        "location ~ x { proxy_pass http://unix:/a.sock:; }",
    ],
)
def test_what_nginx_takes(location: str, tmp_path: Path) -> None:
    text = conf(location)
    assert findings(text, "NGX115") == []
    assert accepts(text, tmp_path)


# NGX117

LOOKED_UP = 'location / { set $a "app.internal"; proxy_pass http://$a; }'


def test_the_limit_stands_beside_the_resolver(tmp_path: Path) -> None:
    for server, expected in (
        ("listen 81;\n\tresolver 127.0.0.1; # dns", "# dns\n\tresolver_timeout 10s;"),
        ("listen 81; resolver 127.0.0.1;", "resolver 127.0.0.1; resolver_timeout 10s;"),
    ):
        after = fixed_text(conf(LOOKED_UP, server=server), "NGX117")
        assert expected in after
        assert accepts(after.replace("listen 81", "listen unix:test.sock"), tmp_path)


@pytest.mark.parametrize(
    ("server", "location"),
    [
        ("resolver 127.0.0.1; resolver_timeout 30s;", LOOKED_UP),
        ("resolver 127.0.0.1; include /etc/elsewhere/*.conf;", LOOKED_UP),
        ("resolver 127.0.0.1;", "location / { proxy_pass http://127.0.0.1:1$uri; }"),
        ("resolver 127.0.0.1;", "location / { proxy_pass http://a$request_uri; }"),
        ("resolver 127.0.0.1;", "location / { proxy_pass http://app.internal; }"),
        ("", LOOKED_UP),
    ],
)
def test_nothing_waits_for_the_resolver(server: str, location: str) -> None:
    pool = "upstream a { server 10.0.0.1; }"
    assert findings(conf(location, http=pool, server=server), "NGX117") == []


def test_a_shared_resolver_is_left_where_a_limit_is_set() -> None:
    files = {
        "nginx.conf": "events {}\nhttp {\n"
        + conf(LOOKED_UP, server="include r.inc;").partition("http {\n")[2].rpartition("}")[0]
        + conf(LOOKED_UP, server="include r.inc; resolver_timeout 5s;")
        .partition("http {\n")[2]
        .rpartition("}")[0]
        + "}\n",
        "r.inc": "resolver 127.0.0.1;\n",
    }
    (one,) = findings(files, "NGX117")
    assert one.fix is None


# NGX118


def test_http_beside_grpc_may_be_meant() -> None:
    pool = "upstream a { server 10.0.0.1; }"
    text = conf("location / { proxy_pass http://a; } location /g { OTHER }", http=pool)
    (one,) = findings(text.replace("OTHER", "grpc_pass grpc://a;"), "NGX118")
    assert one.severity is Severity.INFO
    (one,) = findings(text.replace("OTHER", "uwsgi_pass a;"), "NGX118")
    assert one.severity is Severity.WARNING
    assert findings(text.replace("OTHER", "proxy_pass http://a/;"), "NGX118") == []


# Together


def test_all_fixes_compose(tmp_path: Path) -> None:
    text = conf(
        "location /a { proxy_pass http://localhost:443/; }\n"
        "location ~ b { proxy_pass http://localhost:8443/; }\n"
        "location /c { set $c c.internal; proxy_pass http://$c; }\n",
        http="resolver 127.0.0.1;\nupstream p {\n  server p.internal:1;\n  server p.internal:1;\n}",
    )
    texts = {"nginx.conf": text}
    codes = ("NGX105", "NGX107", "NGX108", "NGX110", "NGX114", "NGX115", "NGX117")
    for code in codes:
        texts = fixed(texts, code, "1.31.3")
    for code in codes:
        assert findings(texts, code, "1.31.3") == []
    after = texts["nginx.conf"]
    assert "location /a/ { proxy_pass https://127.0.0.1:443/; }" in after
    assert "location ~ b { proxy_pass https://127.0.0.1:8443; }" in after
    assert accepts(after, tmp_path, newest=True)


def test_many_of_everything_take_no_square_of_time() -> None:
    count = 3000
    pool = "".join(f"upstream u{n} {{ server localhost:{20000 + n}; }}\n" for n in range(count))
    locations = "".join(f"location /l{n} {{ proxy_pass http://u{n}/; }}\n" for n in range(count))
    text = conf(locations, http=pool, server="listen 81;")
    assert len(findings(text, "NGX108")) == count
    assert len(findings(text, "NGX114")) == count
    for code in ("NGX103", "NGX105", "NGX110", "NGX111", "NGX112", "NGX118"):
        assert findings(text, code) == []
