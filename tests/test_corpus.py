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
from fix_contract import Servers, Subject
from fix_corpus import accepted_files, is_accepted

REFUSALS = {
    *("NGX001", "NGX003", "NGX004", "NGX007", "NGX202"),
    *("HAP001", "HAP003", "HAP004", "HAP006", "HAP101"),
}
"""What these say as errors, the real server says too: it does not start."""

ONLY_AT_START = "there is no ring "
"""HAProxy does not start without it; `haproxy -c` says nothing of it (measured on 2.6 and 2.8)."""

EACH = 60
"""Fixes are made for one file in so many: asking the real servers takes its time. All files, by
hand: fix_corpus.py."""


def corpus() -> tuple[Path, list[dict[str, str]]]:
    folder = os.environ.get("GWLINT_CORPUS")
    if folder is None:
        pytest.skip("GWLINT_CORPUS names no corpus")
    with (Path(folder) / "manifest.tsv").open(encoding="utf-8") as lines:
        return Path(folder), list(csv.DictReader(lines, delimiter="\t"))


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


def sampled(first: int) -> list[tuple[str, str]]:
    """Path and dialect of one accepted file in EACH."""
    folder = os.environ.get("GWLINT_CORPUS")
    return accepted_files(Path(folder))[first::EACH] if folder else []


@pytest.mark.parametrize("file", sampled(0), ids=lambda file: file[0])
def test_patches_apply_and_a_second_run_is_empty(
    file: tuple[str, str], tmp_path: Path, gwlint: Callable[..., Any]
) -> None:
    """The real server is asked by `gwlint fix` itself, which prints nothing that it refuses."""
    path = tmp_path / Path(file[0]).name
    shutil.copyfile(corpus()[0] / file[0], path)
    original = path.read_bytes()
    options = ["--unsafe", "--profile", "strict", path.name]
    patch = gwlint("fix", *options).stdout
    gwlint("fix", "--write", *options)
    written = path.read_bytes()
    assert gwlint("fix", *options).stdout == b""
    for command in (["git", "apply", "--whitespace=nowarn"], ["patch", "-p1", "--binary", "-s"]):
        path.write_bytes(original)
        if patch:
            subprocess.run(command, input=patch, cwd=tmp_path, check=True, timeout=30)
        assert path.read_bytes() == written


@pytest.mark.parametrize("file", sampled(EACH // 2), ids=lambda file: file[0])
def test_every_combination_of_fixes_holds_the_contract(
    file: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever rules make their fixes alone, in pairs or together; each server there is judges."""
    local, dialect = file
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copyfile(corpus()[0] / local, folder / Path(local).name)
    monkeypatch.chdir(folder)
    subject = Subject(folder, Path(local).name, dialect, Servers(tmp_path))
    flaws = {
        combination.label: outcome.flaws
        for combination in subject.combinations(local)
        if (outcome := subject.examine(combination)).flaws
    }
    assert flaws == {}
