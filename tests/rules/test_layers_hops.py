"""Where two configurations meet, and what the rules say of the place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from support import findings, fixed

FILES = dict[str, str]


def haproxy(server: str = "", more: str = "", bind: str = ":80", top: str = "") -> str:
    return (
        f"{top}defaults\n    mode http\n    timeout connect 5s\n    timeout client 30s\n"
        f"    timeout server 120s\n\nfrontend www\n    bind {bind}\n    default_backend inner\n\n"
        f"backend inner\n{more}    server one 127.0.0.1:8080{server}\n"
    )


def nginx(listen: str = "127.0.0.1:8080", location: str = "return 200;", server: str = "") -> str:
    return (
        "events {}\nhttp {\n    server {\n"
        f"        listen {listen};\n        {server}\n        location / {{ {location} }}\n"
        "    }\n}\n"
    )


def both(front: str, back: str) -> FILES:
    return {"haproxy.cfg": front, "nginx.conf": back}


def paths(files: FILES, code: str) -> list[str]:
    return [one.path for one in findings(files, code)]


# Where two configurations meet


@pytest.mark.parametrize(
    "listen", ["127.0.0.1:8080", "8080", "*:8080", "0.0.0.0:8080", "8080; listen [::]:8080"]
)
def test_a_server_on_this_machine_meets_each_listen_that_takes_it(listen: str) -> None:
    files = both(haproxy(" send-proxy"), nginx(listen))
    assert len(findings(files, "GTW601")) == 1


@pytest.mark.parametrize("listen", ["127.0.0.2:8080", "10.0.0.1:8080", "127.0.0.1:8081"])
def test_another_address_is_not_met(listen: str) -> None:
    assert not findings(both(haproxy(" send-proxy"), nginx(listen)), "GTW601")


def test_the_name_localhost_meets_the_address() -> None:
    front = haproxy(" send-proxy").replace("127.0.0.1:8080", "localhost:8080")
    assert len(findings(both(front, nginx()), "GTW601")) == 1


def test_a_socket_path_meets_the_same_path() -> None:
    front = haproxy(" send-proxy").replace("127.0.0.1:8080", "unix@/run/www.sock")
    assert len(findings(both(front, nginx("unix:/run/www.sock")), "GTW601")) == 1
    assert not findings(both(front, nginx("unix:/run/other.sock")), "GTW601")


def test_two_gateways_on_one_port_are_files_to_choose_from() -> None:
    """The nginx listens on port 80 itself: one machine cannot run both."""
    beside = nginx("127.0.0.1:8080; listen 80")
    assert not findings(both(haproxy(" send-proxy"), beside), "GTW601")
    assert len(findings(both(haproxy(" send-proxy", bind=":443"), beside), "GTW601")) == 1


def test_a_listen_of_this_address_comes_before_one_of_all() -> None:
    back = nginx("127.0.0.1:8080").replace(
        "http {\n", "http {\n    server { listen 8080 proxy_protocol; return 204; }\n"
    )
    assert not findings(both(haproxy(), back), "GTW601")
    assert len(findings(both(haproxy(" send-proxy"), back), "GTW601")) == 1


def test_what_one_server_says_holds_for_the_socket() -> None:
    """nginx takes proxy_protocol and ssl for all servers that share an address."""
    back = nginx().replace(
        "http {\n",
        "http {\n    server { listen 127.0.0.1:8080 proxy_protocol; return 204; }\n",
    )
    assert findings(both(haproxy(), back), "GTW601")
    assert not findings(both(haproxy(" send-proxy"), back), "GTW601")


# GTW601


def test_the_word_goes_and_the_check_of_it_too() -> None:
    files = both(haproxy(" check send-proxy-v2 check-send-proxy inter 2s"), nginx())
    (found,) = findings(files, "GTW601")
    assert found.span.text == "send-proxy-v2"
    assert found.related[0].span.path == "nginx.conf"
    after = fixed(files, "GTW601")["haproxy.cfg"]
    assert "server one 127.0.0.1:8080 check inter 2s\n" in after


def test_an_inherited_word_is_denied_on_the_line() -> None:
    more = "    default-server send-proxy check\n"
    after = fixed(both(haproxy(more=more), nginx()), "GTW601")["haproxy.cfg"]
    assert "server one 127.0.0.1:8080 no-send-proxy\n" in after


def test_a_missing_header_is_sent() -> None:
    files = both(haproxy(" check"), nginx("127.0.0.1:8080 proxy_protocol"))
    after = fixed(files, "GTW601")["haproxy.cfg"]
    assert "server one 127.0.0.1:8080 check send-proxy\n" in after


def test_nginx_cannot_send_the_header_for_http() -> None:
    outer = nginx("80", "proxy_pass http://127.0.0.1:81;")
    inner = haproxy(bind="127.0.0.1:81 accept-proxy")
    (found,) = findings(both(inner, outer), "GTW601")
    assert (found.path, found.fix) == ("nginx.conf", None)


@pytest.mark.parametrize(
    ("front", "back"),
    [
        # A TCP proxy passes on what its clients send.
        (haproxy().replace("mode http", "mode tcp"), nginx("127.0.0.1:8080 proxy_protocol")),
        (haproxy(" send-proxy").replace("    server", "    .if feature(X)\n    server")
         + "    .endif\n", nginx()),
        (haproxy(' "${PROXY}"'), nginx("127.0.0.1:8080 proxy_protocol")),
        (haproxy(" send-proxy disabled"), nginx()),
        (haproxy(" send-proxy"), nginx(server="include /etc/nginx/listen.conf;")),
    ],
)  # fmt: skip
def test_proxy_headers_that_are_not_certain(front: str, back: str) -> None:
    assert not findings(both(front, back), "GTW601")


def test_a_tcp_proxy_behind_passes_the_header_on() -> None:
    back = (
        "events {}\nstream {\n    server {\n        listen 127.0.0.1:8080;\n"
        "        proxy_pass 10.0.0.1:80;\n    }\n}\n"
    )
    assert not findings(both(haproxy(" send-proxy"), back), "GTW601")


# GTW602


CERTIFICATE = "ssl_certificate /etc/nginx/a.pem; ssl_certificate_key /etc/nginx/a.key;"


def test_tls_goes_with_all_that_belongs_to_it() -> None:
    files = both(haproxy(" ssl verify required ca-file /etc/ca.pem sni str(a.b) check"), nginx())
    (found,) = findings(files, "GTW602")
    assert found.span.text == "ssl"
    after = fixed(files, "GTW602")["haproxy.cfg"]
    assert "server one 127.0.0.1:8080 check\n" in after


def test_the_scheme_of_nginx_is_written() -> None:
    outer = nginx("80", "proxy_pass http://127.0.0.1:81/app/;")
    inner = haproxy(bind="127.0.0.1:81 ssl crt /etc/haproxy/a.pem")
    files = both(inner, outer)
    (found,) = findings(files, "GTW602")
    assert [label.span.path for label in found.related] == ["haproxy.cfg"]
    assert "proxy_pass https://127.0.0.1:81/app/;" in fixed(files, "GTW602")["nginx.conf"]


def test_tls_through_a_tcp_proxy_is_for_the_one_behind() -> None:
    back = (
        "events {}\nstream {\n    server {\n        listen 127.0.0.1:8080;\n"
        "        proxy_pass 10.0.0.1:443;\n    }\n}\n"
    )
    assert not findings(both(haproxy(" ssl verify none"), back), "GTW602")


def test_a_tcp_proxy_in_front_may_carry_tls() -> None:
    front = haproxy().replace("mode http", "mode tcp")
    back = nginx("127.0.0.1:8080 ssl", server=CERTIFICATE)
    assert not findings(both(front, back), "GTW602")
    assert findings(both(haproxy(), back), "GTW602")


# GTW603


def test_plain_http2_of_nginx_depends_on_its_version() -> None:
    files = both(haproxy(), nginx("127.0.0.1:8080 http2"))
    assert not findings(files, "GTW603")
    old = {**files, "gwlint.yaml": "target: {nginx: '1.22'}\n"}
    (found,) = findings(old, "GTW603")
    assert "HTTP/1" in found.message
    assert "server one 127.0.0.1:8080 proto h2\n" in fixed(old, "GTW603")["haproxy.cfg"]
    new = {**files, "gwlint.yaml": "target: {nginx: '1.25.1'}\n"}
    assert not findings(new, "GTW603")


def test_http2_on_the_server_is_understood() -> None:
    files = both(haproxy(" proto h2"), nginx(server="http2 on;"))
    assert not findings(files, "GTW603")
    (found,) = findings(both(haproxy(" proto h2"), nginx()), "GTW603")
    assert (found.span.text, found.fix) == ("proto", None)


def test_tls_may_settle_the_version() -> None:
    back = nginx("127.0.0.1:8080 ssl", server=CERTIFICATE)
    assert not findings(both(haproxy(" ssl verify none alpn h2,http/1.1"), back), "GTW603")


# GTW302


TWO = "upstream app { server 10.0.0.1:80; server 10.0.0.2:80; }\n    server {"
RETRY = "    retry-on all-retryable-errors\n"


def repeating(location: str = "") -> str:
    return nginx(location=f"proxy_pass http://app; {location}").replace("server {", TWO, 1)


def test_retries_multiply() -> None:
    (found,) = findings(both(haproxy(more=RETRY), repeating()), "GTW302")
    assert "4 times" in found.message
    assert "8 times" in found.message
    after = fixed(both(haproxy(more=RETRY), repeating()), "GTW302")["haproxy.cfg"]
    assert "    retry-on conn-failure\n" in after


def test_inherited_retries_are_set_in_the_backend() -> None:
    top = "defaults\n    mode http\n    timeout connect 5s\n" + RETRY
    front = haproxy().replace("defaults\n    mode http\n    timeout connect 5s\n", top)
    files = both(front, repeating())
    (found,) = findings(files, "GTW302")
    assert found.related[1].span.text == "retry-on all-retryable-errors"
    after = fixed(files, "GTW302")["haproxy.cfg"]
    assert after.endswith("    server one 127.0.0.1:8080\n    retry-on conn-failure\n")
    assert RETRY in after


@pytest.mark.parametrize(
    ("front", "back"),
    [
        (haproxy(more=RETRY + "    retries 0\n"), repeating()),
        (haproxy(more=RETRY + "    http-request disable-l7-retry if METH_POST\n"), repeating()),
        (haproxy(more=RETRY), repeating("proxy_next_upstream_tries 1;")),
        (haproxy(more=RETRY), repeating("proxy_next_upstream error;")),
        (haproxy(more=RETRY), nginx(location="proxy_pass http://10.0.0.1:80;")),
    ],
)
def test_retries_on_one_side_only(front: str, back: str) -> None:
    assert not findings(both(front, back), "GTW302")


def test_the_default_of_an_nginx_outside_is_nobodys_choice() -> None:
    pool = "upstream edge { server 127.0.0.1:81; server 10.9.9.9:81; }\n    server {"
    inner = repeating().replace("127.0.0.1:8080", "127.0.0.1:81")

    def files(setting: str) -> FILES:
        outer = nginx("80", f"proxy_pass http://edge; {setting}").replace("server {", pool, 1)
        return {"edge/nginx.conf": outer, "app/nginx.conf": inner}

    assert not findings(files(""), "GTW302")
    written = files("proxy_next_upstream error timeout http_504;")
    assert paths(written, "GTW302") == ["edge/nginx.conf"]
    assert "proxy_next_upstream error;" in fixed(written, "GTW302")["edge/nginx.conf"]


# GTW401 between two proxies


def test_haproxy_closes_before_nginx_does() -> None:
    files = both(haproxy(), nginx(server="keepalive_timeout 3s;"))
    (found,) = findings(files, "GTW401")
    assert "after 3 s" in found.message
    assert "5 s" in found.message
    after = fixed(files, "GTW401")["haproxy.cfg"]
    assert "server one 127.0.0.1:8080 pool-purge-delay 1000ms\n" in after


@pytest.mark.parametrize(
    ("front", "back"),
    [
        (haproxy(), nginx()),
        (haproxy(), nginx(server="keepalive_timeout 0;")),
        (haproxy(more="    option http-server-close\n"), nginx(server="keepalive_timeout 3s;")),
        (haproxy(" pool-max-conn 0"), nginx(server="keepalive_timeout 3s;")),
        # The connection of each client lives as long as the client's own.
        (haproxy(more="    http-reuse never\n"), nginx(server="keepalive_timeout 3s;")),
        (haproxy(), nginx(server="keepalive_timeout 3s; include /etc/nginx/missing.conf;").replace(
            "keepalive_timeout 3s; ", "")),
    ],
)  # fmt: skip
def test_no_idle_connection_is_lost(front: str, back: str) -> None:
    assert not findings(both(front, back), "GTW401")


def test_nginx_outside_closes_before_haproxy_does() -> None:
    pool = "upstream edge { server 127.0.0.1:81; keepalive 8; }\n    server {"
    route = 'proxy_pass http://edge; proxy_http_version 1.1; proxy_set_header Connection "";'
    outer = nginx("80", route).replace("server {", pool, 1)
    inner = haproxy(bind="127.0.0.1:81", more="    timeout http-keep-alive 1s\n")
    inner = inner.replace("frontend www\n", "frontend www\n    timeout http-keep-alive 10s\n")
    files = both(inner, outer)
    (found,) = findings(files, "GTW401")
    assert "10 s" in found.message
    assert "60 s" in found.message
    after = fixed(files, "GTW401")["nginx.conf"]
    assert "keepalive 8; keepalive_timeout 9s; }" in after


# GTW201 and GTW202 between two proxies


LARGE = "proxy_pass http://10.0.0.1:80; proxy_buffer_size 32k; proxy_buffers 8 32k;"


def test_more_room_inside_than_outside() -> None:
    files = both(haproxy(top="global\n    maxconn 100\n\n"), nginx(location=LARGE))
    (found,) = findings(files, "GTW201")
    assert "32k" in found.message
    assert "15k" in found.message
    after = fixed(files, "GTW201")["haproxy.cfg"]
    assert "    maxconn 100\n    tune.bufsize 33792\n" in after


def test_defaults_on_both_sides_are_no_inversion() -> None:
    back = nginx("80", "proxy_pass http://127.0.0.1:81;")
    inner = haproxy(bind="127.0.0.1:81", top="global\n    tune.bufsize 16384\n\n")
    assert not findings(both(inner, back), "GTW201")
    larger = inner.replace("16384", "65536")
    assert paths(both(larger, back), "GTW201") == ["nginx.conf"]


def test_a_smaller_body_limit_behind() -> None:
    outer = nginx("80", "proxy_pass http://127.0.0.1:81;", server="client_max_body_size 50m;")
    inner = nginx("127.0.0.1:81", "proxy_pass http://10.0.0.1:80;")
    files = {"edge/nginx.conf": outer, "app/nginx.conf": inner}
    (found,) = findings(files, "GTW202")
    assert "50m" in found.message
    assert "1m" in found.message
    after = fixed(files, "GTW202")["edge/nginx.conf"]
    assert "location / { proxy_pass http://127.0.0.1:81; client_max_body_size 1m; }" in after
    roomy = inner.replace("location / {", "location /up/ { client_max_body_size 0; "
                          "proxy_pass http://10.0.0.1:80; }\n location / {")  # fmt: skip
    assert not findings({"edge/nginx.conf": outer, "app/nginx.conf": roomy}, "GTW202")
