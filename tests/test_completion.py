"""`gwlint completion`: real shells are asked what they would complete."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from select import select
from typing import Any

import pytest

from gwlint.cli.command_line import commands
from gwlint.cli.completion_words import values_for
from gwlint.registry import PROFILES, all_rules
from gwlint.report.formats import FORMATS

TIME_LIMIT = 60
Asked = Callable[[str], set[str]]

BASH = """
source ./script
IFS=' ' read -r -a COMP_WORDS <<< "$1"
[[ $1 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { :; }  # bash has it only while somebody presses Tab
_gwlint
printf '%s\\n' "${COMPREPLY[@]}"
"""
PROMPT = "what now? "
BASHRC = f"""
PS1='{PROMPT}'
bind 'set enable-bracketed-paste off' 'set bell-style none'
source ./script
gwlint() {{ echo "<$*>"; }}
"""
ZSHRC = f"""
PS1='{PROMPT}'; unset zle_bracketed_paste; unsetopt beep
autoload -Uz compinit; compinit -u -D
source ./script
gwlint() {{ print -r -- "<$*>" }}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shell")
    (folder / "edge.conf").touch()
    (folder / "edges").mkdir()
    return folder


def script(shell: str, folder: Path) -> None:
    made = subprocess.run(
        [Path(sys.executable).with_name("gwlint"), "completion", shell],
        capture_output=True,
        timeout=TIME_LIMIT,
        check=True,
    )
    (folder / "script").write_bytes(made.stdout)


def required(shell: str) -> str:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed: its completion is not tried")
    return path


def asked(command: list[str], folder: Path) -> set[str]:
    run = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, timeout=TIME_LIMIT, check=False
    )
    assert run.stderr == ""
    return {line.partition("\t")[0].rstrip("/") for line in run.stdout.splitlines() if line}


@pytest.fixture(scope="module", params=["bash", "fish"])
def candidates(request: pytest.FixtureRequest, folder: Path) -> Asked:
    """All that a shell offers behind a beginning of a command line."""
    path = required(request.param)
    script(request.param, folder)
    if request.param == "bash":
        return lambda typed: asked([path, "--norc", "-c", BASH, "bash", typed], folder)
    ask = "source ./script; complete -C $argv[1]"
    return lambda typed: asked([path, "--no-config", "-c", ask, typed], folder)


def test_commands(candidates: Asked) -> None:
    names = {"check", "fix", "generate", "explain", "rules", "config", "completion"}
    assert candidates("gwlint ") == names
    assert candidates("gwlint config ") == {"show", "schema", "init"}
    assert candidates("gwlint ch") == {"check"}


def test_options_of_the_command_at_hand(candidates: Asked) -> None:
    assert candidates("gwlint check --diff") == {"--diff-base"}
    assert candidates("gwlint fix --uns") == {"--unsafe"}
    assert candidates("gwlint check --uns") == set()
    assert candidates("gwlint check edge.conf --base") == {"--baseline"}


def test_values(candidates: Asked) -> None:
    assert candidates("gwlint check --format ") == set(FORMATS)
    assert candidates("gwlint rules --format ") == {"text", "json"}
    assert candidates("gwlint config show --format ") == {"text", "yaml", "json"}
    assert candidates("gwlint check --profile ") == set(PROFILES)
    assert candidates("gwlint check --fail-on ") == {"error", "warning", "info", "never"}
    assert candidates("gwlint generate --proxy ha") == {"haproxy"}
    assert candidates("gwlint completion ") == {"bash", "zsh", "fish"}


def test_rules_by_code_name_and_topic(candidates: Asked) -> None:
    codes = {rule.code for rule in all_rules() if rule.code.startswith("NGX4")}
    assert candidates("gwlint explain NGX4") == codes
    assert candidates("gwlint check --select NGX4") == codes
    assert candidates("gwlint fix --ignore keepalive-b") == {"keepalive-before-balancing"}
    assert candidates("gwlint check --select timeo") == {"timeouts"}
    assert candidates("gwlint check --select NGX402,timeo") == {"NGX402,timeouts"}


def test_files_and_folders(candidates: Asked) -> None:
    assert candidates("gwlint check ed") == {"edge.conf", "edges"}
    assert candidates("gwlint check --baseline edge.") == {"edge.conf"}
    assert candidates("gwlint generate edge.conf --output ed") == {"edges"}


TYPED = {
    "gwlint ch": "check",
    "gwlint conf\tsc": "config schema",
    "gwlint check --diff": "check --diff-base",
    "gwlint check --fail-on nev": "check --fail-on never",
    "gwlint check --profile=sec": "check --profile=security",
    "gwlint check -q --base\ted\t.": "check -q --baseline edge.conf",
    "gwlint config show --format y": "config show --format yaml",
    "gwlint explain keepalive-b": "explain keepalive-before-balancing",
    "gwlint check --select NGX402,timeo": "check --select NGX402,timeouts",
    "gwlint check edge.": "check edge.conf",
}
"""What is typed before the Tab key, and what the command is given."""


@pytest.mark.parametrize(
    ("shell", "start", "options"),
    [("bash", ".bashrc", ["--rcfile", ".bashrc"]), ("zsh", ".zshrc", ["-d"])],
    ids=["bash", "zsh"],
)
def test_at_the_prompt(shell: str, start: str, options: list[str], folder: Path) -> None:
    path = required(shell)
    script(shell, folder)
    (folder / start).write_text(BASHRC if shell == "bash" else ZSHRC)
    with Terminal([path, *options, "-i"], folder) as terminal:
        terminal.read_until(PROMPT)
        for typed, completed in TYPED.items():
            terminal.send(f"{typed}\t")
            assert f"<{completed}>\r\n" in terminal.read_until(">\r\n")
            terminal.read_until(PROMPT)


def test_no_option_is_without_its_words() -> None:
    free = {"REV", "N"}
    for command in commands():
        for one in command.parameters:
            if one.metavar and one.metavar not in free and "--stdin-filename" not in one.names:
                assert any(values_for(command, one)), (command.path, one)


def test_starting_gwlint_loads_nothing_for_it() -> None:
    check = "import sys, gwlint.cli.app; print('gwlint.registry' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout == "False\n"


def test_other_shells_are_refused(gwlint: Callable[..., Any]) -> None:
    run = gwlint("completion", "bahs")
    assert run.code == 2
    assert "did you mean bash?" in run.stderr


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._command = command
        self._folder = folder
        self._unread = ""

    def __enter__(self) -> Terminal:
        self._screen, inner = pty.openpty()
        self._process = subprocess.Popen(
            self._command,
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=self._folder,
            env={**os.environ, "TERM": "dumb", "ZDOTDIR": str(self._folder)},
            start_new_session=True,
        )
        os.close(inner)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._screen)

    def send(self, line: str) -> None:
        os.write(self._screen, f"{line}\n".encode())

    def read_until(self, end: str) -> str:
        """What it shows up to `end`; what follows is left for the next time."""
        limit = time.monotonic() + TIME_LIMIT
        while end not in self._unread:
            ready, _, _ = select([self._screen], [], [], max(0.0, limit - time.monotonic()))
            assert ready, f"no {end!r} in {self._unread!r}"
            self._unread += os.read(self._screen, 4096).decode(errors="replace")
        text, _, self._unread = self._unread.partition(end)
        return text + end
