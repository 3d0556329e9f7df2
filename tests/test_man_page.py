"""docs/man/gwlint.1 says what the command line is now, and reads well."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "man" / "gwlint.1"


def test_the_page_is_what_its_script_makes_of_the_command_line(tmp_path: Path) -> None:
    made = tmp_path / "gwlint.1"
    subprocess.run([sys.executable, ROOT / "docs" / "man_page.py", made], check=True, timeout=60)
    assert PAGE.read_text() == made.read_text(), "run: python docs/man_page.py"


def test_it_has_each_command_and_option() -> None:
    text = PAGE.read_text().replace("\\-", "-")
    for command in ("check", "fix", "generate", "explain", "rules", "config show", "completion"):
        assert f'.SS "gwlint {command} [OPTIONS]' in text
    for option in ("--format", "--diff-base", "--unsafe", "--proxy", "--version"):
        assert f"\\fB{option}\\fR" in text


def test_groff_finds_no_fault() -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("groff is not installed: the manual page is not set")
    shown = subprocess.run(
        [groff, "-man", "-ww", "-Tutf8", PAGE],
        capture_output=True,
        text=True,
        env={**os.environ, "GROFF_NO_SGR": "1"},
        timeout=60,
        check=True,
    )
    assert shown.stderr == ""
    assert "GWLINT(1)" in shown.stdout


def test_man_shows_it() -> None:
    man = shutil.which("man")
    if man is None:
        pytest.skip("man is not installed: the manual page is not shown")
    shown = subprocess.run(
        [man, "--warnings", "-l", PAGE],
        capture_output=True,
        text=True,
        env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"},
        timeout=60,
        check=True,
    )
    assert shown.stderr == ""
    assert "--changed-only" in shown.stdout
