"""The corrected configuration: by hand, and as the installed command `gwlint fix` writes it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from servers.binaries import absent, beside_python

COMMAND_SECONDS = 60

FILES = {"NGX": "nginx.conf", "HAP": "haproxy.cfg"}


def gwlint(*arguments: str, folder: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the installed command. The test fails when there is none."""
    command = beside_python("gwlint")
    if command is None:
        pytest.fail("the command gwlint is not installed")
    return subprocess.run(
        [command, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def corrected(files: Mapping[str, str], *options: str) -> dict[str, str]:
    """The files (relative path -> text) after `gwlint fix --write`, with further options.

    The test fails when the command fails, or when it changes nothing.
    """
    with tempfile.TemporaryDirectory(prefix="gwlint-") as folder:
        for path, text in files.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        done = gwlint("fix", "--write", *options, ".", folder=folder)
        texts = {path: Path(folder, path).read_text() for path in files}
    said = f"gwlint fix {' '.join(options)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    if done.returncode not in (0, 1):
        pytest.fail(said)
    if texts == dict(files):
        pytest.fail(f"nothing was corrected; {said}")
    return texts


@cache
def rules() -> frozenset[str]:
    """The codes that this gwlint knows."""
    done = gwlint("rules", "--format", "json")
    return (
        frozenset(rule["code"] for rule in json.loads(done.stdout)) if done.stdout else frozenset()
    )


class Correction:
    """Corrects a faulty configuration, in one of two ways; a scenario runs with each.

    By hand it proves the scenario: with these words replaced, the fault is gone. By the fix of
    the rule it proves gwlint.
    """

    def __init__(self, by_hand: bool) -> None:
        self.by_hand = by_hand

    def __call__(self, faulty: str, code: str, hand: Mapping[str, str], *options: str) -> str:
        """The corrected text. `hand` maps faulty words to correct ones; `options` go to the fix."""
        name = FILES[code[:3]]
        return self.files({name: faulty}, code, {name: hand}, *options)[name]

    def files(
        self,
        faulty: Mapping[str, str],
        code: str,
        hand: Mapping[str, Mapping[str, str]],
        *options: str,
    ) -> dict[str, str]:
        """The same for several files: path -> text, path -> replacements."""
        if self.by_hand:
            texts = dict(faulty)
            for path, words in hand.items():
                texts[path] = replaced(texts[path], words)
            return texts
        if code not in rules():
            absent(f"this gwlint has no rule {code}")
        return corrected(faulty, "--select", code, *options)


def replaced(text: str, words: Mapping[str, str]) -> str:
    """The text with words replaced, each of which it has to hold."""
    for old, new in words.items():
        if old not in text:
            pytest.fail(f"nothing to replace: {old!r} is not in\n{text}")
        text = text.replace(old, new)
    return text
