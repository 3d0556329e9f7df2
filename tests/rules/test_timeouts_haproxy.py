"""HAP305 to HAP310: how long HAProxy waits, for a slot, a connection, an answer, a check."""

from __future__ import annotations

import pytest
from support import findings, fixed_text

from gwlint.rule import Severity

TIMES = {"connect": "5s", "client": "30s", "server": "30s"}


def config(backend: str, mode: str = "http", defaults: str = "", **times: str) -> str:
    """Defaults with timeouts, and what stands in `backend app`."""
    lines = "".join(f"\ttimeout {kind} {time}\n" for kind, time in (TIMES | times).items())
    return f"defaults\n\tmode {mode}\n{defaults}{lines}backend app\n{backend}"


LIMITED = "\tserver a 127.0.0.1:3000 maxconn 10\n"

# HAP305


def test_a_queue_that_waits_for_timeout_connect() -> None:
    (found,) = findings(config(LIMITED), "HAP305")
    assert "answered with 503 after 5s" in found.message
    assert found.span.text == "maxconn"
    (found,) = findings(config(LIMITED, mode="tcp"), "HAP305")
    assert "closed after 5s" in found.message


@pytest.mark.parametrize(
    "text",
    [
        config("\tserver a 127.0.0.1:3000\n"),
        config("\tserver a 127.0.0.1:3000 maxconn 0\n"),
        config("\tserver a 127.0.0.1:3000 maxconn 1000000\n"),
        config(f"{LIMITED}\tserver b 127.0.0.1:3001\n"),
        config(LIMITED, connect="30s"),
        config(LIMITED, queue="1s"),
        config(f"\ttimeout queue 1m\n{LIMITED}"),
        config(f".if version_atleast(2.4)\n\ttimeout queue 1m\n.endif\n{LIMITED}"),
        "backend app\n\ttimeout connect 5s\n" + LIMITED,
    ],
)
def test_queues_without_that_fault(text: str) -> None:
    assert findings(text, "HAP305") == []


def test_backends_of_one_defaults_section_share_a_finding_and_a_line() -> None:
    text = config(f"{LIMITED}backend other\n\tdefault-server maxconn 5\n{LIMITED}")
    (found,) = findings(text, "HAP305")
    assert "backend app, backend other" in found.message
    after = fixed_text(text, "HAP305")
    assert after.count("\ttimeout server 30s\n\ttimeout queue 30s\n") == 1


# HAP306

SERVER = "\tserver a 127.0.0.1:3000 check\n"


@pytest.mark.parametrize(
    ("connect", "retries", "severity"),
    [
        ("5s", "", None),
        ("7500ms", "", None),
        ("10s", "", Severity.INFO),
        ("15001", "", Severity.WARNING),
        ("30s", "retries 0", None),
        ("1s", "retries 100", Severity.WARNING),
        ("0", "", None),
        ("5000s", "", None),  # HAP302 says so
    ],
)
def test_the_budget_for_connecting(connect: str, retries: str, severity: Severity | None) -> None:
    text = config(SERVER, defaults=f"\t{retries}\n" if retries else "", connect=connect)
    assert [one.severity for one in findings(text, "HAP306")] == ([severity] if severity else [])


def test_a_shorter_connect_timeout_is_offered_where_it_is_enough() -> None:
    text = config(SERVER, connect="20s  # slow network")
    assert "\ttimeout connect 5s   # slow network\n" in fixed_text(text, "HAP306")
    (found,) = findings(config(SERVER, defaults="\tretries 50\n", connect="5s"), "HAP306")
    assert found.fix is None
    assert "up to 255s: 51 attempts of 5s" in found.message


def test_the_backend_with_the_most_retries_speaks_for_a_shared_timeout() -> None:
    text = config(f"\tretries 1\n{SERVER}backend b\n\tretries 9\n{SERVER}", connect="10s")
    (found,) = findings(text, "HAP306")
    assert "up to 100s" in found.message
    assert "backend b" in found.message


# HAP307


def listen(*lines: str, mode: str = "tcp", **times: str) -> str:
    return config("", mode, **times).replace("backend app\n", "listen app\n\tbind :3306\n") + (
        "".join(f"\t{line}\n" for line in (*lines, "server a 127.0.0.1:3307"))
    )


def test_clients_that_wait_in_mode_tcp() -> None:
    (found,) = findings(listen(server="1m"), "HAP307")
    assert found.statement.normalised == "listen app"
    after = fixed_text(listen(server="1m"), "HAP307")
    assert "\tbind :3306\n\ttimeout client 1m\n" in after
    own = listen("timeout client 10s # short", server="1m")
    assert "\ttimeout client 1m # short\n" in fixed_text(own, "HAP307")


