"""Writing to the terminal, to pipes and to files."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

from gwlint.cli.failure import Failure
from gwlint.report.printable import printable
from gwlint.source import decode


def write(data: bytes, path: Path | None) -> None:
    """Write bytes to a file, or to standard output. Raises Failure.

    A patch has the bytes of the files that it changes. A terminal is shown them, and obeys none:
    what would steer it is written as an escape.
    """
    if path is None and sys.stdout is not None and sys.stdout.isatty():
        lines = decode(data).split("\n")
        write_text("\n".join("\t".join(map(printable, one.split("\t"))) for one in lines), None)
    else:
        _write(data, path)


def _write(data: bytes, path: Path | None) -> None:
    """A reader that closes the pipe early (`gwlint check | head`) is no error."""
    try:
        if path is not None:
            path.write_bytes(data)
        elif sys.stdout is not None:
            _write_stdout(sys.stdout.buffer, data)
    except OSError as error:
        place = printable(str(path)) if path is not None else "standard output"
        raise Failure(f"cannot write {place}: {error.strerror or error}") from error


def write_text(text: str, path: Path | None) -> None:
    """Write text, in UTF-8 to files and in the terminal's encoding elsewhere."""
    encoding = "utf-8" if path is not None or sys.stdout is None else sys.stdout.encoding
    _write(text.encode(encoding, "backslashreplace"), path)


def note(line: str) -> None:
    """One line on stderr, made safe to show."""
    if sys.stderr is not None:
        print(printable(line), file=sys.stderr)


def wants_colour(*, forbidden: bool, path: Path | None) -> bool:
    """Colours are for terminals, unless --no-color or NO_COLOR (no-color.org) forbids them.

    FORCE_COLOR (force-color.org) wants them elsewhere too, as in the log of a CI job.
    """
    if forbidden or path is not None or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _write_stdout(stream: BinaryIO, data: bytes) -> None:
    try:
        stream.write(data)
        stream.flush()
    except OSError as error:
        # What could not be written stays in the buffer, and Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise
