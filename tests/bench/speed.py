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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

GWLINT = Path(sys.executable).with_name("gwlint")
RUNS = 5
SIZES = (5_000, 10_000)
"""Each list is measured at half and at full length: a rule that is quadratic shows there."""
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


def haproxy(frontend: str, backends: str) -> str:
    return f"""\
global
    maxconn 1000
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend web
    bind :8080
{frontend}{backends}"""


def backend(number: int) -> str:
    """Nine lines."""
    hosts = f"{number // 250 % 250}.{number % 250}"
    return f"""\
backend app{number}
    balance roundrobin
    option httpchk GET /health
    # two servers
    timeout server 40s
    http-request set-header X-App app{number}
    server s1 10.0.{hosts}:8080 check inter 2s maxconn 100
    server s2 10.1.{hosts}:8080 check inter 2s maxconn 100

"""


def use_backend(number: int) -> str:
    return (
        f"    acl h{number} hdr(host) -i h{number}.test\n    use_backend app{number} if h{number}\n"
    )


def many(make: Callable[[int], str], count: int) -> str:
    return "".join(map(make, range(count)))


def in_server(locations: str) -> str:
    return http(f"server {{\nlisten 8080;\n{locations}}}\n")


def texts() -> Iterator[tuple[str, str]]:
    """What is measured, and the text to check: an nginx one begins with `events`."""
    for title, lines in (("small file", 12), ("10,000 lines", 10_000), ("50,000 lines", 50_000)):
        yield title, http(many(server, lines // 12))
    for count in SIZES:
        prefixes = many(lambda n: f"location /p{n}/ {{ proxy_pass http://10.0.0.1:80; }}\n", count)
        regexes = many(lambda n: f"location ~ ^/p{n}/[a-z]+$ {{ return 204; }}\n", count)
        yield f"{count:,} locations", in_server(prefixes)
        yield f"{count:,} regex locations", in_server(regexes)
    for count in (size // 2 for size in SIZES):
        pools = many(lambda n: f"upstream u{n} {{ server 10.1.{n // 250}.{n % 250}:80; }}\n", count)
        routes = many(lambda n: f"location /u{n}/ {{ proxy_pass http://u{n}; }}\n", count)
        yield f"{count:,} upstreams", http(f"{pools}server {{\nlisten 8080;\n{routes}}}\n")
    yield "HAProxy, small file", haproxy(use_backend(0), backend(0))
    yield "HAProxy, 50,000 lines", haproxy(many(use_backend, 4545), many(backend, 4545))
    for count in SIZES:
        rules = many(lambda n: f"    acl a{n} path_beg /a{n}\n", count)
        switches = many(lambda n: f"    use_backend app0 if {{ path_beg /b{n} }}\n", count)
        yield f"HAProxy, {count:,} ACLs", haproxy(rules, backend(0))
        yield f"HAProxy, {count:,} use_backend", haproxy(switches, backend(0))
    for count in (size // 2 for size in SIZES):
        yield (
            f"HAProxy, {count:,} backends",
            haproxy(many(use_backend, count), many(backend, count)),
        )


def inputs(folder: Path) -> Iterator[tuple[str, Path]]:
    """What is measured, and the file to check."""
    for number, (title, text) in enumerate(texts()):
        ending = "conf" if text.startswith("events") else "cfg"
        path = folder / f"{number}.{ending}"
        path.write_text(text)
        yield title, path
    (folder / "sites").mkdir()
    for number in range(2000):
        (folder / "sites" / f"{number}.conf").write_text(server(number))
    path = folder / "includes.conf"
    path.write_text(http("include sites/*.conf;\n"))
    yield "2,000 included files", path


def commands(peers: Path | None, path: Path) -> list[Command]:
    """gwlint, with all rules as well, and those peers that are there and read the dialect."""
    found = [
        Command("gwlint", [str(GWLINT), "check"]),
        Command("gwlint, all rules", [str(GWLINT), "check", "--profile", "strict"]),
    ]
    if path.suffix == ".cfg":
        return found
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
            for command in commands(peers, path):
                figures = best(command, path)
                own = own or figures
                ratio = f"{figures.seconds / own.seconds:6.2f} x gwlint"
                print(
                    f"{title:27} {command.name:18} {figures.seconds:7.3f} s"
                    f"  {figures.mebibytes:5} MiB  {ratio}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
