"""HAP101: names of sections and tables that nothing has, as HAProxy judges them."""

from __future__ import annotations

from pathlib import Path

import pytest
from haproxy_judge import judges
from support import findings, fixed_text

from gwlint.rule import Severity


def configuration(front: str = "", back: str = "", server: str = "") -> str:
    return f"""\
global
    maxconn 10
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
"""


TABLE = "stick-table type ip size 1k"
USERS = "userlist u\n    user ann insecure-password x\n"
CACHE = "cache c\n    total-max-size 4\n"
ERRORS = "http-errors e\n"
MAIL = "email-alert from a@example.com\n    email-alert to b@example.com\n"


@pytest.mark.parametrize(
    "text",
    [
        configuration(server="resolvers default"),
        configuration(server="resolvers nope"),
        configuration(server="track nope/x"),
        configuration(back="stick on src"),
        configuration(back="stick match src"),
        configuration(back="stick store-request src"),
        configuration(back="stick on src table web"),
        configuration(back="stick on src table web", front=TABLE),
        configuration(front="http-request track-sc0 src"),
        configuration(front="http-request track-sc0 src table app"),
        configuration(front="http-request track-sc0 src table app", back=TABLE),
        configuration(front="tcp-request content track-sc1 src if { src 10.0.0.1 }"),
        configuration(front="tcp-request connection track-sc1 src table nope"),
        configuration(back="filter cache nope"),
        configuration() + "defaults d2 from nope\n",
        configuration(back="default-server resolvers nope"),
        configuration(server="track nope"),
        configuration(server="track app/nope"),
        configuration(back="server s0 127.0.0.1:2 check", server="track s0"),
        configuration(front="http-request auth unless { http_auth(nope) }"),
        configuration(front="acl staff http_auth_group(nope) admins"),
        configuration(front="http-request auth unless { http_auth(u) }") + USERS,
        configuration() + USERS + "    user joe insecure-password x groups nope\n",
        configuration() + USERS + "    group g users nope,ann\n",
        configuration(back=f"{TABLE} peers nope"),
        configuration(back="http-request cache-use nope"),
        configuration(back="http-response cache-store nope"),
        configuration(back="http-request cache-use c") + CACHE,
        configuration(back="use-fcgi-app nope"),
        configuration(back="filter fcgi-app nope"),
        configuration(front="errorfiles nope"),
        configuration(front="http-error status 500 errorfiles nope"),
        configuration(front="http-request return status 500 errorfiles nope if { path /x }"),
        configuration(front="http-request deny deny_status 500 errorfiles e") + ERRORS,
        configuration(back="email-alert mailers nope"),
        configuration(back=f"{MAIL}    email-alert mailers nope"),
        configuration(front="http-request do-resolve(txn.ip,nope,ipv4) hdr(host)"),
        configuration(front="http-request do-resolve(txn.ip,default,ipv4) hdr(host)"),
        configuration(front="http-request send-spoe-group engine group"),
        configuration(front="http-request deny if { nbsrv(nope) lt 1 }"),
        configuration(front="http-request deny if { nbsrv(app) lt 1 }"),
        configuration(back="http-request deny if { be_conn(web) gt 9 }"),
        configuration(front="http-request deny if { fe_conn(app) gt 9 }"),
        configuration(front="use_backend app if { srv_is_up(app/nope) }"),
        configuration(front="use_backend app if { srv_is_up(nope/s1) }"),
        configuration(front="use_backend app if { srv_is_up(app/s1) }"),
        configuration(back="http-request deny if { srv_is_up(nope) }"),
        configuration(front="http-request deny if { src_http_req_rate(nope) gt 1 }"),
        configuration(front="http-request deny if { sc_http_req_rate(0,nope) gt 1 }"),
        configuration(front="http-request deny if { src,in_table(nope) }"),
        configuration(front="http-request deny if { src,in_table(app) }", back=TABLE),
        configuration(front="http-request set-header X %[src,table_http_req_rate(nope)]"),
    ],
)
def test_names_are_missing_where_haproxy_refuses(text: str, tmp_path: Path) -> None:
    for judge in judges(tmp_path):
        assert bool(findings(text, "HAP101")) == (judge.check(text)[0] == 1), text


def test_a_bandwidth_limit_needs_its_filter(tmp_path: Path) -> None:
    """Known since 2.7, so that only the newer server judges."""
    limit = "http-request set-bandwidth-limit slow"
    filtered = f"filter bwlim-out slow default-limit 1k default-period 1s\n    {limit}"
    for text, is_missing in ((configuration(front=limit), 1), (configuration(front=filtered), 0)):
        assert len(findings(text, "HAP101")) == is_missing
        for judge in judges(tmp_path)[1:]:
            assert (judge.check(text)[0] == 1) == bool(is_missing)


def test_a_ring_must_exist_to_start() -> None:
    """What the start says stands in tests/servers."""
    text = configuration(front="log ring@nope local0")
    assert [one.message for one in findings(text, "HAP101")] == [
        'there is no ring "nope", so HAProxy does not start'
    ]
    assert not findings(text + "ring nope\n    size 32768\n", "HAP101")
    assert not findings(configuration(front="log 127.0.0.1 local0"), "HAP101")


@pytest.mark.parametrize(
    ("peers", "is_left_out"),
    [
        ("peer gw2 127.0.0.1:9999", True),
        ("peer gw1 127.0.0.1:9999", False),
        ("bind :9998\n    server gw1", False),
        ("disabled\n    peer gw2 127.0.0.1:9999", False),
    ],
)
def test_a_peer_has_the_name_of_localpeer(peers: str, is_left_out: bool, tmp_path: Path) -> None:
    text = configuration(front=TABLE + " peers p\n    http-request track-sc0 src")
    text = text.replace("maxconn 10", "maxconn 10\n    localpeer gw1") + f"peers p\n    {peers}\n"
    found = findings(text, "HAP101")
    assert [one.severity for one in found] == [Severity.WARNING] * is_left_out
    for judge in judges(tmp_path):
        assert ("Removing incomplete section" in judge.printed(text)) == is_left_out
    assert not findings(text.replace("localpeer gw1", "nbthread 1"), "HAP101")


def test_a_name_inside_of_a_word_is_corrected(tmp_path: Path) -> None:
    text = configuration(front='http-request deny if { nbsrv(apps) lt 1 } or { path "/nbsrv(x)" }')
    assert "{ nbsrv(app) lt 1 } or" in fixed_text(text, "HAP101")
    for judge in judges(tmp_path):
        assert judge.check(text)[0] == 1
        assert judge.check(fixed_text(text, "HAP101"))[0] == 0


def test_names_from_the_environment_may_be_any() -> None:
    text = configuration(front="http-request deny if { nbsrv(nope) lt 1 }")
    assert not findings(f'{text}backend "$NAME"\n    server s1 127.0.0.1:1\n', "HAP101")
    text = configuration(front="http-request auth unless { http_auth(nope) }")
    assert not findings(f'{text}userlist "$NAME"\n', "HAP101")
