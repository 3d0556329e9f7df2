"""The index from what stands in a log to the rules whose fault writes it.

It is read off the section "In the log" of the rules (see CONTRIBUTING.md): a piece of code with a
blank is a log line, in which `...` stands for names and numbers. In the rules about both servers
(GTW) each item of a list begins with the one that writes.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from gwlint.rule import Rule

SECTION = re.compile(r"^## In the log\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`]+)`")
_ITEM = re.compile(r"^(?=- )", re.MULTILINE)
_LEVEL = re.compile(r"^\[(\w+)\]\s*")
_PLACE = re.compile(r"^(?:\.\.\. |config : |parsing \[[^\]]*\] ?: |['\"])+")
_SESSION = re.compile(
    r"(?P<server>\S+/\S+) (?:\S+ )*?(?:(?P<status>\d{3}) (?:\S+ )*?)?(?P<state>[A-Za-z-]{2})(?:--)?"
    r"(?: \.\.\. .*)?"
)

STATES = {
    "CD": "the client closed the connection while data was passing.",
    "CR": "the client closed the connection before its request was complete.",
    "LR": "HAProxy answered the request itself, as it does for its statistics page.",
    "PH": "HAProxy refused the answer's headers: too large for its buffer, or no HTTP it can read.",
    "PR": "HAProxy refused the request: headers too large for its buffer, malformed, or denied.",
    "SC": "no connection to a server came about: it refused, the TLS handshake failed, or there was"
    " no server to connect to.",
    "SD": "the server closed the connection in the middle of an answer.",
    "SH": "the server closed the connection before its answer's headers were complete.",
    "cD": "the client's side was silent for longer than its timeout while data was passing.",
    "cR": "the client did not send its whole request within `timeout http-request`.",
    "sC": "the server did not accept the connection within `timeout connect`.",
    "sD": "the server's side was silent for longer than its timeout while data was passing.",
    "sH": "the server did not send its answer's headers within `timeout server`.",
    "sQ": "the request waited longer than `timeout queue` for a free place at a server.",
    "--": "the session ended in order: the status is the server's own.",
}
"""The two letters in which HAProxy tells how a session ended (its manual, section 8.5)."""


class LogLine(NamedTuple):
    """A log line of a rule; `server` is "nginx" or "haproxy"."""

    server: str
    text: str
    rule: type[Rule]

    @property
    def level(self) -> str:
        """`emerg`, `ALERT`; empty where the rule gives none."""
        match = _LEVEL.match(self.text)
        return match[1] if match else ""

    @property
    def message(self) -> str:
        """The line without its level, by which people look for it."""
        return _LEVEL.sub("", self.text)

    @property
    def session(self) -> re.Match[str] | None:
        """For a line about one session in HAProxy's log: its server, status and end."""
        return _SESSION.fullmatch(self.text.partition(" ")[2]) or _SESSION.fullmatch(self.text)


def log_lines(rule: type[Rule]) -> Iterator[LogLine]:
    """The log lines that a rule shows, in its order."""
    section = SECTION.search(rule.documentation())
    if section is None:
        return
    for item in _ITEM.split(section[1]):
        server = rule.dialect()
        if server == "gateway":
            server = "haproxy" if item.startswith("- HAProxy") else "nginx"
        for code in CODE.findall(item):
            text = " ".join(code.split())
            if " " in text:
                yield LogLine(server, text, rule)


def symptoms_page(rules: list[type[Rule]]) -> str:
    """The page, as Markdown."""
    lines = [line for rule in rules for line in log_lines(rule)]
    return "\n".join(_page(lines))


def _page(lines: list[LogLine]) -> Iterator[str]:
    nginx = [line for line in lines if line.server == "nginx"]
    sessions = [line for line in lines if line.server == "haproxy" and line.session]
    haproxy = [line for line in lines if line.server == "haproxy" and not line.session]
    yield "# I see this in the log\n"
    yield "Log lines, and the rules that find the fault which writes them. `...` stands for names"
    yield "and numbers. Where several faults write one line, their pages say what else to see.\n"
    yield "## nginx: while it runs\n"
    yield "In the error log, unless it begins with the request. What nginx writes at level info is"
    yield "not there with the usual `error_log`.\n"
    yield from _messages([line for line in nginx if line.level != "emerg"])
    yield "## nginx: it does not start\n"
    yield "At start, at a reload, and from `nginx -t`.\n"
    yield from _messages([line for line in nginx if line.level == "emerg"])
    yield "## HAProxy: how a session ended\n"
    yield "In the HTTP log four characters such as `SC--` tell how a session ended; the last two"
    yield "are about cookies. In the TCP log there are only the first two. `<NOSRV>` stands where"
    yield "no server was chosen. The manual has all of them in"
    yield "[section 8.5](https://docs.haproxy.org/2.8/configuration.html#8.5).\n"
    yield from _sessions(sessions)
    yield "## HAProxy: while it runs\n"
    yield from _messages([line for line in haproxy if not line.level])
    yield "## HAProxy: at start\n"
    yield "And from `haproxy -c`. After an `[ALERT]` it does not start.\n"
    yield from _messages([line for line in haproxy if line.level])


def _messages(lines: list[LogLine]) -> Iterator[str]:
    """Each message with its rules, by its words; with the level, where a rule gives one."""
    found: dict[str, list[LogLine]] = defaultdict(list)
    for line in lines:
        found[line.message].append(line)
    for message in sorted(found, key=lambda text: _PLACE.sub("", text).lower()):
        shown = max((line.text for line in found[message]), key=len)
        yield f"- {_code(shown)}: {_links(found[message])}"
    yield ""


def _sessions(lines: list[LogLine]) -> Iterator[str]:
    """A part for each state with what it means, and an item for each status."""
    ends: dict[str, dict[tuple[str, str], list[LogLine]]] = {
        state: defaultdict(list) for state in STATES
    }
    for line in lines:
        match = line.session
        assert match is not None
        server = match["server"].rpartition("/")[2]
        who = server if server.startswith("<") else ""
        ends[match["state"]][match["status"] or "", who].append(line)
    for state, meaning in STATES.items():
        yield f"### `{state}--`\n"
        yield f"{meaning[0].upper()}{meaning[1:]}\n"
        if not ends[state]:
            yield "- No rule: nothing in a configuration tells of it.\n"
        for (status, who), found in sorted(ends[state].items()):
            named = f"with {_code(who)}" if who else "with the name of a server"
            yield f"- {status or 'In the TCP log'} {named}: {_links(found)}"
        yield ""


def _links(lines: list[LogLine]) -> str:
    rules = dict.fromkeys(line.rule for line in lines)
    return ", ".join(f"[{rule.code} {rule.name}](rules/{rule.code}.md)" for rule in rules)


def _code(text: str) -> str:
    return f"<code>{html.escape(text, quote=False)}</code>"
