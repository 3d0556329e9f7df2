"""samples/ tells newcomers the truth: what is faulty, and what the fixes make of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parent.parent / "samples"


@pytest.mark.parametrize("proxy", ["nginx", "haproxy"])
def test_the_fixed_sample_is_the_faulty_one_after_its_fixes(
    proxy: str, tmp_path: Path, gwlint: Callable[..., Any]
) -> None:
    shutil.copytree(SAMPLES / proxy / "faulty", tmp_path / "faulty")
    assert gwlint("check", "faulty").code == 1
    assert gwlint("fix", "--unsafe", "--write", "faulty").code == 0
    (fixed,) = (SAMPLES / proxy / "fixed").iterdir()
    assert (tmp_path / "faulty" / fixed.name).read_text() == fixed.read_text()


@pytest.mark.parametrize("proxy", ["nginx", "haproxy"])
def test_nothing_is_left_to_say_about_the_fixed_sample(
    proxy: str, gwlint: Callable[..., Any]
) -> None:
    found = gwlint("check", SAMPLES / proxy / "fixed", "--format", "json").json["findings"]
    assert [one for one in found if one["severity"] != "info"] == []


def test_the_chain_shows_the_inversion_and_nothing_else(gwlint: Callable[..., Any]) -> None:
    found = gwlint("check", SAMPLES / "chain", "--format", "json").json["findings"]
    assert [one["code"] for one in found if one["severity"] != "info"] == ["GTW301"]
