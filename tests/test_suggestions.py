"""The patch of `gwlint fix` as suggestions: made one by one, they are the patch."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONFIGURATION = """\
events {}
http {
    upstream app {
        server 127.0.0.1:3000;
        keepalive 32;
        keepalive_timeout 4s;
    }
    server {
        listen 8080;
        location / { proxy_pass http://app; }
        location /a {
            proxy_pass http://app;
            proxy_set_header Connection "";
        }
        # ``` fences
        error_log off;
    }
}"""


@pytest.fixture
def fixed(tmp_path: Path, gwlint: Callable[..., Any]) -> str:
    """The configuration after `gwlint fix --write`."""
    folder = tmp_path / "written"
    folder.mkdir()
    (folder / "nginx.conf").write_text(CONFIGURATION)
    assert gwlint("fix", "--write", "--unsafe", cwd=folder).code == 0
    return (folder / "nginx.conf").read_text()


def replaced(text: str, changes: list[tuple[int, int, str]]) -> str:
    """`text` with lines `first` to `last` (from 1, both included) replaced; none twice."""
    lines = text.splitlines(keepends=True)
    above = len(lines) + 1
    for first, last, new in sorted(changes, reverse=True):
        assert last < above
        above = first
        lines[first - 1 : last] = [new]
    return "".join(lines)


def test_rdjson_has_the_patch(tmp_path: Path, gwlint: Callable[..., Any], fixed: str) -> None:
    (tmp_path / "nginx.conf").write_text(CONFIGURATION)
    found = gwlint("fix", "--unsafe", "--format", "rdjson", "nginx.conf").json["diagnostics"]
    changes = []
    for one in found:
        (suggestion,) = one["suggestions"]
        assert suggestion["range"] == one["location"]["range"]
        start, end = suggestion["range"]["start"], suggestion["range"]["end"]
        assert start["column"] == end["column"] == 1
        changes.append((start["line"], end["line"] - 1, suggestion["text"]))
    assert fixed != CONFIGURATION
    assert replaced(CONFIGURATION, changes) == fixed
    assert any("NGX402 keepalive-without-http11" in one["message"] for one in found)


def test_a_github_review_has_the_patch(
    tmp_path: Path, gwlint: Callable[..., Any], fixed: str
) -> None:
    (tmp_path / "nginx.conf").write_text(CONFIGURATION)
    run = gwlint("fix", "--unsafe", "--format", "github-suggestions", "nginx.conf")
    assert run.json["event"] == "COMMENT"
    changes = []
    for comment in run.json["comments"]:
        assert (comment["path"], comment["side"]) == ("nginx.conf", "RIGHT")
        block = re.search(
            r"^(`{3,})suggestion\n(.*?)^\1$", comment["body"], re.DOTALL | re.MULTILINE
        )
        assert block is not None
        first = comment.get("start_line", comment["line"])
        assert first <= comment["line"]
        changes.append((first, comment["line"], block[2]))
    assert replaced(CONFIGURATION, changes) == fixed


def test_nothing_to_fix_is_an_empty_review(tmp_path: Path, gwlint: Callable[..., Any]) -> None:
    (tmp_path / "nginx.conf").write_text("events {}\n")
    assert gwlint("fix", "--format", "github-suggestions", "nginx.conf").json["comments"] == []
    assert gwlint("fix", "--format", "rdjson", "nginx.conf").json["diagnostics"] == []


def test_another_format_is_refused(tmp_path: Path, gwlint: Callable[..., Any]) -> None:
    (tmp_path / "nginx.conf").write_text("events {}\n")
    run = gwlint("fix", "--format", "diff", "nginx.conf")
    assert run.code == 2
    assert "patch, rdjson, github-suggestions" in run.stderr
