"""Faults of HAProxy files that stand beside the main case of a rule, and what is no fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from haproxy_judge import judges
from support import findings, fixed_text

from gwlint.rule import Severity

E, W, I = Severity.ERROR, Severity.WARNING, Severity.INFO  # noqa: E741


def http(front: str = "", back: str = "", server: str = "", after: str = "", top: str = "") -> str:
    """A frontend and a backend of mode http; `top` stands at the end of global."""
    return f"""\
global
    maxconn 100
    {top}
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend web
    bind 127.0.0.1:18080
    {front}
    default_backend app
backend app
    {back}
    server s1 127.0.0.1:1 {server}
{after}"""


def tcp(front: str = "", server: str = "") -> str:
    return http(front, "", server).replace("mode http", "mode tcp")


def severities(text: str, code: str, target: str | None = None) -> list[Severity]:
    return [found.severity for found in findings(text, code, target)]


# HAP004


@pytest.mark.parametrize(
    "text",
    [
        http("bind 127.0.0.1:18443 ssl"),
        http("bind 127.0.0.1:18443 ssl verify none"),
        http("bind 127.0.0.1:18443 ssl strict-sni"),
        http("bind 127.0.0.1:18443 ssl generate-certificates"),
        http(server="agent-check"),
        http(server="agent-check agent-addr 127.0.0.1"),
        http(server="agent-check agent-port 9"),
        http(server="agent-check port 9"),
        http(back="default-server agent-check"),
        http(back="default-server agent-check", server="no-agent-check"),
        http(back="default-server agent-port 9", server="agent-check"),
    ],
)
def test_what_a_line_needs_is_judged_as_haproxy_does(text: str, tmp_path: Path) -> None:
    found = severities(text, "HAP004")
    for judge in judges(tmp_path):
        assert (E in found) == (judge.check(text)[0] == 1)
        assert (W in found) == ("connections will fail" in judge.printed(text))


def test_a_certificate_may_stand_elsewhere() -> None:
    for text in (
        http("bind :8443 ssl crt /etc/h.pem"),
        http("bind :8443 ssl crt-list /etc/list"),
        http('bind :8443 ssl "$OPTIONS"'),
        http("ssl-f-use crt /etc/h.pem\n    bind :8443 ssl"),
    ):
        assert not findings(text, "HAP004")


def test_a_part_of_a_file_may_have_its_port_elsewhere() -> None:
    assert not findings("backend app\n    server s1 127.0.0.1:1 agent-check\n", "HAP004")


# HAP105


def test_a_certificate_without_ssl_gets_it() -> None:
    for text in (http("bind :9443 crt /etc/h.pem  # main"), tcp("bind :9443 crt-list /etc/list")):
        (found,) = findings(text, "HAP105")
        assert found.span.text.startswith("crt")
        after = fixed_text(text, "HAP105")
        assert "bind :9443 ssl crt" in after
        assert not findings(after, "HAP105")
    (found,) = findings(http("bind :443 crt /etc/h.pem"), "HAP105")
    assert found.span.text == "crt"
    assert not findings(http("bind :9443 crt"), "HAP105")
    assert not findings(http('bind :9443 "$TLS" crt /etc/h.pem'), "HAP105")


# HAP106, HAP107


@pytest.mark.parametrize(
    ("lines", "is_mute"),
    [("hold valid 10s", True), ("nameserver a 127.0.0.1:53", False), ("parse-resolv-conf", False)],
)
def test_resolvers_ask_somebody(lines: str, is_mute: bool, tmp_path: Path) -> None:
    server = "resolvers dns init-addr none"
    text = http(server=server, after=f"resolvers dns\n    {lines}\n")
    text = text.replace("s1 127.0.0.1", "s1 app")
    for judge in judges(tmp_path):
        assert ("has no nameservers" in judge.printed(text)) == is_mute
    assert severities(text, "HAP106") == [W] * is_mute
    assert severities(text, "HAP107") == [E] * is_mute


def test_resolvers_that_are_not_seen_may_have_nameservers() -> None:
    text = http(server="resolvers elsewhere init-addr none").replace("s1 127.0.0.1", "s1 app")
    assert not findings(text, "HAP107")


# HAP109


def test_only_one_of_several_backups_works() -> None:
    several = "server s2 127.0.0.1:2 backup"
    assert severities(http(back=several, server="backup"), "HAP109") == [I]
    assert not findings(http(server="backup"), "HAP109")
    assert not findings(http(back=several), "HAP109")
    both = f"option allbackups\n    {several}"
    assert not findings(http(back=both, server="backup"), "HAP109")


# HAP304


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (http(back="timeout tunnel 500ms"), [I]),
        (http(back="timeout tunnel 1s"), []),
        (http(back="timeout tunnel 1h"), []),
        (http(back="timeout server 3h\n    timeout tunnel 1h"), []),
        (http(back="timeout tunnel 0"), []),
        (http("use_backend app if { hdr(upgrade) -i websocket }", "timeout tunnel 500ms"), [W]),
        (tcp().replace("timeout server 1s", "timeout server 1s\n    timeout tunnel 10"), [I]),
    ],
)
def test_a_tunnel_lasts_as_long_as_a_request(text: str, expected: list[Severity]) -> None:
    assert severities(text, "HAP304") == expected


# HAP401, HAP402


def test_a_header_may_close_connections() -> None:
    for line in (
        "http-request set-header Connection close",
        'http-request add-header connection "Close"',
    ):
        text = http(back=line)
        assert severities(text, "HAP401") == [I]
        assert line not in fixed_text(text, "HAP401")
    for line in (
        "http-request set-header Connection close if { path /last }",
        "http-request set-header Connection keep-alive",
        "http-response set-header X-Connection close",
    ):
        assert not findings(http(back=line), "HAP401")


def test_a_pool_of_none_is_no_pool() -> None:
    own = http(server="pool-max-conn 0 check")
    shared = http(back="default-server pool-max-conn 0")
    for text in (own, shared):
        assert severities(text, "HAP402") == [I]
        assert "pool-max-conn" not in fixed_text(text, "HAP402")
    for text in (
        http(server="pool-max-conn 10"),
        http(server="pool-max-conn -1"),
        http(back="option httpclose", server="pool-max-conn 0"),
        tcp(server="pool-max-conn 0"),
    ):
        assert not findings(text, "HAP402")


# HAP510


def test_errors_are_counted_by_observe() -> None:
    assert severities(http(server="check on-error mark-down"), "HAP510") == [W]
    assert severities(http(back="default-server on-error mark-down"), "HAP510") == [W]
    for text in (
        http(server="check observe layer7 on-error mark-down"),
        http(back="default-server observe layer4", server="check on-error fail-check"),
        http(server='check on-error mark-down "$OBSERVE"'),
    ):
        assert not findings(text, "HAP510")


# HAP602


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (tcp("option httplog"), [W]),
        (tcp("option httpslog"), [W]),
        (tcp().replace("mode tcp", "mode tcp\n    option httplog"), [I]),
        (tcp("option tcplog").replace("mode tcp", "mode tcp\n    option httplog"), []),
        (tcp("log-format %ci").replace("mode tcp", "mode tcp\n    option httplog"), []),
        (tcp(server="check observe layer7"), [W]),
        (tcp(server="check observe layer4"), []),
        (http("option httplog", server="check observe layer7"), []),
    ],
)
def test_what_needs_http_is_judged_as_haproxy_does(
    text: str, expected: list[Severity], tmp_path: Path
) -> None:
    assert severities(text, "HAP602") == expected
    for judge in judges(tmp_path):
        printed = judge.printed(text)
        is_said = "Falling back to 'option tcplog'" in printed or "can only be used in" in printed
        assert is_said == bool(expected)


# HAP702


def test_limits_without_effect() -> None:
    assert severities(http(back="fullconn 100"), "HAP702") == [I]
    assert not findings(http(back="fullconn 100", server="minconn 1 maxconn 5"), "HAP702")
    assert not findings(http(back='default-server "$LIMITS"\n    fullconn 9'), "HAP702")
    assert severities(http(server="maxconn 101"), "HAP702") == [I]
    assert not findings(http(server="maxconn 100"), "HAP702")
    both = "default-server maxconn 500\n    server s2 127.0.0.1:2"
    assert severities(http(back=both), "HAP702") == [I]


# HAP901

LOGGED = """\
defaults
    mode http
    log global
    option httplog
    timeout connect 1s
    timeout client 1s
    timeout server 1s
