"""Adopting gwlint where there are many findings already, as a team would: with the installed
command, in a real repository, up to the reports that code hosts read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from git_sandbox import Sandbox

LEGACY = 50
SITE = """\
upstream app{number} {{
    server 10.0.{number}.1:3000;
    keepalive 32;
    keepalive_timeout 4s;
}}
server {{
    listen 80;
    server_name site{number}.example.com;
    location / {{
        proxy_pass http://app{number};
        proxy_set_header Connection "";
    }}
}}
"""
ADDED = """\
    location /api/ {
        proxy_pass http://app7;
        proxy_set_header Connection "";
    }
"""
FAULTY_FILE, FAULTY_LINE, CODE = "nginx/sites/site7.conf", 10, "NGX402"
HAPROXY = """\
global
    maxconn 1000

defaults
    mode http
    option httplog
    log stdout format raw local0
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout http-request 10s

frontend web
    bind :8080
    default_backend app

backend app
    server app1 10.0.0.1:3000
    server app2 10.0.0.2:3000 check
"""


@pytest.fixture
def legacy(tmp_path: Path) -> Sandbox:
    """Fifty files of nginx with a fault each and one of HAProxy, committed with their baseline."""
    repo = Sandbox(tmp_path / "infrastructure")
    repo.write("nginx/nginx.conf", "events {}\nhttp {\n    include sites/*.conf;\n}\n")
    for number in range(LEGACY):
        repo.write(f"nginx/sites/site{number}.conf", SITE.format(number=number))
    repo.write("haproxy/haproxy.cfg", HAPROXY)
    first = repo.run("check", "--format", "json")
    codes = [one["code"] for one in first.json["findings"] if one["severity"] == "warning"]
    assert (first.code, codes.count(CODE)) == (1, LEGACY)
    assert "HAP501" in codes
    assert repo.run("check", "--write-baseline", "gwlint-baseline.json").code == 0
    repo.commit("adopt gwlint")
    return repo


def pull_request(repo: Sandbox) -> None:
    """One fault more, before the old one, and a file that goes by another name."""
    repo.git("switch", "--quiet", "--create", "feature")
    path = repo.top / FAULTY_FILE
    path.write_text(path.read_text().replace("    location / {\n", ADDED + "    location / {\n"))
    repo.git("mv", "nginx/sites/site23.conf", "nginx/sites/customer.conf")
    moved = repo.top / "nginx/sites/customer.conf"
    moved.write_text("# since 2026 for a customer\n" + moved.read_text())
    repo.commit("a route for the API; site 23 is a customer's")


ADOPTIONS = [("--baseline", "gwlint-baseline.json"), ("--diff-base", "main")]


def places_in_github(text: str) -> list[tuple[str, int, str]]:
    found = []
    for line in text.splitlines():
        if line.startswith(("::error ", "::warning ", "::notice ")):
            level, _, rest = line.partition(" ")
            properties = dict(one.split("=", 1) for one in rest.partition("::")[0].split(","))
            if level != "::notice":
                found.append(
                    (properties["file"], int(properties["line"]), properties["title"].split()[0])
                )
    return found


def places_in_sarif(document: Any) -> list[tuple[str, int, str]]:
    return [
        (
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["locations"][0]["physicalLocation"]["region"]["startLine"],
            result["ruleId"],
        )
        for result in document["runs"][0]["results"]
        if result["level"] != "note"
    ]


def places_in_gitlab(document: Any) -> list[tuple[str, int, str]]:
    return [
        (one["location"]["path"], one["location"]["lines"]["begin"], one["check_name"])
        for one in document
        if one["severity"] != "info"
    ]


@pytest.mark.parametrize("adoption", ADOPTIONS)
def test_a_pull_request_over_legacy(legacy: Sandbox, adoption: tuple[str, str]) -> None:
    assert legacy.run("check", *adoption).code == 0
    pull_request(legacy)
    run = legacy.run(
        *("check", *adoption),
        *("--format", "github", "--format", "sarif:out.sarif", "--format", "gitlab:out.json"),
    )
    assert run.code == 1
    sarif = json.loads((legacy.top / "out.sarif").read_bytes())
    gitlab = json.loads((legacy.top / "out.json").read_bytes())
    expected = [(FAULTY_FILE, FAULTY_LINE, CODE)]
    line = (legacy.top / FAULTY_FILE).read_text().splitlines()[FAULTY_LINE - 2 : FAULTY_LINE]
    assert line == ADDED.splitlines()[:2]
    assert places_in_github(run.text) == expected
    assert places_in_sarif(sarif) == expected
    assert places_in_gitlab(gitlab) == expected

    for name in ("out.sarif", "out.json"):
        (legacy.top / name).unlink()
    assert legacy.run("fix", *adoption, "--write").code == 0
    assert legacy.git("diff", "--name-only").split() == [FAULTY_FILE]
    changed = [one for one in legacy.git("diff", "--unified=0").splitlines() if one[0] in "+-"][2:]
    assert changed == ["+        proxy_http_version 1.1;"]
    clean = legacy.run("check", *adoption)
    assert clean.code == 0
    assert "warning" not in clean.text
    # It is fixed, not hidden: nothing else became known meanwhile.
    assert "NGX402" not in legacy.run("check", FAULTY_FILE, *adoption, "--profile", "strict").text


@pytest.mark.parametrize("adoption", ADOPTIONS)
def test_a_pull_request_may_suppress_with_a_reason(
    legacy: Sandbox, adoption: tuple[str, str]
) -> None:
    pull_request(legacy)
    path = legacy.top / FAULTY_FILE
    line = "        proxy_pass http://app7;\n"
    reasons = {
        "  # gwlint: ignore[NGX402] the API hangs up after each answer": (0, []),
        "  # gwlint: ignore[NGX402]": (1, ["GTW001", CODE]),
    }
    text = path.read_text()
    for comment, expected in reasons.items():
        path.write_text(text.replace(line, line.rstrip() + comment + "\n", 1))
        run = legacy.run("check", *adoption, "--format", "json")
        codes = {one["code"] for one in run.json["findings"] if one["severity"] != "info"}
        assert (run.code, sorted(codes)) == expected
        assert run.json["summary"]["suppressed"] == (expected[0] == 0)


@pytest.mark.parametrize("adoption", ADOPTIONS)
def test_a_pull_request_for_haproxy(legacy: Sandbox, adoption: tuple[str, str]) -> None:
    legacy.git("mv", "haproxy/haproxy.cfg", "haproxy/edge.cfg")
    path = legacy.top / "haproxy/edge.cfg"
    path.write_text(
        HAPROXY.replace("\nbackend app\n", "\nbackend app\n    # the old two\n")
        + "\nbackend more\n    server more1 10.0.0.1:3001\n    server more2 10.0.0.2:3001 check\n"
    )
    run = legacy.run("check", *adoption, "--format", "json", "--select", "HAP501")
    found = [(one["path"], one["start"]["line"]) for one in run.json["findings"]]
    assert (run.code, found) == (1, [("haproxy/edge.cfg", 23)])
