"""Whether a file is nginx's or HAProxy's, told by its content."""

from __future__ import annotations

import re

from gwlint.source import UTF8_BOM

HAPROXY_SECTIONS = frozenset(
    b"acme backend cache crt-store defaults fcgi-app frontend global healthcheck http-errors listen"
    b" log-forward log-profile mailers namespace_list peers program resolvers ring spoe-agent"
    b" spoe-group spoe-message traces userlist".split()
)
"""Section keywords of HAProxy 2.4 to 3.5 and of SPOE files."""

# Enough of a file to tell; a file of another kind should not cost its whole length.
ENOUGH_BYTES = 256 * 1024

_LINE = re.compile(rb"^[ \t]*([^\s#;{}\"'][^\s#;{}]*)(?:[ \t]([^\n]*))?$", re.MULTILINE)
_NGINX_END = re.compile(
    rb"[;{][ \t]*(?:#[^\n]*)?\r?$|^[ \t]*\}[ \t;]*(?:#[^\n]*)?\r?$", re.MULTILINE
)


def scores(data: bytes) -> tuple[int, int]:
    """How many lines look like nginx (they end in `;` or a brace) and how many open a section of
    HAProxy (its keyword, then at most a few words)."""
    data = data.removeprefix(UTF8_BOM)[:ENOUGH_BYTES]
    nginx = sum(1 for _ in _NGINX_END.finditer(data))
    sections = 0
    for match in _LINE.finditer(data):
        if match[1] in HAPROXY_SECTIONS:
            rest = (match[2] or b"").partition(b"#")[0].strip()
            sections += not rest.endswith((b";", b"{")) and len(rest.split()) <= 4
    return nginx, sections


def dialect_of(data: bytes, name: str) -> str:
    """The dialect of a file, "nginx" or "haproxy". What the content leaves open, the name says.

    A HAProxy file has few sections and hardly a line that ends in `;` or a brace; an nginx file
    has such lines throughout.
    """
    nginx, sections = scores(data)
    if sections * 4 > nginx:
        return "haproxy"
    if nginx:
        return "nginx"
    lower = name.lower()
    return "haproxy" if "haproxy" in lower or re.search(r"\.cfg(?:\.|$)", lower) else "nginx"
