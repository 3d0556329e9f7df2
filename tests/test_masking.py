"""No report shows a password, a key or a token, whatever the format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gwlint.report.formats import FORMATS
from gwlint.report.masking import shown_data
from gwlint.source import Source

SECRET = "hunter2-0c9d"

HAPROXY = f"""\
global
    setenv APP_TOKEN {SECRET} # the same: password {SECRET}
    stats socket /run/haproxy.sock level admin password {SECRET}
userlist staff
    user ann password {SECRET}
    user bob insecure-password {SECRET}
frontend web
    bind :80
    stats auth ann:{SECRET}
    default_backend app
    http-request set-header Authorization Basic\\ {SECRET}
    http-request set-header X-Api-Key {SECRET}
    http-request redirect location /x?token={SECRET}&y=1
backend app
    option httpchk GET /check?key={SECRET}
    http-check send hdr Authorization "Bearer {SECRET}" password "{SECRET}" bdoy x
    server one 127.0.0.1:3000 # http://ann:{SECRET}@127.0.0.1/
    timeout server 30 secret "{SECRET}
"""

NGINX = f"""\
events {{}}
http {{
    server {{
        listen 80 password {SECRET};
        secure_link_secret {SECRET};
        set $api_key "{SECRET}" x;
        location / {{
            proxy_set_header Authorization "Basic {SECRET}" x;
            proxy_set_header X-Auth-Token '{SECRET}' x;
            proxy_pass http://ann:{SECRET}@127.0.0.1:3000/ x;
            proxy_pass http://127.0.0.1:99999/?access_token={SECRET};
            proxy_read_timeout 1s; # apikey {SECRET}
        }}
    }}
}}
"""


@pytest.mark.parametrize("name", ["haproxy.cfg", "nginx.conf"])
@pytest.mark.parametrize("format_name", FORMATS)
def test_no_format_shows_a_secret(
    format_name: str, name: str, tmp_path: Path, gwlint: Callable[..., Any]
) -> None:
    (tmp_path / name).write_text(HAPROXY if name == "haproxy.cfg" else NGINX)
    run = gwlint("check", "--profile", "strict", "--format", format_name, name)
    assert name in run.text
    assert SECRET not in run.text + run.stderr


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("stats auth ann:s3cret", "stats auth ann:******"),
        ("user ann password $6$abc.", "user ann password *******"),
        ('set $token "a b";', 'set $token "***";'),
        ("set $token $http_token;", "set $token $http_token;"),
        ("# password: see the wiki", "# password: see the wiki"),
        ("proxy_pass http://u:pw@h/;", "proxy_pass http://u:**@h/;"),
        ("proxy_pass http://h:80/a@b;", "proxy_pass http://h:80/a@b;"),
        ("return 301 /?key=abc&b=c;", "return 301 /?key=***&b=c;"),
        ("ssl_password_file /etc/keys;", "ssl_password_file /etc/keys;"),
        ("http-request auth realm token", "http-request auth realm token"),
    ],
)
def test_what_is_masked_in_a_line(line: str, shown: str) -> None:
    source = Source("x", line.encode())
    assert shown_data(source).decode() == shown
    assert len(shown_data(source)) == len(source.data)


HIDDEN = (
    "http-request set-header authorization {}",
    "http-request set-header Proxy-Authorization {}",
    "http-request set-header X-Api-Key \"a\"'{}'",
    "http-request set-header X-Api-Key a\\ {}",
    "http-request set-header Authorization %[str({})]",
    "http-request set-var(txn.token) str({})",
    "http-request redirect location https://h/?a=1&client_secret={}",
    "http-check send meth GET hdr X-Auth {}",
    "acl ok req.hdr(Authorization) -m str {}",
    "acl ok hdr(x-api-key) {}",
    "http-request deny unless {{ req.hdr(X-Token) -m str {} }}",
    "option httpchk GET /h HTTP/1.1\\r\\nAuthorization:\\ {}",
    'tcp-check send "AUTH {}\\r\\n"',
    "tcp-check send AUTH\\ {}\\r\\n",
    "setenv MYSQL_PWD {}",
    "presetenv DB_PASS {}",
    "dynamic-cookie-key {}",
    "stats auth 'ann:{} x y'",
    'stats auth "an n":{}',
    'user ann insecure-password "{} and more"',
    "user ann insecure-password {}\\ {}",
    'user ann password "a"{}',
    'proxy_set_header Authorization "{}";',
    "proxy_set_header Cookie session={};",
    'add_header Set-Cookie "sid={}; Path=/";',
    "proxy_set_header\n    X-Api-Key\n    {};",
    "env API_KEY={};",
    "fastcgi_param DB_PASSWORD {};",
    'secure_link_md5 "$secure_link_expires$uri {}";',
    "proxy_pass https://{}@127.0.0.1/;",
    'if ($http_x_api_key != "{}") {{ return 403; }}',
    'map $http_authorization $ok {{ default 0; "{}" 1; }}',
    'map $http_x_api_key $ok {{\n    default 0;\n    "{}" 1;\n}}',
    "# password={}",
    "# API_KEY = {}",
    "# pass: {}",
)


@pytest.mark.parametrize("line", HIDDEN)
def test_a_secret_is_masked_however_it_is_written(line: str) -> None:
    text = line.format(*[SECRET] * line.count("{}"))
    shown = shown_data(Source("x", text.encode())).decode()
    assert SECRET not in shown
    assert len(shown) == len(text)
    assert shown.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fw",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "glpat-0123456789abcdefghij",
        "xoxb-123456789012-abcdefghijkl",
        "MIIEowIBAAKCAQEA\n# 0123456789abcdef",
    ],
)
def test_a_secret_is_known_by_its_shape(secret: str) -> None:
    text = f"# x {secret}\n"
    if secret.startswith("MII"):
        text = f"# -----BEGIN RSA PRIVATE KEY-----\n# {secret}\n# -----END RSA PRIVATE KEY-----\n"
    shown = shown_data(Source("x", text.encode())).decode()
    assert not any(part in shown for part in secret.split("\n"))
    assert len(shown) == len(text)


@pytest.mark.parametrize(
    "line",
    [
        "limit_req_zone $binary_remote_addr zone=one:10m rate=1r/s;",
        "limit_req_zone $http_authorization zone=token:10m rate=1r/s;",
        'proxy_cache_key "$scheme$request_method$host$request_uri";',
        "location /reset-password { proxy_pass http://auth; }",
        "upstream password { server 10.0.0.1; }",
        "server token1 10.0.0.1:80 check",
        "acl has_token hdr(x-token) -m found",
        "use_backend token if has_token",
        "stick on req.cook(token)",
        "capture request header Authorization len 20",
        "http-request set-header Authorization %[var(txn.x)]",
        "http-request track-sc0 req.hdr(x-api-key) table st_src1",
        "proxy_set_header Authorization $http_authorization;",
        'proxy_set_header Authorization "Bearer $token";',
        'proxy_set_header Authorization "";',
        "proxy_cookie_flags token secure httponly;",
        "auth_request_set $token $upstream_http_x_token;",
        "server_tokens off;",
        "if ($cookie_token) { return 403; }",
        "hash $http_x_token consistent;",
        "ssl_certificate_key /etc/ssl/key1.pem;",
        'return 200 "token invalid";',
        "# see the password policy",
        "# token bucket",
    ],
)
def test_what_is_no_secret_stays_readable(line: str) -> None:
    assert shown_data(Source("x", line.encode())).decode() == line


def test_what_a_server_says_of_a_file_is_shown_without_its_secrets(
    tmp_path: Path, gwlint: Callable[..., Any]
) -> None:
    """nginx and HAProxy quote the words that they refuse."""
    (tmp_path / "nginx.conf").write_text(
        "events {}\nhttp {\n    server {\n        # gwlint: ignore[NGX401]\n        location / {\n"
        f"            proxy_set_header X-Api-Key {SECRET} {SECRET};\n"
        f"            proxy_pass htp://ann:{SECRET}@127.0.0.1;\n        }}\n    }}\n}}\n"
    )
    run = gwlint("fix", "nginx.conf")
    assert run.text.startswith("--- ")
    assert SECRET not in run.stderr