listen web
    bind 127.0.0.1:18080
    server s1 127.0.0.1:1
"""


def test_global_stands_above_those_who_ask_for_it(tmp_path: Path) -> None:
    late = LOGGED + "global\n    log 127.0.0.1 local0\n"
    early = "global\n    log 127.0.0.1 local0\n" + LOGGED
    again = early + "global\n    maxconn 10\n"
    assert severities(late, "HAP901") == [W]
    assert severities(early, "HAP901") == []
    assert severities(again, "HAP901") == [I]
    for judge in judges(tmp_path):
        assert "log format ignored" in judge.printed(late)
        assert "global section detected after" in judge.printed(again, "-dD")
        assert "global section detected after" not in judge.printed(early, "-dD")


# HAP902


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (http().replace("    bind 127.0.0.1:18080\n", ""), 1),
        (http(), 0),
        (http(after="frontend off\n    disabled\n"), 0),
        (http(after="listen l\n    bind :18081\n    default_backend app\n    server a :1\n"), 1),
        (http(after="listen l\n    bind :18081\n    use_backend app\n    server a :1\n"), 0),
    ],
)
def test_nobody_comes_as_haproxy_warns(text: str, count: int, tmp_path: Path) -> None:
    assert severities(text, "HAP902") == [W] * count
    for judge in judges(tmp_path):
        printed = judge.printed(text)
        is_said = "has no 'bind' directive" in printed or "will never be used" in printed
        assert is_said == bool(count)


def test_an_excerpt_may_lack_its_bind() -> None:
    assert not findings("frontend web\n    default_backend app\n", "HAP902")


# HAP903

SNI = "use_backend app if { req.ssl_sni a.example.com }"
DELAY = "tcp-request inspect-delay 5s"
HELLO = "tcp-request content accept if { req.ssl_hello_type 1 }"


@pytest.mark.parametrize(
    ("rules", "count"),
    [
        ([SNI], 1),
        ([DELAY, SNI], 1),
        ([HELLO, SNI], 1),
        ([DELAY, HELLO, SNI], 0),
        (["tcp-request inspect-delay 0", HELLO, SNI], 1),
        ([DELAY, "tcp-request content reject unless { req.ssl_hello_type 1 }", SNI], 0),
        ([DELAY, "tcp-request content capture req.ssl_sni len 30", SNI], 0),
        ([DELAY, "tcp-request content set-var(sess.a) req.ssl_sni", SNI], 1),
        ([DELAY, "tcp-request content accept if { src 10.0.0.0/8 }", SNI], 1),
        ([DELAY, "tcp-request content accept if WAIT_END", SNI], 0),
        ([DELAY, "tcp-request content accept if HTTP", "use_backend app if { path /x }"], 0),
        ([DELAY, "acl hello req.ssl_hello_type 1", "tcp-request content accept if hello", SNI], 0),
        (["use_backend app if { path_beg /api }"], 1),
        (["use_backend app if { hdr(host) a.example.com }"], 1),
        (["acl a req.ssl_sni a.example.com", "use_backend app if a"], 1),
        (["use_backend %[req.ssl_sni,lower]"], 1),
        (["use_backend app if { src 10.0.0.0/8 }"], 0),
        (["use_backend app if { ssl_fc_sni a.example.com }"], 0),
        (["use_backend app if { lua.mine 1 }"], 0),
        (["tcp-request content switch-mode http", "use_backend app if { path /x }"], 0),
    ],
)
def test_what_a_client_sends_is_waited_for(rules: list[str], count: int) -> None:
    """What happened to a late hello was measured for each of the first nine."""
    assert severities(tcp("\n    ".join(rules)), "HAP903") == [W] * count


def test_requests_are_waited_for_in_mode_http() -> None:
    assert not findings(http("use_backend app if { path_beg /api }"), "HAP903")
    assert not findings(f"frontend web\n    bind :8443\n    {SNI}\n", "HAP903")


# HAP905


@pytest.mark.parametrize(
    ("bind", "count"),
    [
        ("127.0.0.1:18080", 1),
        ("127.0.0.1:18081,127.0.0.1:18080", 1),
        ("127.0.0.1:18081", 0),
        ("*:18080", 0),
        ("127.0.0.1:18080 interface lo", 0),
        ('127.0.0.1:18080 "$MORE"', 0),
        ("quic4@127.0.0.1:18080 ssl crt x.pem", 0),
    ],
)
def test_two_frontends_share_no_address(bind: str, count: int) -> None:
    text = http(after=f"frontend shop\n    bind {bind}\n    default_backend app\n")
    assert severities(text, "HAP905") == [W] * count


def test_one_frontend_may_listen_twice_and_two_files_be_alternatives() -> None:
    again = "bind 127.0.0.1:18080 process 1/1\n    bind 127.0.0.1:18080 process 1/2"
    assert not findings(http(again), "HAP905")
    files = {"a.cfg": http(), "b.cfg": http().replace("web", "shop").replace("app", "other")}
    assert not findings(files, "HAP905")


def test_a_cookie_value_names_one_server(tmp_path: Path) -> None:
    text = http(back="cookie S insert\n    server s2 127.0.0.1:2 cookie a", server="cookie a")
    assert severities(text, "HAP905") == [W]
    for judge in judges(tmp_path)[1:]:  # the older one does not look
        assert "same cookie value" in judge.printed(text, "-dD")
    assert not findings(text.replace("2 cookie a", "2 cookie b"), "HAP905")
    assert not findings(text.replace("1 cookie a", "1 cookie a backup"), "HAP905")
    assert not findings(text.replace("cookie S insert", "# none"), "HAP905")


def test_one_version_of_the_proxy_protocol_is_sent() -> None:
    assert severities(http(server="send-proxy send-proxy-v2"), "HAP905") == [W]
    assert severities(http(server="send-proxy-v2 send-proxy"), "HAP905") == [W]
    assert not findings(http(back="default-server send-proxy", server="send-proxy-v2"), "HAP905")


# HAP113


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (http(back="cookie S insert"), 1),
        (http(server="cookie a"), 1),
        (http(back="default-server cookie a"), 1),
        (http(back="cookie S insert", server="cookie a"), 0),
        (http(back="cookie S insert dynamic\n    dynamic-cookie-key x"), 0),
        (tcp(server="cookie a"), 0),
        (http(after="resolvers dns\n    parse-resolv-conf\n"), 1),
        (http(server="resolvers dns", after="resolvers dns\n    parse-resolv-conf\n"), 0),
        (http(after="resolvers default\n    parse-resolv-conf\n"), 0),
        (http(after="userlist u\n    user a insecure-password x\n"), 1),
        (http(after="cache c\n    total-max-size 4\n"), 1),
        (http(after="ring r\n    size 32768\n"), 1),
        (http("log ring@r local0", after="ring r\n    size 32768\n"), 0),
        (http(after="defaults\n    mode tcp\n"), 1),
        (http(after="defaults d\n    mode tcp\nbackend x from d\n"), 0),
        (http("stick-table type ip size 1k"), 1),
        (http("stick-table type ip size 1k\n    http-request track-sc0 src"), 0),
        (http("stick-table type ip size 1k\n    http-request deny if { src_conn_cur gt 9 }"), 0),
        (http("stick-table type ip size 1k peers p", after="peers p\n    peer a 127.0.0.1:9\n"), 0),
        (http("http-request track-sc0 src table t", after="backend t\n    stick-table type ip"), 0),
        (http("http-request set-map(/x.map) %[src] 1 if { path /x }"), 1),
        (
            http(
                "http-request set-map(/x.map) %[src] 1 if { path /x }\n"
                "    http-request deny if { src,map(/x.map) 1 }"
            ),
            0,
        ),
        (
            http(
                "http-request add-acl(/x.lst) %[src] if { path /x }\n"
                "    http-request deny if { src -f /x.lst }"
            ),
            0,
        ),
        (http("http-request set-map(/x.map) %[src] 1", top="lua-load x.lua"), 0),
        (http("filter bwlim-out slow default-limit 1k default-period 1s"), 1),
        (
            http(
                "filter bwlim-out slow default-limit 1k default-period 1s\n"
                "    http-request set-bandwidth-limit slow"
            ),
            0,
        ),
    ],
)
def test_names_that_nothing_makes_use_of(text: str, count: int) -> None:
    assert severities(text, "HAP113") == [I] * count


def test_an_agent_may_be_named_in_another_file() -> None:
    agent = "backend agents\n    mode tcp\n    server a 127.0.0.1:9\n"
    assert len(findings(http(after=agent), "HAP113")) == 1
    text = http("filter spoe engine e config /etc/spoe.conf", after=agent)
    assert not findings(text, "HAP113")
