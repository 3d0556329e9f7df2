"""Commands that pages show, with what they print: python docs/shown.py PAGE... makes it anew.

In a block of ```console, a line that begins with `$ ` is a command, and what follows is what it
prints, on stdout and stderr alike. A block of another kind is a file when the line above it ends
with the file's name in backticks and a colon. The commands of one page run one after the other in
one empty folder, which has the files from the beginning. What only stands there to be read is
```sh or ```text.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

TIME_LIMIT = 120
_FILE = re.compile(r"`([\w./-]+)`[^`\n]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ ", re.MULTILINE)
_OF_THE_MACHINE = ("GITHUB_", "GIT_", "CI_PROJECT", "NO_COLOR", "FORCE_COLOR")

_GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


def files(page: str) -> dict[str, str]:
    """The files that a page shows in full, by name."""
    return {match[1]: match[2] for match in _FILE.finditer(page)}


def commands(page: str) -> list[str]:
    """The commands that a page shows."""
    return [command for block in _CONSOLE.findall(page) for command, _ in _split(block)]


def renewed(page: str, folder: Path) -> str:
    """The page with what its commands print now; they run in `folder`."""
    for name, text in files(page).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    with tempfile.TemporaryDirectory() as cache:
        environment = _environment(cache)
        return _CONSOLE.sub(lambda one: "".join(_run_again(one[0], folder, environment)), page)


def _environment(cache: str) -> dict[str, str]:
    """For the commands: nothing of the user's settings, nor of what was printed before."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(_OF_THE_MACHINE)
    }
    path = os.pathsep.join((str(Path(sys.executable).parent), kept.get("PATH", "")))
    return {**kept, **_GIT, "PATH": path, "GWLINT_CACHE_DIR": cache}


def _run_again(block: str, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """The block with new outputs; blank lines between commands stay."""
    shown = list(_split(block))
    for number, (command, output) in enumerate(shown):
        between = "\n" if output.endswith("\n\n") or (output == "\n") else ""
        printed = _printed(command, folder, environment)
        yield f"$ {command}\n{printed}{between if number + 1 < len(shown) else ''}"


def _split(block: str) -> Iterator[tuple[str, str]]:
    for part in _COMMAND.split(block)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def _printed(command: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIME_LIMIT,
        check=False,
    )
    return done.stdout.decode()


def main(names: list[str]) -> None:
    for name in names:
        page = Path(name)
        with tempfile.TemporaryDirectory() as folder:
            page.write_text(renewed(page.read_text("utf-8"), Path(folder)), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
