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
