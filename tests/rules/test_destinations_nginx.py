"""NGX106: what a destination with variables can be, and which names need a resolver."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from support import findings

OUTER = """
upstream app { server 127.0.0.1:3000; }
map $host $known { default app; a.example 127.0.0.1:3001; }
map $host $open { default app; ~^(.+)\\.example$ $1; }
split_clients $remote_addr $split { 10% canary:3000; * app; }
"""


def conf(location: str, server: str = "", http: str = OUTER) -> str:
    return (
        f"events {{}}\nhttp {{\n{http}\nserver {{\nlisten 8080;\n{server}\n"
        f"location /x {{\n{location}\n}}\n}}\n}}\n"
    )


# Each outcome was measured on nginx 1.22.1 and 1.31.3: "no resolver defined to resolve ...".
NEEDS = {
    "only the URI is variable": ("proxy_pass http://localhost:3000$request_uri;", "localhost"),
    "an argument is variable": ("proxy_pass http://localhost:3000/x?y=$arg_z;", "localhost"),
    "an upstream with a port": ("proxy_pass http://app:3000$request_uri;", "app"),
    "set": ('set $name "gone.example"; proxy_pass http://$name;', "gone.example"),
    "set to a whole URL": ("set $url http://gone.example:3000/; proxy_pass $url;", "gone.example"),
    "set in two steps": ("set $a gone; set $b $a.example; proxy_pass http://$b;", "gone.example"),
    "an unknown port": ("proxy_pass http://gone.example:$arg_port;", "gone.example"),
    "split_clients": ("proxy_pass http://$split;", "canary"),
    "fastcgi": ("set $f localhost:9000; fastcgi_pass $f;", "localhost"),
    "grpc": ("set $f localhost:9000; grpc_pass grpc://$f;", "localhost"),
    "uwsgi": ("set $f localhost:9000; uwsgi_pass $f;", "localhost"),
    "scgi": ("set $f localhost:9000; scgi_pass $f;", "localhost"),
    "a host name of digits": ("set $x 2130706433; proxy_pass http://$x:3000;", "2130706433"),
    "another port of a literal pass": (
        "proxy_pass http://localhost:3000$uri; location /x/y { proxy_pass http://localhost:3001; }",
        "localhost",
    ),
}


@pytest.mark.parametrize(("location", "name"), NEEDS.values(), ids=NEEDS)
def test_a_name_that_needs_a_resolver(location: str, name: str) -> None:
    (found,) = findings(conf(location), "NGX106")
    assert f'look up "{name}" at run time' in found.message


NEEDS_NONE = {
    "an upstream": "proxy_pass http://app$request_uri;",
    "an upstream in other letters": "set $u http://APP; proxy_pass $u;",
    "an upstream before a query": "proxy_pass http://app$is_args$args;",
    "addresses and upstreams": "proxy_pass http://$known;",
    "a capture may be an upstream": "proxy_pass http://$open;",
    "an IPv6 address": "proxy_pass http://[::1]:3000$uri;",
    "a socket": 'set $x "unix:/run/app.sock:"; proxy_pass http://$x;',
    "the host and port of a literal pass": (
        "proxy_pass http://LocalHost:3000$uri; location /x/y { proxy_pass http://localhost:3000; }"
    ),
    "a resolver": "resolver 127.0.0.53; proxy_pass http://localhost:3000$request_uri;",
    "from the request": "proxy_pass http://$host$request_uri;",
    "a captured name": "location ~ ^/x/(?<name>.+)$ { proxy_pass http://$name; }",
    "from another module": "auth_request_set $name $upstream_http_x; proxy_pass http://$name;",
    "no variable": "proxy_pass http://localhost:3000;",
    "replaced before it is used": "set $x gone.example; set $x app; proxy_pass http://$x;",
    "set outside of an inner location": "set $x gone; location /x/y { proxy_pass http://$x; }",
    "it may break off before": "break; set $x gone.example; proxy_pass http://$x;",
    "memcached takes no variable": 'set $memcached_key "k$uri"; memcached_pass localhost:11211;',
}


@pytest.mark.parametrize("location", NEEDS_NONE.values(), ids=NEEDS_NONE)
def test_what_needs_none_or_is_not_known(location: str) -> None:
    assert not findings(conf(location), "NGX106")


def test_the_server_sets_and_the_location_replaces() -> None:
    text = conf("proxy_pass http://$name;", server="set $name gone.example;")
    assert findings(text, "NGX106")
    assert not findings(text.replace("proxy_pass", "set $name app; proxy_pass"), "NGX106")
    branch = text.replace("proxy_pass", "if ($arg_a) { set $name app; } proxy_pass")
    assert findings(branch, "NGX106")


def test_another_location_may_have_set_it() -> None:
    other = "set $name gone.example;\nlocation /y { set $name app; rewrite ^ /x last; }"
    assert not findings(conf("proxy_pass http://$name;", server=other), "NGX106")


def test_a_port_behind_an_upstream_is_pointed_out() -> None:
    (found,) = findings(conf("proxy_pass http://app:80$request_uri;"), "NGX106")
    assert "leave out the port :80" in found.advice
    assert [label.span.text for label in found.related] == ["upstream app"]


@pytest.mark.parametrize("unread", ["include /elsewhere/*.conf;", "include /elsewhere/names.conf;"])
def test_what_was_not_read_may_hold_the_resolver_or_the_upstream(unread: str) -> None:
    faulty = "proxy_pass http://localhost:3000$request_uri;"
    assert not findings(conf(faulty, http=unread), "NGX106")
    assert not findings(conf(faulty, server=unread), "NGX106")
    fragment = f"server {{\nlisten 80;\nlocation / {{\n{faulty}\n}}\n}}\n"
    assert not findings({"conf.d/site.conf": fragment}, "NGX106")


def test_code_of_another_language_may_write_the_variable() -> None:
    lua = (
        "set $name gone.example; access_by_lua_block { ngx.var.name = 1 } proxy_pass http://$name;"
    )
    assert not findings(conf(lua), "NGX106")


def test_stream_looks_up_names_as_well() -> None:
    text = (
        "events {}\nstream {\nupstream app { server 127.0.0.1:3000; }\n"
        "map $remote_port $pool { default app; 1 gone.example:3000; }\n"
        "server {\nlisten 3306;\nproxy_pass $pool;\n}\n}\n"
    )
    (found,) = findings(text, "NGX106")
    assert "closed connection" in found.message
    assert not findings(text.replace("gone.example:3000", "127.0.0.1:3000"), "NGX106")


def test_variables_that_hold_each_other_come_to_an_end() -> None:
    text = conf('set $a "$b"; set $b "$a"; proxy_pass http://$a;')
    assert not findings(text, "NGX106")
    maps = "".join(
        f"map $host $m{number} {{ default $m{number + 1}$m{number + 1}; a $m{number + 1}; }}\n"
        for number in range(40)
    )
    assert not findings(conf("proxy_pass http://$m0;", http=maps), "NGX106")


def test_many_locations_take_linear_time() -> None:
    blocks = "".join(
        f"location /{number} {{ set $n{number} gone; proxy_pass http://$n{number}; }}\n"
        for number in range(5000)
    )
    assert len(findings(conf("return 200;", server=blocks), "NGX106")) == 5000
