"""What reading findings in real files taught about the nginx rules: severities, words, silence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gwlint.rule import Severity

sys.path.insert(0, str(Path(__file__).parent))
from support import findings

ROUTED = """{main}
events {{}}
http {{
    upstream app {{ {pool} }}
    server {{
        listen 8080;
        location {path} {{
            proxy_pass {to};
            {route}
        }}
    }}
}}
"""
TWO = "server a:1; server b:1;"


def routed(
    pool: str = TWO, route: str = "", main: str = "", path: str = "/", to: str = "http://app"
) -> str:
    return ROUTED.format(pool=pool, route=route, main=main, path=path, to=to)


@pytest.mark.parametrize(
    ("pool", "severity"),
    [
        ("server localhost:1;", Severity.WARNING),
        ("server localhost:1; server localhost:2 down;", Severity.WARNING),
        ("server localhost:1; server b:2;", Severity.INFO),
        ("server localhost:1 max_fails=3;", Severity.INFO),
        ("server localhost:1 fail_timeout=0;", Severity.INFO),
    ],
)
def test_localhost_matters_most_where_it_is_alone(pool: str, severity: Severity) -> None:
    (found,) = findings(routed(pool), "NGX108")
    assert found.severity == severity
    assert ("502" in found.message) == (severity == Severity.WARNING)


def test_the_outage_of_localhost_is_as_long_as_its_fail_timeout() -> None:
    (found,) = findings(routed("server localhost:1 fail_timeout=1m;"), "NGX108")
    assert "(60 s)" in found.message
    (found,) = findings(routed(to="http://localhost:3000"), "NGX108")
    assert "(10 s)" in found.message


@pytest.mark.parametrize(
    ("pool", "route", "severity"),
    [
        (TWO, "", Severity.INFO),
        (TWO, "proxy_connect_timeout 5s;", Severity.INFO),
        (TWO, "proxy_read_timeout 60s;", Severity.WARNING),
        (TWO, "proxy_connect_timeout 75s;", Severity.WARNING),
        (TWO + "server c:1;", "", Severity.WARNING),
        (TWO + "server c:1 down;", "", Severity.INFO),
    ],
)
def test_two_servers_with_the_default_timeout_are_no_warning(
    pool: str, route: str, severity: Severity
) -> None:
    (found,) = findings(routed(pool, route), "NGX303")
    assert found.severity == severity


def test_two_tries_are_no_limit_for_two_servers() -> None:
    (found,) = findings(routed(), "NGX303")
    assert found.advice == "set proxy_next_upstream_timeout 10s, or a shorter proxy_read_timeout"
    (found,) = findings(routed(TWO + "server c:1;"), "NGX303")
    assert "proxy_next_upstream_tries 2 with a shorter proxy_read_timeout" in found.advice


UPGRADED = 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "Upgrade";'


@pytest.mark.parametrize(
    ("path", "route", "count"),
    [
        ("/shell/", UPGRADED, 0),
        ("/", UPGRADED, 1),
        ("/shell/", UPGRADED.replace('"Upgrade"', "$connection_upgrade"), 1),
        ("/shell/", 'proxy_set_header Connection "upgrade";', 1),
    ],
)
def test_a_path_with_web_sockets_alone_needs_no_pool(path: str, route: str, count: int) -> None:
    text = routed(route=route, path=path, to="http://127.0.0.1:3000")
    assert len(findings(text, "NGX409")) == count


def test_without_facts_the_idle_race_is_told_with_its_condition() -> None:
    route = 'proxy_http_version 1.1; proxy_set_header Connection "";'
    (found,) = findings(routed(TWO + "keepalive 8;", route), "NGX410")
    assert found.severity == Severity.INFO
    assert "if the application closes them sooner" in found.message


def test_health_checks_of_plus_take_dead_servers_out() -> None:
    pool = "server a:1 max_fails=0; server b:1 max_fails=0;"
    assert len(findings(routed(pool), "NGX501")) == 2
    assert findings(routed(pool, "health_check;"), "NGX501") == []


@pytest.mark.parametrize(
    ("main", "pool", "sufferers"),
    [
        ("", TWO, "all requests get 502"),
        ("worker_processes 1;", TWO, "all requests get 502"),
        ("worker_processes auto;", TWO, "the worker that saw it answers all its requests with 502"),
        ("worker_processes 4;", TWO + "zone app 64k;", "all requests get 502"),
        ("include /nowhere/x;", TWO, "the worker that saw it answers all its requests with 502"),
    ],
)
def test_each_worker_counts_for_itself_without_a_zone(main: str, pool: str, sufferers: str) -> None:
    (found,) = findings(routed(pool, main=main), "NGX504")
    assert found.message.endswith(sufferers)


def test_answers_are_added_to_what_is_retried_already() -> None:
    (found,) = findings(routed(), "NGX505")
    assert found.advice.startswith(
        "set proxy_next_upstream error timeout http_502 http_503 http_504"
    )
    (found,) = findings(routed(route="proxy_next_upstream error;"), "NGX505")
    assert found.advice == "add http_502 http_503 http_504 to proxy_next_upstream"


@pytest.mark.parametrize(
    ("pool", "severities"),
    [
        (TWO, [Severity.INFO]),
        ("server a:1 fail_timeout=0; server b:1;", [Severity.INFO]),
        ("server a:1 fail_timeout=0; server b:1 max_fails=0;", []),
        ("server a:1 max_fails=0; server b:1 max_fails=0 max_conns=9;", [Severity.WARNING]),
    ],
)
def test_failures_that_nobody_counts_need_no_zone(pool: str, severities: list[Severity]) -> None:
    found = findings(routed(pool, main="worker_processes 2;"), "NGX506")
    assert [one.severity for one in found] == severities


def test_a_route_that_passes_no_headers_on_says_nothing_of_the_client() -> None:
    assert len(findings(routed(), "NGX611")) == 1
    assert findings(routed(route="proxy_pass_request_headers off;"), "NGX611") == []


@pytest.mark.parametrize(
    ("log", "advice"),
    [
        ("error_log /dev/null crit;", "name a log that is kept, such as stderr"),
        ("error_log off;", "name a log that is kept, such as stderr"),
        ("error_log stderr crit;", "set level error, or warn"),
    ],
)
def test_a_log_that_nobody_keeps_needs_another_file(log: str, advice: str) -> None:
    (found,) = findings(routed(main=log), "NGX902")
    assert found.advice.startswith(advice)
