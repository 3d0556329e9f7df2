"""Keywords of HAProxy that are gone or will go, and how to say the same today.

Which proxy keywords are removed, and when, is told by `KeywordSpec.removed`. Here stands what took
their place, and what the keyword tables do not hold. What 2.6.12 and 2.8.25 say was measured.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gwlint.edits import Edit
from gwlint.source import Span, decode
from gwlint.syntax.haproxy.amend import line_after, line_removed, replaced, words_removed
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.version import Version

OLDEST = Version.parse("2.4")
"""The oldest version that is still in use: what it refuses, all refuse."""

NEWEST = Version.parse("3.4")
"""The newest stable version: what goes later is still good everywhere."""


@dataclass(frozen=True, slots=True)
class Obsolete:
    """`refused`: from here on HAProxy does not start. `warned`: from here on it warns, if known.

    `instead` ends the sentence "write ..."; empty where nothing is needed.
    """

    refused: Version
    instead: str = ""
    warned: Version | None = None


RENAMED = {
    "clitimeout": "timeout client",
    "contimeout": "timeout connect",
    "srvtimeout": "timeout server",
    "redispatch": "option redispatch",
    "redisp": "option redispatch",
    "block": "http-request deny",
}
"""The same arguments follow."""

RENAMED_TIMEOUTS = {"clitimeout": "client", "contimeout": "connect", "srvtimeout": "server"}
"""What follows `timeout`."""

WITHOUT_EFFECT = frozenset(
    {
        "bind-process", "nbproc", "option forceclose", "option http-tunnel", "option http-use-htx",
        "stats bind-process", "tune.chksize",
    }
)  # fmt: skip
"""What HAProxy itself says to remove, or does without."""

INSTEAD = {
    "appsession": "a stick-table with 'stick on cookie(...)'",
    "dispatch": "a server line with the address",
    "grace": "hard-stop-after in the global section",
    "monitor-net": "http-request return status 200 if { src ... }",
    "option http_proxy": "http-request set-dst",
    "option transparent": "a server with the address 0.0.0.0",
    "transparent": "a server with the address 0.0.0.0",
    "reqallow": "http-request allow",
    "reqiallow": "http-request allow",
    "reqadd": "http-request add-header",
    "rspadd": "http-response add-header",
    "reqdel": "http-request del-header",
    "reqidel": "http-request del-header",
    "rspdel": "http-response del-header",
    "rspidel": "http-response del-header",
    "reqdeny": "http-request deny",
    "reqideny": "http-request deny",
    "rspdeny": "http-response deny",
    "rspideny": "http-response deny",
    "reqtarpit": "http-request tarpit",
    "reqitarpit": "http-request tarpit",
    "reqsetbe": "use_backend",
    "reqisetbe": "use_backend",
    "reqrep": "http-request replace-path, replace-uri or replace-header",
    "reqirep": "http-request replace-path, replace-uri or replace-header",
    "rsprep": "http-response replace-header",
    "rspirep": "http-response replace-header",
}

IN_GLOBAL = {
    "nbproc": Obsolete(Version.parse("2.5")),
    # Refused by 2.6.12 (measured); since when exactly is not known.
    "tune.chksize": Obsolete(Version.parse("2.6")),
    "stats bind-process": Obsolete(Version.parse("2.7")),
}
"""Keywords of the global section."""

HIDDEN_HEADERS = Obsolete(
    Version.parse("2.7"), "http-check send for the headers", Version.parse("2.2")
)
"""`option httpchk GET / HTTP/1.1\\r\\nHost:\\ name`."""

MODE_HEALTH = Obsolete(OLDEST, "http-request return status 200")
BIND_PROCESS = Obsolete(Version.parse("2.7"), "thread", Version.parse("2.5"))
PROGRAM = Obsolete(Version.parse("3.3"), "a service of its own", Version.parse("3.1"))
WARNED = {
    "bind-process": Version.parse("2.5"),
    "dispatch": Version.parse("3.3"),
    "option transparent": Version.parse("3.3"),
    "transparent": Version.parse("3.3"),
}
"""Of dispatch and transparent, and of master-worker alone, the announcement of 3.5-dev2 says that
they were deprecated since 3.3."""
MASTER_WORKER = Obsolete(Version.parse("3.5"), "-W on the command line", Version.parse("3.3"))
"""`master-worker` without an argument."""
MAILERS_GONE = Version.parse("3.3")
"""From here on `email-alert` needs a Lua program that sends the mails."""

_DELETED_HEADER = re.compile(r"\^([A-Za-z0-9_-]+):(?:\.\*|\\? ?\*)?\$?")
_ADDED_HEADER = re.compile(r"([A-Za-z0-9_-]+):[ \t]*(.*)", re.DOTALL)
_BARE = re.compile(r"[A-Za-z0-9_.,:;=/*+@()-]+")
_NO_SECTION_FOR_RULES = frozenset({"defaults"})


def edits_for(name: str, line: Line) -> tuple[Edit, ...]:
    """What makes the line of a removed keyword good again; empty where only the author can."""
    word = line.keyword_word
    if name in WITHOUT_EFFECT:
        return (line_removed(line),)
    if word is None or line.modifier is not None or line.section is None:
        return ()
    rules_allowed = line.section.kind not in _NO_SECTION_FOR_RULES
    if name in RENAMED and (rules_allowed or name != "block"):
        return (replaced(word, RENAMED[name]),)
    first, _, second = name.partition(" ")
    if first == "timeout" and second in RENAMED_TIMEOUTS:
        return (replaced(line.arguments[0], RENAMED_TIMEOUTS[second]),)
    if name in INSTEAD and rules_allowed and name.endswith(("add", "del")):
        return _header_edits(name, line)
    return ()


def _header_edits(name: str, line: Line) -> tuple[Edit, ...]:
    """`reqadd Name:\\ value` and `reqdel ^Name:.*`, where the value is as simple as that."""
    word = line.arguments[0] if line.arguments else None
    if word is None or word.references:
        return ()
    if name.endswith("add"):
        match = _ADDED_HEADER.fullmatch(word.value)
        text = None if match is None else f"{INSTEAD[name]} {match[1]} {quoted(match[2])}"
    else:
        match = _DELETED_HEADER.fullmatch(word.value)
        text = None if match is None else f"{INSTEAD[name]} {match[1]}"
    if text is None:
        return ()
    return (Edit(Span(line.source, line.words[0].start, word.end), text),)


def quoted(value: str) -> str:
    """A value of a log-format, written as one word that HAProxy reads as this very text."""
    literal = value.replace("%", "%%")
    if _BARE.fullmatch(literal):
        return literal
    for character in ("\\", '"', "$"):
        literal = literal.replace(character, f"\\{character}")
    return f'"{literal}"'


def has_hidden_headers(line: Line) -> bool:
    """Whether it is `option httpchk` with headers behind the version."""
    return line.values[:1] == ["httpchk"] and any("\n" in value for value in line.values[3:])


def httpchk_edits(line: Line) -> tuple[Edit, ...]:
    """The same check by `http-check send`; empty where it has a body or unusual words."""
    if len(line.arguments) != 4 or any(word.references for word in line.arguments):
        return ()
    _, method, uri, last = line.arguments
    version, *headers = last.value.replace("\r\n", "\n").rstrip("\n").split("\n")
    sent = f"http-check send meth {decode(method.raw)} uri {decode(uri.raw)} ver {version}"
    for header in headers:
        match = _ADDED_HEADER.fullmatch(header)
        if match is None:
            return ()
        sent += f" hdr {match[1]} {quoted(match[2])}"
    return (words_removed(method, last), line_after(line, sent))