@pytest.mark.parametrize(
    "text",
    [
        listen(server="30s"),
        listen(server="1m", mode="http"),
        listen("mode http", server="1m"),
        listen("timeout tunnel 1h", server="1m"),
        listen(server="0"),
        listen(server="1m", client="0"),
        listen(".if version_atleast(2.4)", "timeout client 2m", ".endif", server="1m"),
        config("\tserver a 127.0.0.1:3307\n", "tcp", server="1m"),
    ],
)
def test_clients_that_nobody_cuts_off(text: str) -> None:
    assert findings(text, "HAP307") == []


def test_the_longest_of_several_backends_counts() -> None:
    text = (
        "defaults\n\tmode tcp\n\ttimeout connect 5s\n\ttimeout client 10s\n"
        "frontend fe\n\tbind :25\n\tuse_backend b if TRUE\n\tdefault_backend a\n"
        "backend a\n\ttimeout server 20s\n\tserver s 127.0.0.1:1\n"
        "backend b\n\ttimeout server 40s\n\tserver s 127.0.0.1:2\n"
    )
    (found,) = findings(text, "HAP307")
    assert "40s" in found.message
    assert "\tbind :25\n\ttimeout client 40s\n" in fixed_text(text, "HAP307")


# HAP308


def pair(parameters: str, before: str = "") -> str:
    servers = "".join(f"\tserver {name} 127.0.0.1:300{name}{parameters}\n" for name in "12")
    return config(before + servers)


@pytest.mark.parametrize(
    ("parameters", "slow"),
    [
        (" check", False),
        (" check inter 10s", False),
        (" check inter 10001", True),
        (" check inter 31s fall 1", True),
        (" check inter 20s fastinter 5s", False),
        (" check inter 20s fastinter 6s", True),
        (" inter 60s", False),
        (" check inter 60s observe layer4", False),
        (' check inter "$INTER" fall 100', False),
        (" track other/one inter 60s", False),
    ],
)
def test_how_long_detection_takes(parameters: str, slow: bool) -> None:
    assert bool(findings(pair(parameters), "HAP308")) is slow


def test_checks_come_more_often_after_the_fix() -> None:
    after = fixed_text(pair("", "\tdefault-server check inter 60s fall 10 # rarely\n"), "HAP308")
    assert "\tdefault-server check inter 3s fall 10 # rarely\n" in after
    (found,) = findings(pair(" check inter 60s fall 31"), "HAP308")
    assert found.fix is None
    (found,) = findings(pair(" check inter 20s fastinter 15s"), "HAP308")
    assert found.fix is None


def test_a_single_server_has_nobody_to_take_over() -> None:
    assert findings(config("\tserver a 127.0.0.1:1 check inter 60s\n"), "HAP308") == []


# HAP309


def test_infinite_timeouts_that_something_uses() -> None:
    text = config(SERVER, server="0", connect="0ms", client="0")
    assert [one.statement.normalised for one in findings(text, "HAP309")] == [
        "timeout connect 0ms",
        "timeout server 0",
    ]
    assert findings(config(f"\ttimeout server 1m\n{SERVER}", server="0"), "HAP309") == []
    assert findings(config(SERVER, tunnel="0", check="0"), "HAP309") == []
    assert findings(config("", server="0"), "HAP309") == []


# HAP310

HTTPCHK = "\toption httpchk\n"


@pytest.mark.parametrize(
    ("parameters", "timeout", "severity"),
    [
        (" check", "2s", None),
        (" check", "2001", Severity.INFO),
        (" check", "6s", Severity.WARNING),
        (" check inter 10s", "6s", None),
        ("", "6s", None),
        (" check", '"$CHECK"', None),
    ],
)
def test_how_long_a_check_may_hang(
    parameters: str, timeout: str, severity: Severity | None
) -> None:
    text = pair(parameters, f"{HTTPCHK}\ttimeout check {timeout}\n")
    assert [one.severity for one in findings(text, "HAP310")] == ([severity] if severity else [])


def test_a_check_that_only_connects_knows_no_timeout_check() -> None:
    assert findings(pair(" check", "\ttimeout check 1m\n"), "HAP310") == []


def test_the_backend_gets_its_own_timeout_check() -> None:
    inherited = pair(" check", HTTPCHK).replace("mode http\n", "mode http\n\ttimeout check 10s\n")
    after = fixed_text(inherited, "HAP310")
    assert "\toption httpchk\n\ttimeout check 2s\n\tserver 1" in after
    assert "\ttimeout check 10s\n" in after
    own = pair(" check inter 500ms", f"{HTTPCHK}\ttimeout check 10s # long\n")
    assert "\ttimeout check 500ms # long\n" in fixed_text(own, "HAP310")
