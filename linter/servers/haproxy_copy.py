"""A scratch copy of a HAProxy configuration that `haproxy -c` can read without touching anything.

`haproxy -c` binds no socket, but it looks host names up, loads certificates, pattern files and Lua
scripts, and looks users up. Edits on words put stand-ins in their place; no line moves.

What is left is HAProxy's own resolver for its HTTP client: since 2.6 it opens a UDP socket to the
machine's name server when it starts, also with `-c`, and sends nothing on it (seen with strace).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from gwlint.edits import Change, apply
from gwlint.servers.credentials import credentials
from gwlint.servers.haproxy_values import address, pattern_file, with_local_files
from gwlint.servers.owner import group_name, user_name
from gwlint.servers.standins import StandIns
from gwlint.source import encode
from gwlint.syntax.haproxy.tree import HaproxyFile, Line, Word

if TYPE_CHECKING:
    from gwlint.project import HaproxyRoot

_DROPPED = frozenset(
    {
        "51degrees-data-file",
        "backing-file",
        "default-path",
        "deviceatlas-json-file",
        "h1-case-adjust-file",
        "issuers-chain-path",
        "lua-load",
        "lua-load-per-thread",
        "lua-prepend-path",
        "ssl-engine",
        "ssl-provider",
        "ssl-provider-path",
        "ssl-propquery",
        "wurfl-data-file",
    }
)
"""Lines that read or write a file, load code or change the folder, and define nothing."""

_ADDRESS_ARGUMENT = {
    "bind": 0,
    "dgram-bind": 0,
    "dispatch": 0,
    "log": 0,
    "mailer": 1,
    "nameserver": 1,
    "peer": 1,
    "server": 1,
    "server-template": 2,
    "source": 0,
}
"""Which argument of a line is an address."""

_ADDRESS_PARAMETERS = frozenset({"addr", "source", "socks4", "usesrc"})
_PARAMETER_LINES = frozenset(
    {
        "bind",
        "default-server",
        "http-check",
        "load",
        "peer",
        "server",
        "server-template",
        "ssl-default-bind-options",
        "stats",
        "tcp-check",
        "unix-bind",
    }
)
"""Lines on which a word may be followed by its value."""

_FILE_PARAMETERS = frozenset({"file", "lf-file", "errorfile"})

_SECRETS = frozenset({"ca-file", "ca-sign-file", "ca-verify-file", "crt", "crt-list", "key"})

_STATUSES = frozenset(
    map(str, (200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 425, 429, *range(500, 505)))
)
"""What `errorfile` takes (configuration manual, section 4.2)."""


@dataclass(frozen=True, slots=True)
class HaproxyCopy:
    """The copies in the order of their files, and which file each stands for; `unsafe` says what
    forbids a test."""

    files: list[Path]
    copies: dict[Path, str]
    unsafe: str | None


def copy_haproxy(root: HaproxyRoot, standins: StandIns) -> HaproxyCopy:
    """The scratch copy of the files that one process loads."""
    files: list[Path] = []
    copies: dict[Path, str] = {}
    unsafe: str | None = None
    for file in root.files:
        if not isinstance(file.tree, HaproxyFile):
            continue
        unsafe = unsafe or next(filter(None, map(_unsafe, file.tree.lines)), None)
        changes = [change for line in file.tree.lines for change in _changes(line, standins)]
        copy = standins.path(f"configuration {file.path}")
        copy.write_bytes(apply(file.tree.source.data, changes))
        files.append(copy)
        copies[copy] = file.path
    return HaproxyCopy(files, copies, unsafe)


def _unsafe(line: Line) -> str | None:
    """Why HAProxy must not be asked: the line may turn out to load what runs while it tests.

    A keyword from the environment may be any, `lua-load` too, since the file itself can set the
    variable; and the configuration of a filter names libraries and files of its own.
    """
    if any(word.references for word in line.words[: 2 if line.modifier else 1]):
        return "a keyword that comes from the environment might run code while HAProxy tests"
    words = line.arguments
    if line.keyword == "filter" and any(one.references or one.value == "config" for one in words):
        return "a filter with a configuration of its own might load anything while HAProxy tests"
    return None


def _changes(line: Line, standins: StandIns) -> Iterator[Change]:
    """The edits of one line, in order of place."""
    if line.keyword in _DROPPED and line.section is not None and line.section.header is not line:
        yield Change(line.words[0].start, line.words[-1].end, b"")
        return
    new = {
        (word.start, word.end): text
        for word, text in _stand_ins(line, standins)
        if text != word.value
    }
    for (start, end), text in sorted(new.items()):
        yield Change(start, end, encode(text))


_StandIn = tuple[Word, str]


def _stand_ins(line: Line, standins: StandIns) -> Iterator[_StandIn]:
    if line.keyword == ".alert" and _asks_for_variables(line):
        # The environment here is not that of the service, so nothing is wrong with it.
        yield line.words[0], ".notice"
    if line.section is None or line.section.header is line or line.is_preprocessor:
        return
    yield from _paths_and_users(line, standins)
    yield from _addresses(line, standins)
    if line.keyword in _PARAMETER_LINES:
        yield from _parameters(line, standins)
    yield from _pattern_files(line, standins)


def _asks_for_variables(line: Line) -> bool:
    """Whether it is only there where a variable is, or is not, set."""
    return any("defined(" in (branch.expression or "") for branch in line.conditions)


def _paths_and_users(line: Line, standins: StandIns) -> Iterator[_StandIn]:
    """Lines whose first argument is a path, a user or a group."""
    arguments = line.arguments
    kind = "" if line.section is None else line.section.kind
    if not arguments:
        return
    if kind in ("global", "program") and line.keyword in ("user", "group"):
        yield arguments[0], _owner(line.keyword)
    elif line.keyword in ("chroot", "crt-base", "ca-base", "key-base"):
        yield arguments[0], str(standins.folder)
    elif line.keyword == "pidfile":
        yield arguments[0], str(standins.path(arguments[0].value))
    elif line.keyword == "ssl-dh-param-file" and (made := credentials()):
        yield arguments[0], str(made.parameters)
    elif line.keyword == "errorfile" and len(arguments) > 1:
        yield arguments[1], _response(arguments[0].value, standins)


def _addresses(line: Line, standins: StandIns) -> Iterator[_StandIn]:
    index = _ADDRESS_ARGUMENT.get(line.keyword)
    if index is None or index >= len(line.arguments):
        return
    word = line.arguments[index]
    if word.references:
        return
    yield word, ",".join(address(part, standins) for part in word.value.split(","))


def _parameters(line: Line, standins: StandIns) -> Iterator[_StandIn]:
    """Words after `crt`, `ca-file`, `addr`, `user` and the like."""
    arguments = line.arguments
    for name, value in pairwise(arguments):
        key = name.value
        if key in ("user", "group"):
            yield value, _owner(key)
        elif key in ("uid", "gid"):
            yield value, str(os.geteuid() if key == "uid" else os.getegid())
        elif key in _ADDRESS_PARAMETERS and not value.references:
            yield value, address(value.value, standins)
        elif key in ("crl-file", "ocsp", "sctl", "issuer"):
            yield name, ""
            yield value, ""
        elif key in _SECRETS and not value.value.startswith("@"):
            yield value, _secret(key, value.value, line, standins)


def _secret(key: str, original: str, line: Line, standins: StandIns) -> str:
    """The file for `crt`, `ca-file` and the like; the original where none can be made."""
    made = credentials()
    if made is None or (key == "key" and line.keyword != "load"):
        return original
    if key == "crt-list":
        return str(standins.text_file("crt-list", f"{made.bundle}\n"))
    if key == "key":
        return str(made.key)
    return str(made.certificate if key in ("ca-file", "ca-verify-file") else made.bundle)


def _pattern_files(line: Line, standins: StandIns) -> Iterator[_StandIn]:
    """Files of ACLs, maps and answers."""
    arguments = line.arguments
    for before, word in pairwise(arguments):
        if before.value == "-f":
            yield word, pattern_file(word.value, standins)
        elif before.value in _FILE_PARAMETERS and line.keyword.startswith(("http-", "tcp-")):
            answer = before.value == "errorfile"
            yield word, _response("503", standins) if answer else str(standins.empty_file())
    for word in arguments:
        text = with_local_files(word.value, standins)
        if text != word.value and not word.references:
            yield word, _quoted(text)


def _quoted(value: str) -> str:
    """A word that HAProxy reads as `value`: in strong quotes nothing is special."""
    return "'" + value.replace("'", "'\\''") + "'"


def _response(status: str, standins: StandIns) -> str:
    """A file with an answer of that status, as `errorfile` wants it."""
    text = f"HTTP/1.1 {status} Gateway\r\ncontent-length: 0\r\n\r\n"
    name = f"answer-{status}" if status in _STATUSES else "answer"
    return str(standins.text_file(name, text))


def _owner(kind: str) -> str:
    return user_name() if kind == "user" else group_name()
