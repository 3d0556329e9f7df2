"""README is short, leads somewhere, and shows what gwlint really prints."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

spec = importlib.util.spec_from_file_location("docs_shown", ROOT / "docs" / "shown.py")
assert spec is not None and spec.loader is not None
shown = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shown)


def test_there_is_something_to_compare() -> None:
    assert list(shown.files(README)) == ["nginx.conf", "shop.yaml"]
    commands = [command.split()[1] for command in shown.commands(README)]
    assert commands == ["check", "fix", "generate", "check"]


def test_the_output_is_what_the_commands_print(tmp_path: Path) -> None:
    assert shown.renewed(README, tmp_path) == README, "run: python docs/shown.py README.md"


def test_a_stranger_reads_it_in_two_minutes() -> None:
    assert len(README.splitlines()) < 150


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)", README)
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_fault_at_the_top_is_in_the_example() -> None:
    lines = re.findall(r"^```nginx\n(.*?)```", README, re.MULTILINE | re.DOTALL)[0].splitlines()
    assert all(line.strip() in shown.files(README)["nginx.conf"] for line in lines)
    assert "NGX106" in README


def test_make_knows_its_targets() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"^make (\w+)", README, re.MULTILINE)) | {"docs"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
