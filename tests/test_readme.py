"""README shows what gwlint really prints."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
CONFIGURATION = re.findall(r"With this nginx.conf:\n\n```nginx\n(.*?)```", README, re.DOTALL)[0]
SHOWN = re.findall(
    r"```console\n\$ gwlint ((?:check|fix) nginx\.conf)\n(.*?)```", README, re.DOTALL
)


def test_there_is_something_to_compare() -> None:
    assert [command for command, _ in SHOWN] == ["check nginx.conf", "fix nginx.conf"]


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_the_output_is_what_the_command_prints(
    command: str, output: str, tmp_path: Path, gwlint: Callable[..., Any]
) -> None:
    (tmp_path / "nginx.conf").write_text(CONFIGURATION)
    assert gwlint(*command.split()).text == output
