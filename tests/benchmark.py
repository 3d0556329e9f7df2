"""Measures `gwlint check`: seconds and peak memory, the best of some runs. Run by `make bench`."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

GWLINT = Path(sys.executable).with_name("gwlint")
RUNS = 5


def server(number: int) -> str:
    """Twelve lines."""
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


def measure(path: Path) -> tuple[float, int]:
    """Seconds of one run and its peak memory in KiB."""
    quiet = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_WRONLY, 0) for descriptor in (1, 2)]
    before = time.perf_counter()
    process = os.posix_spawn(
        GWLINT, [str(GWLINT), "check", str(path)], os.environ, file_actions=quiet
    )
    _, _, usage = os.wait4(process, 0)
    return time.perf_counter() - before, usage.ru_maxrss


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for title, path in inputs(Path(folder)):
            measured = [measure(path) for _ in range(RUNS)]
            seconds = min(one for one, _ in measured)
            memory = max(one for _, one in measured) // 1024
            print(f"{title:24} {seconds:7.3f} s  {memory:5} MiB")


if __name__ == "__main__":
    main()
