"""Text from files made safe to show: no byte of a configuration steers a terminal."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

TAB = " " * 4
"""Tabs are shown as four blanks, in the source line and in the line that underlines it."""


def printable(text: str) -> str:
    """`text` with everything that does not print as itself written as an escape.

    Control and format characters (also those that turn the direction of writing), line
    separators and bytes that are not UTF-8 become `\\x1b`, `\\u202e` and the like.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def with_blanks(text: str) -> str:
    """`printable` for a line of source: tabs become blanks."""
    return printable(text) if "\t" not in text else TAB.join(map(printable, text.split("\t")))


def columns(text: str) -> int:
    """How many columns of a terminal a printable text takes."""
    if text.isascii():
        return len(text)
    return sum(_width(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, see gwlint.source.decode
        code -= 0xDC00
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _width(char: str) -> int:
    if combining(char):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1
