"""Writes man/gwlint.1 from the command line of gwlint: python docs/man_page.py [FILE].

The page is checked in, so that installing needs no step; a test makes it again and compares.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from gwlint import __version__
from gwlint.cli.command_line import HELP, Command, Parameter, commands

PAGE = Path(__file__).parent / "man" / "gwlint.1"

DESCRIPTION = """\
gwlint reads nginx and HAProxy configurations, finds what will cause 502, 503 and 504, and writes
the patch. It also generates configurations from a short spec. It needs no network, no root and no
running server.

A configuration is never changed, except by fix --write."""

EXIT_CODES = (
    ("0", "Nothing at or above --fail-on."),
    ("1", "Findings; a file that does not parse is one. For fix --check: there is a patch."),
    (
        "2",
        "Wrong usage, a bad gwlint.yaml, no input, a named file that cannot be read, or a defect"
        " of gwlint.",
    ),
)

ENVIRONMENT = (
    ("NO_COLOR", "Not empty: no colours."),
    ("FORCE_COLOR", "Not empty and not 0: colours in pipes too."),
    ("GWLINT_NGINX, GWLINT_HAPROXY", "The nginx or haproxy that fix asks about its patch."),
    (
        "GWLINT_CACHE_DIR",
        "Where check keeps what it printed, instead of gwlint in XDG_CACHE_HOME or ~/.cache.",
    ),
    ("GWLINT_DEBUG", "Not empty: show where in gwlint a defect happened."),
)

FILES = (
    (
        "gwlint.yaml, .gwlint.yaml",
        "Settings; the nearest from the PATH upwards. gwlint config init writes a first one.",
    ),
)


def page() -> str:
    """The page, as roff with the macros of man(7)."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    top, *others = commands()
    yield '.\\" Made by docs/man_page.py; do not edit.'
    yield f'.TH GWLINT 1 "" "gwlint {__version__}" "User commands"'
    yield ".SH NAME"
    yield "gwlint \\- find what will cause 502, 503 and 504 in nginx and HAProxy configurations"
    yield ".SH SYNOPSIS"
    yield ".B gwlint"
    yield "COMMAND [OPTIONS] [ARGUMENTS]"
    yield ".SH DESCRIPTION"
    yield from _paragraphs(DESCRIPTION)
    for option in top.options:
        yield from _option(option)
    yield ".SH COMMANDS"
    for command in others:
        if not command.subcommands:
            yield from _command(command)
    yield ".SH EXIT STATUS"
    yield from _terms(EXIT_CODES)
    yield ".SH ENVIRONMENT"
    yield from _terms(ENVIRONMENT)
    yield ".SH FILES"
    yield from _terms(FILES)
    yield ".SH SEE ALSO"
    yield ".BR nginx (8),"
    yield ".BR haproxy (1),"
    yield ".BR git\\-apply (1)"


def _command(command: Command) -> Iterator[str]:
    arguments = " ".join(_metavar(one) for one in command.arguments)
    yield f'.SS "{_text(" ".join(["gwlint", *command.path, "[OPTIONS]", arguments]).rstrip())}"'
    yield from _paragraphs(command.help)
    for one in command.parameters:
        if one != HELP:
            yield from _option(one)


def _metavar(argument: Parameter) -> str:
    return f"[{argument.metavar}...]" if argument.metavar == "PATH" else argument.metavar


def _option(one: Parameter) -> Iterator[str]:
    yield ".TP"
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in one.names)
    value = f"\\fI{_text(one.metavar)}\\fR" if one.metavar else ""
    yield " ".join(filter(None, (names, value)))
    yield from _lines(one.help)


def _terms(terms: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for term, text in terms:
        yield ".TP"
        yield f".B {_text(term)}"
        yield from _lines(text)


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        yield ".PP"
        yield from _lines(paragraph)


def _lines(text: str) -> Iterator[str]:
    """A paragraph, a sentence a line, as roff wants it."""
    for sentence in re.split(r"(?<=[.!?]) (?=[A-Z])", " ".join(text.split())):
        yield _text(sentence)


def _text(text: str) -> str:
    r"""Text that roff prints as it is: no escapes, real minus signs, no line that is a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    escaped = escaped.replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")
    escaped = escaped.replace('"', "\\(dq")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    target.write_text(page(), encoding="utf-8")
