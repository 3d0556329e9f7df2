"""Tokens of an nginx configuration, after nginx's own `ngx_conf_read_token`.

A word ends at a blank, `;` or `{`; `}` ends a block only where a word may start; `#` starts a
comment only there as well; a quote opens only there, and after the closing quote only a blank,
`;`, `{` or `)` may follow; `\\` takes the next byte with it; `${` does not open a block.
"""

from __future__ import annotations

import re
from enum import IntEnum

from gwlint.source import decode

MAX_WORD_BYTES = 4096
"""nginx reads through a buffer of this size (NGX_CONF_BUFFER) into which a word must fit."""


class Kind(IntEnum):
    """What a token is; the values are the groups of `TOKEN`."""

    COMMENT = 1
    PUNCTUATION = 2
    QUOTED = 3
    OPEN_QUOTE = 4
    BARE = 5


TOKEN = re.compile(
    rb"""
    [ \t\r\n]*+
    (?:
      (\#[^\n]*+)                                             # a comment
    | ([;{}])                                                 # ends a directive or a block
    | ("[^"\\]*+(?:\\.[^"\\]*+)*+" | '[^'\\]*+(?:\\.[^'\\]*+)*+')
    | (["'])                                                  # a quote that nothing closes
    | ((?:\\.|\$\{?|[^\ \t\r\n;{}\\$]|\\\Z)(?:\\.|\$\{?|[^\ \t\r\n;{\\$]|\\\Z)*+)
    )
    """,
    re.VERBOSE | re.DOTALL,
)

_PLAIN_WORD = rb"""[^\s;{}"'\#\\][^\s;{\\]*+"""

PLAIN = re.compile(
    rb"""
    [ \t\r\n]*+
    (?:
      ( %b (?:[ \t]++ %b)*+ ) [ \t\r\n]*+ ( ; | (?<!\$)\{ )
    | (\#[^\n]*+)
    | \}
    )
    """
    % (_PLAIN_WORD, _PLAIN_WORD),
    re.VERBOSE,
)
"""What the next tokens nearly always are: a directive in which no word is quoted, escaped, holds
`${` or stands in another line than the first; a comment; the end of a block. The groups are the
words, their terminator, and the comment."""

AFTER_QUOTE = b" \t\r\n;{)"

_ESCAPE = re.compile(rb"""\\(["'\\trn])""")
_MEANING = {b"t": b"\t", b"r": b"\r", b"n": b"\n"}


def cooked(raw: bytes) -> str:
    """The value of a word: without its quotes, with the escapes resolved that nginx resolves."""
    if raw[:1] in (b'"', b"'"):
        raw = raw[1:-1] if len(raw) > 1 and raw[-1:] == raw[:1] else raw[1:]
    if b"\\" in raw:
        raw = _ESCAPE.sub(lambda found: _MEANING.get(found[1], found[1]), raw)
    return decode(raw)


_LUA = re.compile(
    rb"""
      (?:--)?\[(=*)\[           # a long string or comment begins
    | --[^\n]*+                 # a comment
    | "[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"
    | '[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'
    | ([{}])
    """,
    re.VERBOSE | re.DOTALL,
)


def lua_block_end(data: bytes, start: int) -> int | None:
    """Offset of the `}` that closes a Lua block whose code begins at `start`; None without one.

    Braces inside Lua strings and comments do not count (Lua manual, section 3.1).
    """
    depth = 0
    offset = start
    while (found := _LUA.search(data, offset)) is not None:
        offset = found.end()
        if found[1] is not None:
            closing = b"]" + found[1] + b"]"
            offset = data.find(closing, offset)
            if offset == -1:
                return None
            offset += len(closing)
        elif found[2] == b"{":
            depth += 1
        elif found[2] == b"}":
            if depth == 0:
                return found.start()
            depth -= 1
    return None
