"""HAP402 to HAP404: connections to servers that are shared too little, too much, too long."""

from __future__ import annotations

import pytest
from support import findings, fixed, fixed_text

HEAD = "\n\ttimeout connect 5s\n\ttimeout client 30s\n\ttimeout server 30s\n"
SERVER = "\tserver a 127.0.0.1:3000\n"


def config(*lines: str, mode: str = "http", server: str = SERVER) -> str:
    own = "".join(f"\t{line}\n" for line in lines)
    return f"defaults\n\tmode {mode}{HEAD}backend app\n{own}{server}"


# HAP402


def test_connections_that_nobody_shares() -> None:
    text = config("http-reuse  never # why")
    assert len(findings(text, "HAP402")) == 1
    assert "\thttp-reuse  aggressive # why\n" in fixed_text(text, "HAP402")


@pytest.mark.parametrize(
    "text",
    [
        config(),
        config("http-reuse safe"),
        config("http-reuse never", mode="tcp"),
        config("http-reuse never", "option httpclose"),
        config("http-reuse never", "source 0.0.0.0 usesrc clientip"),
        config("http-reuse never", server="\tserver a 127.0.0.1:3000 send-proxy-v2\n"),
        f"backend app\n\tmode http\n\thttp-reuse never\n{SERVER}",
    ],
)
def test_connections_that_are_shared_or_must_not_be(text: str) -> None:
    assert findings(text, "HAP402") == []


def test_one_line_in_the_defaults_is_one_finding() -> None:
    text = config(server=f"{SERVER}backend b\n{SERVER}")
    text = text.replace("mode http\n", "mode http\n\thttp-reuse never\n")
    (found,) = findings(text, "HAP402")
    assert "backend app, backend b" in found.message


# HAP403

GUARD = "http-request disable-l7-retry if { method POST PATCH }"


def test_first_requests_that_are_lost_are_repeated_after_the_fix() -> None:
    after = fixed_text(config("http-reuse always # fast"), "HAP403")
    assert after == config(
        "http-reuse always # fast", "retry-on conn-failure empty-response", GUARD
    )
    # The fix brings no duplicates of POST requests with it.
    assert findings(after, "HAP506") == []


def test_what_is_repeated_already_stays() -> None:
    after = fixed_text(config("http-reuse always", "retry-on 503 conn-failure # r"), "HAP403")
    assert "\tretry-on 503 conn-failure empty-response # r\n" in after
    assert after.count(GUARD) == 1
    inherited = config("http-reuse always").replace("mode http", "mode http\n\tretry-on 504")
    after = fixed_text(inherited, "HAP403")
    assert "\tretry-on 504 conn-failure empty-response\n" in after


def test_the_guard_stands_behind_the_other_rules() -> None:
    rule = "http-request set-header X-A b"
    after = fixed_text(config("http-reuse always", rule), "HAP403")
    assert f"\t{rule}\n\t{GUARD}\n" in after
    assert "\thttp-reuse always\n\tretry-on conn-failure empty-response\n" in after


@pytest.mark.parametrize(
    "lines",
    [
        ("http-reuse aggressive",),
        ("http-reuse always", "retry-on all-retryable-errors"),
        ("http-reuse always", "retry-on empty-response"),
        ("http-reuse always", "option http-server-close"),
        ("http-reuse always", ".if version_atleast(2.4)", "retry-on empty-response", ".endif"),
        ("mode tcp", "http-reuse always"),
    ],
)
def test_requests_that_are_not_lost(lines: tuple[str, ...]) -> None:
    assert findings(config(*lines), "HAP403") == []


def test_without_retries_nothing_can_be_repeated() -> None:
    (found,) = findings(config("http-reuse always", "retries 0"), "HAP403")
    assert found.fix is None


# HAP404


def with_facts(parameters: str, idle: str = "5s", *lines: str) -> dict[str, str]:
    facts = f"addresses: ['127.0.0.1:3000'], idle_timeout: {idle}"
    return {
        "haproxy.cfg": config(*lines, server=f"\tserver a 127.0.0.1:3000{parameters} # app\n"),
        "gwlint.yaml": f"services: {{app: {{{facts}}}}}",
    }


@pytest.mark.parametrize(
    ("parameters", "idle", "faulty"),
    [
        ("", "5s", True),
        ("", "5001ms", False),
        (" pool-purge-delay 5s", "4s", True),
        (" pool-purge-delay 500", "1s", False),
        (" pool-purge-delay 0", "1s", False),
        (" pool-max-conn 0", "1s", False),
        (' pool-purge-delay "$DELAY"', "1s", False),
    ],
)
def test_who_closes_idle_connections_first(parameters: str, idle: str, faulty: bool) -> None:
    assert bool(findings(with_facts(parameters, idle), "HAP404")) is faulty


@pytest.mark.parametrize("line", ["http-reuse never", "option httpclose", "mode tcp"])
def test_connections_that_are_not_kept(line: str) -> None:
    assert findings(with_facts("", "1s", line), "HAP404") == []


def test_nothing_is_said_without_facts() -> None:
    assert findings(config(), "HAP404") == []


def test_the_delay_becomes_a_third_of_the_limit() -> None:
    after = fixed(with_facts("", "3s"), "HAP404")["haproxy.cfg"]
    assert "\tserver a 127.0.0.1:3000 pool-purge-delay 1s # app\n" in after
    after = fixed(with_facts(" pool-purge-delay 9s", "1s"), "HAP404")["haproxy.cfg"]
    assert "\tserver a 127.0.0.1:3000 pool-purge-delay 333ms # app\n" in after
