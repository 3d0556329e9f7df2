"""What gwlint does with 1,714 real configurations that people wrote."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REFUSALS = {
    *("NGX001", "NGX003", "NGX004", "NGX007", "NGX202"),
    *("HAP001", "HAP003", "HAP004", "HAP006", "HAP101"),
}
"""What these say as errors, the real server says too: it does not start."""

ONLY_AT_START = "there is no ring "
"""HAProxy does not start without it; `haproxy -c` says nothing of it (measured on 2.6 and 2.8)."""

ACCEPTED = ("ok", "ok-no-listener")
EACH = 30
"""Fixes are made for one file in so many: asking the real server takes its time."""


def corpus() -> tuple[Path, list[dict[str, str]]]:
    folder = os.environ.get("GWLINT_CORPUS")
    if folder is None:
        pytest.skip("GWLINT_CORPUS names no corpus")
    with (Path(folder) / "manifest.tsv").open(encoding="utf-8") as lines:
        return Path(folder), list(csv.DictReader(lines, delimiter="\t"))


def is_accepted(row: dict[str, str]) -> bool:
    """Whether the real server takes the file as it is, or with what it misses supplied."""
    verdicts = ("nginx_t", "nginx_t_stubbed", "haproxy_c", "haproxy_c_stubbed")
    return any(row[verdict] in ACCEPTED for verdict in verdicts)


def test_every_file_is_reported_and_no_accepted_one_is_refused(gwlint: Callable[..., Any]) -> None:
    folder, rows = corpus()
    names = [row["local"] for row in rows]
    done = gwlint("check", "--format", "json", "--fail-on", "never", *names, cwd=folder)
    assert done.code == 0
    report = done.json
    assert {file["path"] for file in report["files"]} >= set(names)
    assert {file["status"] for file in report["files"]} <= {
        "ok",
        "syntax-error",
        "skipped-template",
    }
    accepted = {row["local"] for row in rows if is_accepted(row)}
    wrong = [
        (one["path"], one["code"], one["message"])
        for one in report["findings"]
        if one["code"] in REFUSALS and one["severity"] == "error" and one["path"] in accepted
        if not one["message"].startswith(ONLY_AT_START)
    ]
    assert wrong == []


def sampled() -> list[str]:
    if "GWLINT_CORPUS" not in os.environ:
        return []
    rows = [row for row in corpus()[1] if is_accepted(row) and row["templating"] != "jinja"]
    return [row["local"] for row in rows[::EACH]]


@pytest.mark.parametrize("name", sampled())
def test_patches_apply_and_a_second_run_is_empty(
    name: str, tmp_path: Path, gwlint: Callable[..., Any]
) -> None:
    """The real server is asked by `gwlint fix` itself, which prints nothing that it refuses."""
    file = tmp_path / Path(name).name
    shutil.copyfile(corpus()[0] / name, file)
    original = file.read_bytes()
    options = ["--unsafe", "--profile", "strict", file.name]
    patch = gwlint("fix", *options).stdout
    gwlint("fix", "--write", *options)
    written = file.read_bytes()
    assert gwlint("fix", *options).stdout == b""
    for command in (["git", "apply", "--whitespace=nowarn"], ["patch", "-p1", "--binary", "-s"]):
        file.write_bytes(original)
        if patch:
            subprocess.run(command, input=patch, cwd=tmp_path, check=True, timeout=30)
        assert file.read_bytes() == written
