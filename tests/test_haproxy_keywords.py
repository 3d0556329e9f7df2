"""Which keywords exist, and where: the data against real HAProxy servers and configurations."""

from __future__ import annotations

from pathlib import Path

import pytest
from haproxy_judge import corpus_files, judges

from gwlint.source import Source
from gwlint.syntax.haproxy.keywords import (
    FETCH_CONTEXTS,
    Placement,
    acl_keyword,
    allowed_in,
    converter,
    filters,
    look_up,
    lookup,
    parameter_arities,
    parameter_since,
    proxy_keyword,
    sample_fetch,
    suggest,
    versions,
)
from gwlint.syntax.haproxy.parser import parse
from gwlint.syntax.haproxy.sections import SECTION_KINDS
from gwlint.syntax.version import Version

DEFAULTS = "defaults\n  mode http\n  timeout connect 5s\n  timeout client 5s\n  timeout server 5s\n"

# One complete line each; the section that it stands in is the question.
LINES = """
balance roundrobin|bind :80|server s 127.0.0.1:80|server-template s 1 127.0.0.1:80
default-server inter 1s|retries 3|retry-on all-retryable-errors|timeout server 5s|timeout client 5s
timeout http-request 5s|timeout tunnel 5s|option httpchk|option redispatch|option httplog
option dontlognull|option forwardfor|option log-health-checks|option contstats|maxconn 10
fullconn 10|cookie A insert|stick on src|stick-table type ip size 1k|http-reuse always
use_backend f if TRUE|default_backend f|capture cookie A len 10|monitor-uri /x|monitor fail if TRUE
declare capture request len 10|tcp-request connection accept|tcp-request content accept
tcp-response content accept|tcp-response inspect-delay 5s|http-request deny|http-check send-state
http-response set-header a b|http-after-response set-header a b|redirect location /x
unique-id-format x|unique-id-header X-A|persist rdp-cookie|hash-balance-factor 150
hash-type consistent|log-format x|error-log-format x
rate-limit sessions 5|backlog 10|acl a src 1.2.3.4|id 7
description x|dispatch 127.0.0.1:80|ignore-persist if TRUE|force-persist if TRUE|stats enable
stats admin if TRUE|compression algo gzip|http-send-name-header X-A|source 0.0.0.0|filter trace
email-alert to x@y|tcp-check connect|tcp-request inspect-delay 5s|tcp-request session accept
clitcpka-cnt 3|srvtcpka-cnt 3|max-keep-alive-queue 5|load-server-state-from-file none
""".replace("\n", "|").split("|")


def measured(levels: list[tuple[str, str]]) -> set[Placement]:
    """What the reports on a line allow it to be called."""
    for level, text in levels:
        if level == "ALERT" and "in anonymous" in text.replace("an anonymous", "in anonymous"):
            return {Placement.NAMED_ONLY}
        if level == "ALERT":
            return {Placement.REFUSED, Placement.NAMED_ONLY}
        if "ignored" in text:
            return {Placement.IGNORED}
    return {Placement.ALLOWED, Placement.SILENT}


@pytest.mark.parametrize("kind", ["defaults", "frontend", "backend", "listen"])
def test_placement_is_what_haproxy_does(kind: str, tmp_path: Path) -> None:
    for judge in judges(tmp_path)[-1:]:
        for text in filter(None, LINES):
            header = kind if kind == "defaults" else f"{kind} f"
            body = f"{header}\n  {text}\n"
            config = body + DEFAULTS if kind == "defaults" else DEFAULTS + body
            _, reports = judge.check(config)
            place = 2 if kind == "defaults" else config.count("\n")
            spec = proxy_keyword(text.split())
            assert spec is not None, text
            found = spec.placement(kind)
            assert found in measured(reports.get(place, [])), (text, reports)


def test_haproxy_knows_the_keywords_of_its_version(tmp_path: Path) -> None:
    """Keywords said to be in 2.4 are no "unknown keyword" to 2.6 or 2.8; optional builds aside."""
    needs_build = ("deviceatlas", "wurfl", "51degrees", "tune.quic", "tune.zlib", "fd-hard-limit")
    needs_build += ("ssl-engine", "maxzlibmem", "tune.lua", "lua-")
    for judge in judges(tmp_path):
        names = [
            name
            for name in allowed_in("global")
            if not name.startswith(needs_build) and lookup("global", name.split(), Version((2, 4)))
        ]
        assert len(names) > 100
        for name, alert in judge.refused("global\n", names).items():
            assert "unknown keyword" not in alert, (name, alert)


@pytest.mark.parametrize(
    ("section", "head"),
    [
        ("peers", "peers p"),
        ("resolvers", "resolvers r"),
        ("userlist", "userlist u"),
        ("mailers", "mailers m"),
        ("cache", "cache c"),
        ("ring", "ring r"),
        ("http-errors", "http-errors e"),
        ("fcgi-app", "fcgi-app a"),
        ("log-forward", "log-forward l"),
    ],
)
def test_small_sections_have_no_other_keywords(section: str, head: str, tmp_path: Path) -> None:
    """Every global, proxy and section keyword: what is unknown here is unknown to the server."""
    candidates = {name.partition(" ")[0] for kind in SECTION_KINDS for name in allowed_in(kind)}
    candidates -= SECTION_KINDS
    known = {name.partition(" ")[0] for name in allowed_in(section)}
    unknown = sorted(candidates - known)
    assert len(unknown) > 100
    assert known
    for judge in judges(tmp_path)[-1:]:
        sample = unknown[::4]
        refused = judge.refused(f"{head}\n", sample, chunk=1 if section == "log-forward" else 40)
        for name in sample:
            assert "unknown" in refused.get(name, ""), (section, name, refused.get(name))


