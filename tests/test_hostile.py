"""Inputs that are made to hang or to crash gwlint end with an answer; here each is small."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import ENVIRONMENT, GWLINT
from hostile_shapes import CHECK, SHAPES, Shape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gwlint.cli.baselines import EVERYTHING
from gwlint.cli.checking import Effort, Printing, run_check
from gwlint.cli.failure import FINDINGS, NO_FINDINGS, Failure
from gwlint.cli.inputs import Inputs
from gwlint.engine import check
from gwlint.project import Overlay, absolute_path, load_project
from gwlint.registry import all_rules
from gwlint.report import github
from gwlint.report.formats import FORMATS
from gwlint.report.masking import masked
from gwlint.report.style import Style
from gwlint.report.text import View
from gwlint.settings import Settings
from gwlint.source import encode

SMALL = 40
"""Repetitions, of what is repeated up to a million times in the benchmark."""


def few(shape: Shape) -> int:
    return min(shape.size, SMALL)


@pytest.mark.parametrize(
    "shape", [one for one in SHAPES if one.arguments == CHECK], ids=lambda shape: shape.name
)
def test_a_check_of_a_hostile_input_ends_with_an_answer(
    shape: Shape,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process: the command itself would take a second for each of a hundred shapes."""
    shape.write(tmp_path, few(shape))
    monkeypatch.chdir(tmp_path)
    inputs = Inputs(paths=(".",), profile="strict")
    try:
        code = run_check(inputs, Printing(("json",)), EVERYTHING, Effort(use_cache=False, jobs=1))
    except Failure as failure:
        assert str(failure)
    else:
        assert code in (NO_FINDINGS, FINDINGS)
        assert json.loads(capsys.readouterr().out)["files"]


@pytest.mark.parametrize(
    "shape", [one for one in SHAPES if one.arguments != CHECK], ids=lambda shape: shape.name
)
def test_a_fix_or_a_spec_of_a_hostile_input_ends_with_an_answer(
    shape: Shape, tmp_path: Path, gwlint: Callable[..., Any]
) -> None:
    shape.write(tmp_path, few(shape))
    run = gwlint(*shape.arguments)
    assert run.code in (0, 2)
    assert run.code == 0 or run.stderr


HOSTILE = (
    *("\x1b[31m", "\x1b]0;title\x07", "\x1b]8;;http://evil/\x1b\\", "\x9b1m"),
    *("\x00", "\x08", "\x7f", "\r", "\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\x85"),
    *("\U000e0041", "\udc9b", "\n", "\n::error::x", "%0A::set-output name=a::b"),
    *("::stop-commands::x", "##[command]x", "<script>", "]]>", "&#27;", "|", "`", "@me"),
    *("[x](javascript:alert(1))", "![x](http://evil/)"),
    *("a", " ", '"', "'", "\\", "#", "{", "}", ";", "$x", "é", "${X}"),
)
LINES = {
    "nginx.conf": (
        *("events {{}}\nhttp {{ server {{ {} on;", "proxy_pass http://{};", "location {} {{"),
        *("# gwlint: ignore[{}] reason", "include {};", "upstream {} {{", "listen {};", "{}"),
        *("return 200 {};", "set ${} x;", "proxy_read_timeout {};", "}}"),
    ),
    "haproxy.cfg": (
        *("frontend {}", " bind {}", " use_backend {} if {}", " acl {} path {}", "{}", " {} x"),
        *("# gwlint: ignore[{}] reason", "backend {}", " server {} {}:80 check", " timeout {} 5"),
        *(" http-request set-header {} {}", " log-format {}"),
    ),
}
FRAGMENT = st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4).map("".join)
WIDE = View(Style(colour=False), brief=False, with_info=True)


@st.composite
def hostile_files(draw: st.DrawFn) -> tuple[str, str]:
    """A name and a text, each with what steers terminals, CI services and markup."""
    name = draw(st.sampled_from(sorted(LINES)))
    lines = draw(st.lists(st.sampled_from(LINES[name]), min_size=1, max_size=8))
    text = "\n".join(line.format(draw(FRAGMENT), draw(FRAGMENT)) for line in lines)
    file = draw(FRAGMENT).replace("/", "").replace("\0", "") + "." + name
    return file, text + "\n"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(given_file=hostile_files())
