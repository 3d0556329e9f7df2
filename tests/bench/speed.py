"""Seconds and peak memory of `gwlint check` and of peers on the same generated files.

Run by `make bench`, which passes the folder of the peers' commands. Nothing is asserted: what
counts is the ratio of figures from one run on one machine.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

GWLINT = Path(sys.executable).with_name("gwlint")
RUNS = 5
TIME_LIMIT = 30
"""Seconds after which a command is not run again on the same file."""


@dataclass(frozen=True)
class Command:
    """What is measured; the file is its last argument."""

    name: str
    words: Sequence[str]


@dataclass(frozen=True)
class Figures:
    seconds: float
    mebibytes: int


def server(number: int) -> str:
    """Twelve lines: an upstream and a server that passes to it."""
    return f"""\
    upstream app{number} {{
        server 127.0.0.1:{1024 + number % 60000};
        keepalive 16;
    }}
    server {{
        listen 8080;
        server_name host{number}.test;
        location / {{
            proxy_pass http://app{number};
            proxy_set_header Host $host;
        }}
    }}
"""


def http(body: str) -> str:
    return f"events {{}}\nhttp {{\n{body}}}\n"


def inputs(folder: Path) -> Iterator[tuple[str, Path]]:
    """What is measured, and the file to check."""
    for title, lines in (("small file", 12), ("10,000 lines", 10_000), ("50,000 lines", 50_000)):
        path = folder / f"{lines}.conf"
        path.write_text(http("".join(map(server, range(lines // 12)))))
        yield title, path
    locations = "".join(f"location ~ ^/p{n}/[a-z]+$ {{ return 204; }}\n" for n in range(10_000))
    path = folder / "regex.conf"
    path.write_text(http(f"server {{\nlisten 8080;\n{locations}}}\n"))
    yield "10,000 regex locations", path
    (folder / "sites").mkdir()
    for number in range(2000):
        (folder / "sites" / f"{number}.conf").write_text(server(number))
    path = folder / "includes.conf"
    path.write_text(http("include sites/*.conf;\n"))
    yield "2,000 included files", path


def commands(peers: Path | None) -> list[Command]:
    """gwlint, and those peers that are there."""
    found = [Command("gwlint", [str(GWLINT), "check"])]
    if peers is not None and (peers / "gixy").exists():
        found.append(Command("gixy-next", [str(peers / "gixy")]))
    if peers is not None and (peers / "crossplane").exists():
        found.append(Command("crossplane parse", [str(peers / "crossplane"), "parse"]))
    nginx = shutil.which("nginx")
    if nginx is not None:
        # A scratch prefix, so that nothing of the machine is touched.
        options = ["-t", "-q", "-p", tempfile.gettempdir(), "-e", "stderr"]
        found.append(Command("nginx -t", [nginx, *options, "-g", "pid nginx.pid;", "-c"]))
    return found


def measure(command: Command, path: Path) -> Figures:
    """One run, its output thrown away."""
    quiet = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_WRONLY, 0) for descriptor in (1, 2)]
    # Users run compiled modules, also where the environment of the developer forbids writing them.
    environment = {
        key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"
    }
    words = [*command.words, str(path)]
    before = time.perf_counter()
    process = os.posix_spawn(words[0], words, environment, file_actions=quiet)
    _, _, usage = os.wait4(process, 0)
    return Figures(time.perf_counter() - before, usage.ru_maxrss // 1024)


def best(command: Command, path: Path) -> Figures:
    """The shortest of some runs and their largest memory."""
    figures = [measure(command, path)]
    while len(figures) < RUNS and figures[-1].seconds < TIME_LIMIT:
        figures.append(measure(command, path))
    return Figures(min(one.seconds for one in figures), max(one.mebibytes for one in figures))


def main() -> None:
    peers = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as folder:
        for title, path in inputs(Path(folder)):
            own: Figures | None = None
            for command in commands(peers):
                figures = best(command, path)
                own = own or figures
                ratio = f"{figures.seconds / own.seconds:6.2f} x gwlint"
                print(
                    f"{title:24} {command.name:18} {figures.seconds:7.3f} s"
                    f"  {figures.mebibytes:5} MiB  {ratio}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