def test_words_of_a_keyword() -> None:
    spec = lookup("backend", ["timeout", "server", "5s"])
    assert spec is not None
    assert (spec.name, spec.length) == ("timeout server", 2)
    assert lookup("frontend", ["http-request", "set-var(txn.a)", "src"]) is not None
    assert lookup("frontend", ["http-request", "track-sc1", "src"]) is not None
    assert lookup("backend", ["persist", "rdp-cookie(name)"]) is not None
    assert lookup("global", ["stats", "socket", "/x"]) is not None
    assert lookup("global", ["stats", "enable"]) is None
    assert lookup("resolvers", ["timeout", "retry", "1s"]) is not None
    assert lookup("peers", ["balance"]) is None


def test_which_word_is_unknown() -> None:
    assert look_up("backend", ["balanse", "x"]).unknown == 0
    assert look_up("backend", ["timeout", "sever", "5s"]).unknown == 1
    assert look_up("frontend", ["tcp-request", "content", "acept"]).unknown == 2
    assert look_up("backend", ["timeout"]).unknown == 0
    assert not look_up("backend", ["${KEYWORD}"]).is_unknown
    assert not look_up("frontend", ["http-request", "lua.auth"]).is_unknown
    assert not look_up("healthcheck", ["whatever"]).is_unknown


def test_suggestions() -> None:
    assert suggest("frontend", "defualt_backend") == ["default_backend"]
    assert suggest("backend", "sever", ("timeout",)) == ["server"]
    assert suggest("frontend", "set-headr", ("http-request",)) == ["set-header"]
    assert suggest("backend", "httplgo", ("option",)) == ["httplog"]


def test_versions() -> None:
    assert [str(version) for version in versions()] == [
        "2.4", "2.6", "2.8", "3.0", "3.1", "3.2", "3.3", "3.4",
    ]  # fmt: skip
    guid = lookup("backend", ["guid", "x"])
    assert guid is not None
    assert guid.since == Version.parse("3.0")
    assert lookup("backend", ["guid", "x"], Version.parse("2.8")) is None
    assert lookup("backend", ["guid", "x"], Version.parse("3.2")) is not None
    assert parameter_since("server", "init-state") == Version.parse("3.1")
    assert parameter_since("server", "check") is None


def test_removed_keywords_are_not_unknown(tmp_path: Path) -> None:
    spec = proxy_keyword(["reqadd", "x"])
    assert spec is not None
    assert spec.removed == Version.parse("2.1")
    assert not spec.works_in(Version.parse("2.6"))
    names = ["reqadd", "block", "clitimeout", "appsession", "grace", "redispatch", "reqrep"]
    for judge in judges(tmp_path):
        refused = judge.refused(f"{DEFAULTS}listen l\n", [f"{name} a b" for name in names])
        for name in names:
            assert "not supported any" in refused[f"{name} a b"]


def test_argument_counts_are_those_of_the_server(tmp_path: Path) -> None:
    """One argument too few or too many is refused."""
    names = ["maxconn", "retries", "fullconn", "mode", "timeout server", "default_backend"]
    names += ["backlog", "id", "log-format", "option httpclose", "disabled", "errorfile"]
    lines = []
    for name in names:
        spec = proxy_keyword(name.split())
        assert spec is not None
        if spec.fewest:
            lines.append(" ".join([name, *["1"] * (spec.fewest - 1)]))
        if spec.most is not None:
            lines.append(" ".join([name, *["1"] * (spec.most + 1)]))
    for judge in judges(tmp_path):
        assert set(judge.refused(f"{DEFAULTS}listen l\n", lines)) == set(lines)


def test_samples() -> None:
    fetch = sample_fetch("req.hdr")
    assert fetch is not None
    assert (fetch.makes, fetch.most_arguments) == ("str", 2)
    assert fetch.works_in("frontend http-request header")
    assert not fetch.works_in("backend http-response header")
    status = sample_fetch("status")
    assert status is not None
    assert status.works_in("backend http-response header")
    assert not status.works_in("frontend use-backend")
    assert len(FETCH_CONTEXTS) == 22
    base64 = converter("base64")
    assert base64 is not None
    assert (base64.takes, base64.makes) == ("bin", "str")
    assert acl_keyword("hdr_beg") == "req.hdr -m beg"
    assert "compression" in filters()
    assert parameter_arities("bind")["crt"] == 1


def test_accepted_configurations_have_no_unknown_or_refused_keyword() -> None:
    lines = 0
    for path in corpus_files("haproxy", "haproxy_c_stubbed", {"ok", "ok-no-listener"}):
        for section in parse(Source(path.name, path.read_bytes())).sections:
            for line in section.lines:
                words = [word.value for word in line.words[0 if line.modifier is None else 1 :]]
                found = look_up(section.kind, words)
                assert not found.is_unknown, (path, line)
                lines += 1
                if found.spec is None:
                    continue
                placement = found.spec.placement(section.kind)
                assert placement is not Placement.REFUSED, (path, line)
                assert placement is not Placement.NAMED_ONLY or section.name, (path, line)
                count = len(words) - found.spec.length
                # `no log` takes the list of targets away and names none.
                assert count >= found.spec.fewest or line.modifier is not None, (path, line)
                assert found.spec.most is None or count <= found.spec.most, (path, line)
    assert lines > 3000
