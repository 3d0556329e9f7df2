"""HAP101: names of sections and tables that nothing has, as HAProxy judges them."""

from __future__ import annotations

from pathlib import Path

import pytest
from haproxy_judge import judges
from support import findings


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
    ],
)
def test_names_are_missing_where_haproxy_refuses(text: str, tmp_path: Path) -> None:
    for judge in judges(tmp_path):
        assert bool(findings(text, "HAP101")) == (judge.check(text)[0] == 1), text