def test_no_format_lets_a_file_steer_its_reader(
    given_file: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, text = given_file
    monkeypatch.chdir(tmp_path)
    options = Settings(profile="strict")
    content = {absolute_path(name): encode(text)}
    project = load_project([name], options, Overlay(content))
    report = masked(check(project, options, list(all_rules())))
    for format_name, render in FORMATS.items():
        printed = render(report, WIDE)
        wrong = {char for char in printed if not char.isprintable() and char != "\n"}
        assert not wrong, (format_name, wrong)
        require_shape(format_name, printed)
    require_shape("summary", github.step_summary(report, WIDE))


def require_shape(format_name: str, printed: str) -> None:
    """What the reader of a format would take for an order of gwlint's is one."""
    if format_name in ("json", "sarif", "gitlab", "rdjson"):
        json.loads(printed)
    elif format_name in ("junit", "checkstyle"):
        ElementTree.fromstring(printed)
    elif format_name == "github":
        assert all(re.match(r"::(error|warning|notice) file=", one) for one in printed.splitlines())
    elif format_name == "summary":
        cells = [line for line in printed.splitlines() if line.startswith("|")]
        assert not re.search(r"(?<!\\)[\[<`@]", printed)
        assert all(len(re.findall(r"(?<!\\)\|", line)) == 5 for line in cells)


ECHOED = "\x1b]0;title\x07\x1b[31m"


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", ECHOED],
        ["check", f"--{ECHOED}"],
        ["check", "--format", ECHOED],
        ["check", "--format", f"json:nowhere/{ECHOED}"],
        ["check", "--select", ECHOED],
        ["check", "--target", f"nginx={ECHOED}"],
        ["check", "--config", ECHOED],
        ["check", "--config", "hostile.yaml"],
        ["check", "--baseline", ECHOED],
        ["check", "--diff-base", ECHOED],
        ["check", "--jobs", ECHOED],
        ["check", "--profile", ECHOED],
        ["fix", "--format", ECHOED],
        ["generate", "hostile.yaml"],
        ["generate", ECHOED],
        ["explain", ECHOED],
        ["config", "show", "--config", "hostile.yaml"],
        [ECHOED],
    ],
    ids=lambda arguments: " ".join(arguments).replace(ECHOED, "ESC"),
)
def test_errors_steer_no_terminal(
    arguments: list[str], tmp_path: Path, gwlint: Callable[..., Any]
) -> None:
    (tmp_path / "nginx.conf").write_text("events {}\n")
    (tmp_path / "hostile.yaml").write_text(f'"{ECHOED!a}": 1\n'.replace("'", ""))
    run = gwlint(*arguments)
    assert run.code == 2
    assert all(char.isprintable() or char == "\n" for char in run.text + run.stderr)


def test_a_patch_on_a_terminal_steers_it_not(tmp_path: Path) -> None:
    """In a pipe and in a file it has the bytes as they are."""
    text = b"events {}\nhttp {\n# \x1b]0;title\x07\n# gwlint: ignore[NGX401]\n# \x1b[31m\n}\n"
    (tmp_path / "nginx.conf").write_bytes(text)
    ours, theirs = pty.openpty()
    try:
        command = [GWLINT, "fix", "nginx.conf"]
        environment = {**ENVIRONMENT, "TERM": "dumb"}
        run = partial(subprocess.run, command, cwd=tmp_path, env=environment, check=True)
        run(stdout=theirs, stderr=subprocess.DEVNULL)
        shown = os.read(ours, 1 << 16)
        piped = run(stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    finally:
        os.close(ours)
        os.close(theirs)
    assert b"\x1b" not in shown
    assert rb"\x1b]0;title\x07" in shown
    assert b"\x1b]0;title\x07" in piped
