"""Baselines: what was known is left out wherever it stands now, and what is new is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run

Command = Callable[..., Run]

NGINX = """\
events {}
http {
    upstream app {
        server 127.0.0.1:3000;
        keepalive 32;
    }
    server {
        listen 8080;
        location / {
            proxy_pass http://app;
        }
    }
}
"""
HAPROXY = """\
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout http-request 10s

frontend web
    bind :8080
    default_backend app

backend app
    server app1 127.0.0.1:3000
    server app2 127.0.0.1:3001 check
"""
NEW_NGINX = "        location /new/ {\n            proxy_pass http://app;\n        }\n"
NEW_HAPROXY = """
backend more
    server app1 127.0.0.1:3000
    server app2 127.0.0.1:3001 check
"""
CODES = ("--select", "NGX402,HAP501", "--format", "json")


@pytest.fixture
def both(tmp_path: Path) -> Path:
    for name, text in (("conf/nginx.conf", NGINX), ("conf/haproxy.cfg", HAPROXY)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def found(run: Run) -> list[tuple[str, int]]:
    return [(one["code"], one["start"]["line"]) for one in run.json["findings"]]


def test_what_is_written_is_known(gwlint: Command, both: Path) -> None:
    run = gwlint("check", "--write-baseline", "known.json", *CODES)
    assert (run.code, found(run)) == (0, [])
    assert run.json["summary"]["baselined"] == 2
    assert "known.json: wrote 2 findings" in run.stderr
    later = gwlint("check", "--baseline", "known.json", *CODES)
    assert (later.code, later.stdout, later.stderr) == (0, run.stdout, "")
    text = gwlint("check", "--baseline", "known.json", "--select", "NGX402,HAP501").text
    assert text == "2 files: no findings; 2 known before\n"
    assert gwlint("check", *CODES).code == 1


def test_lines_that_move_stay_known_and_new_ones_are_found(gwlint: Command, both: Path) -> None:
    gwlint("check", "--write-baseline", "known.json", *CODES)
    nginx, haproxy = both / "conf/nginx.conf", both / "conf/haproxy.cfg"
    nginx.write_text(NGINX.replace("        location / {", NEW_NGINX + "        location / {"))
    haproxy.write_text("\n\n# moved\n" + HAPROXY.replace("    server app1 ", "\tserver  app1 "))
    run = gwlint("check", "--baseline", "known.json", *CODES)
    assert (run.code, found(run)) == (1, [("NGX402", 10)])
    assert run.json["summary"]["baselined"] == 2
    haproxy.write_text(HAPROXY + NEW_HAPROXY)
    run = gwlint("check", "--baseline", "known.json", *CODES)
    assert found(run) == [("HAP501", 17), ("NGX402", 10)]
    assert gwlint("check", "--baseline", "known.json", "--fail-on", "error").code == 0


def test_one_more_of_the_same_is_new(gwlint: Command, both: Path) -> None:
    """Two servers with the same statements in blocks of the same names cannot be told apart."""
    nginx = both / "conf/nginx.conf"
    server = NGINX[NGINX.index("    server {\n") : -2]
    nginx.write_text(NGINX.replace(server, server * 2))
    gwlint("check", "--write-baseline", "known.json", *CODES)
    nginx.write_text(NGINX.replace(server, server * 3))
    run = gwlint("check", "--baseline", "known.json", *CODES)
    assert (run.json["summary"]["baselined"], len(found(run))) == (3, 1)
    nginx.write_text(NGINX)
    assert found(gwlint("check", "--baseline", "known.json", *CODES)) == []


def test_paths_count_from_the_baseline(gwlint: Command, both: Path) -> None:
    gwlint("check", "--write-baseline", "known.json", *CODES)
    first = (both / "known.json").read_bytes()
    assert [one["path"] for one in json.loads(first)["findings"]] == [
        "conf/haproxy.cfg",
        "conf/nginx.conf",
    ]
    inner = both / "conf"
    assert gwlint("check", "--baseline", "../known.json", *CODES, cwd=inner).code == 0
    assert gwlint("check", "conf", "--baseline", both / "known.json", *CODES).code == 0
    gwlint("check", both / "conf", "--write-baseline", "../known.json", *CODES, cwd=inner)
    assert (both / "known.json").read_bytes() == first
    (both / "link").symlink_to("conf")
    assert gwlint("check", "link", "--baseline", "known.json", *CODES).code == 0
    # A copy elsewhere is another file.
    (both / "copy").mkdir()
    (both / "copy/nginx.conf").write_text(NGINX)
    assert gwlint("check", "copy", "--baseline", "known.json", *CODES).code == 1


def test_a_moved_file_is_known_by_its_findings(gwlint: Command, both: Path) -> None:
    gwlint("check", "--write-baseline", "known.json")
    nginx, moved = both / "conf/nginx.conf", both / "conf/edge.conf"
    nginx.rename(moved)
    assert gwlint("check", "--baseline", "known.json", *CODES).code == 0
    moved.write_text(NGINX.replace("        location / {", NEW_NGINX + "        location / {"))
    run = gwlint("check", "--baseline", "known.json", *CODES)
    assert found(run) == [("NGX402", 10)]
    # A copy is another file, and so is one with other statements.
    nginx.write_text(NGINX)
    run = gwlint("check", "--baseline", "known.json", *CODES)
    assert [one["path"] for one in run.json["findings"]] == ["conf/edge.conf"] * 2
    nginx.unlink()
    moved.write_text(NGINX.replace("location / ", "location /other/ "))
    assert found(gwlint("check", "--baseline", "known.json", *CODES)) == [("NGX402", 10)]


def test_the_baseline_says_no_line_and_no_statement(gwlint: Command, both: Path) -> None:
    gwlint("check", "--write-baseline", "known.json", "--profile", "strict")
    text = (both / "known.json").read_text()
    assert "127.0.0.1" not in text
    rows = [(one["path"], one["code"]) for one in json.loads(text)["findings"]]
    assert rows == sorted(rows)
    assert len(rows) > 2
    (both / "conf/nginx.conf").write_text("# moved\n" + NGINX)
    gwlint("check", "--write-baseline", "known.json", "--profile", "strict")
    assert (both / "known.json").read_text() == text


def test_suppressed_findings_are_not_written(gwlint: Command, both: Path) -> None:
    path = both / "conf/haproxy.cfg"
    path.write_text(HAPROXY.replace(":3000", ":3000 # gwlint: ignore[HAP501] legacy"))
    run = gwlint("check", "--write-baseline", "known.json", *CODES)
    summary = run.json["summary"]
    assert (summary["suppressed"], summary["baselined"]) == (1, 1)
    text = gwlint("check", "--baseline", "known.json", "--select", "NGX402,HAP501").text
    assert text == "2 files: no findings; 1 suppressed; 1 known before\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file"),
        ("", ":1:1: not JSON"),
        (NGINX, ":1:1: not JSON"),
        ("[]", "not a baseline that gwlint wrote"),
        ('{"version": 1, "findings": []}', "not a baseline that gwlint wrote"),
        ('{"kind": "gwlint-baseline", "version": 2, "findings": []}', "of version 2"),
        ('{"kind": "gwlint-baseline", "version": 1}', '"findings" is no list'),
        ('{"kind": "gwlint-baseline", "version": 1, "findings": [1]}', "finding 1 has no"),
        ("[" * 100_000, "not JSON"),
        (b"\xff\xfe\xfa", "not JSON"),
    ],
)
def test_a_file_that_is_no_baseline_is_2_and_kept(
    gwlint: Command, both: Path, content: str | bytes | None, says: str
) -> None:
    path = both / "known.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    run = gwlint("check", "--baseline", "known.json")
    assert (run.code, run.stdout) == (2, b"")
    assert run.stderr.startswith("gwlint: known.json:")
    assert says in run.stderr
    if content is not None:
        before = path.read_bytes()
        run = gwlint("check", "--write-baseline", "known.json")
        assert (run.code, run.stdout) == (2, b"")
        assert "it is left as it is" in run.stderr
        assert path.read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["--baseline", "a.json", "--write-baseline", "b.json"],
        ["--write-baseline", "no/such/folder.json"],
        ["--write-baseline", "conf"],
        ["--write-baseline", "conf/nginx.conf"],
        ["--baseline", "conf"],
    ],
)
def test_wrong_usage_is_2(gwlint: Command, both: Path, arguments: list[str]) -> None:
    run = gwlint("check", *arguments)
    assert (run.code, run.stdout) == (2, b"")
    assert run.stderr.startswith("gwlint: ")
    assert (both / "conf/nginx.conf").read_text() == NGINX
