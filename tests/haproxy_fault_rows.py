"""The faults of which HAProxy's own check was measured, each as a change of one sound file.

A row: its id in the table of measurements, what is wrong, the changes, and what gwlint says: codes,
all of which must be among the findings that the sound file has not. A row without changes is a
judgement call, or cannot be shown by a configuration; a row without codes is not covered. Both have
a reason instead.

A change is `g LINE`, `d LINE`, `f LINE` or `b LINE` (added at the end of global, defaults, frontend,
backend), `a LINE` (at the end of the file) or `OLD => NEW`.
"""

from __future__ import annotations

from dataclasses import dataclass

SOUND = """\
global
    log 127.0.0.1:514 local0
    maxconn 2000

defaults
    mode http
    log global
    option httplog
    option redispatch
    option forwardfor
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout http-request 10s
    timeout queue 10s
    timeout check 1s

frontend fe
    bind 127.0.0.1:18080
    default_backend be

backend be
    balance roundrobin
    option httpchk
    http-check send meth GET uri /health ver HTTP/1.1 hdr Host app.example.com
    server s1 127.0.0.1:3001 check maxconn 100
    server s2 127.0.0.1:3002 check maxconn 100
"""

_ENDS = {
    "g ": "    maxconn 2000\n",
    "d ": "    timeout check 1s\n",
    "f ": "    default_backend be\n",
    "b ": "check maxconn 100\n",
}


def changed(changes: tuple[str, ...]) -> str:
    """The sound file with the changes made. Raises ValueError for words that it does not have."""
    text = SOUND
    added = dict.fromkeys(_ENDS, "")
    after = ""
    for change in changes:
        old, arrow, new = change.partition(" => ")
        if arrow:
            if old not in text:
                raise ValueError(f"not in the file: {old!r}")
            text = text.replace(old, new)
        elif change.startswith("a "):
            after += f"{change[2:]}\n"
        else:
            added[change[:2]] += f"    {change[2:]}\n"
    for kind, lines in added.items():
        if lines:
            end = text.rindex(_ENDS[kind]) + len(_ENDS[kind])
            text = text[:end] + lines + text[end:]
    return text + after


@dataclass(frozen=True)
class Row:
    """`codes` or `reason` is empty."""

    id: str
    fault: str
    changes: tuple[str, ...]
    codes: tuple[str, ...] = ()
    reason: str = ""


def _read(table: str) -> list[Row]:
    rows = []
    for line in table.strip().splitlines():
        id_, fault, changes, said = (part.strip() for part in line.split(" | "))
        codes = tuple(said.split()) if said.startswith(("HAP", "GTW")) else ()
        made = tuple(part for part in changes.split(" ;; ") if part != "-")
        made = tuple(part.replace("\\n", "\n").replace("<nothing>", "") for part in made)
        rows.append(Row(id_, fault, made, codes, "" if codes else said))
    return rows


