"""Seconds and peak memory of `gwlint check`, of peers and of the servers on the same files.

    .venv/bin/python tests/bench/speed.py [FOLDER...] [--only WORDS] [--runs N]

Run by `make bench`, which passes the folders of the peers' commands. Nothing is asserted: what
counts is the ratio of figures from one run on one machine. gwlint is measured cold, with an empty
cache that it fills, and warm, when it finds there what an equal run printed.
"""

from __future__ import annotations

import argparse
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
FILES = 5_000
FILES_OF_A_ROOT = 10


@dataclass(frozen=True)
class Command:
    """What is measured; the file or folder is its last argument. `cold`: the cache is emptied
    before each run."""

    name: str
    words: Sequence[str]
    cold: bool = False


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
    for count in (2000, FILES):
        sites = folder / f"sites{count}"
        sites.mkdir()
        for number in range(count):
            (sites / f"{number}.conf").write_text(server(number))
        path = folder / f"includes{count}.conf"
        path.write_text(http(f"include {sites.name}/*.conf;\n"))
        yield f"{count:,} included files", path
    yield f"{FILES:,} files, {FILES // FILES_OF_A_ROOT} roots", roots(folder / "hosts")


def roots(folder: Path) -> Path:
    """A folder of `FILES` files: main files, each of which includes some others."""
    for number in range(FILES // FILES_OF_A_ROOT):
        sites = folder / f"host{number}" / "nginx" / "sites"
        sites.mkdir(parents=True)
        (sites.parent / "nginx.conf").write_text(http("include sites/*.conf;\n"))
        for site in range(FILES_OF_A_ROOT - 1):
            text = server(number * FILES_OF_A_ROOT + site)
            (sites / f"{site}.conf").write_text(text)
    return folder


def commands(peers: Sequence[Path], path: Path) -> list[Command]:
    """gwlint, with all rules as well, and those peers and servers that are there and read it."""
    found = [
        Command("gwlint, cold", [str(GWLINT), "check"], cold=True),
        Command("gwlint, warm", [str(GWLINT), "check"]),
        Command("gwlint, all rules", [str(GWLINT), "check", "--profile", "strict"], cold=True),
    ]
    if path.is_dir():  # nobody else reads folders
        one = [str(GWLINT), "check", "--jobs", "1"]
        return [*found, Command("gwlint, one process", one, cold=True)]
    if path.suffix == ".cfg":
        haproxy_command = shutil.which("haproxy")
        if haproxy_command is not None:
            found.append(Command("haproxy -c", [haproxy_command, "-c", "-q", "-f"]))
        return found
    for folder in peers:
        if (folder / "gixy").exists():
            name = "gixy-next" if (folder / "gixy-next").exists() else "gixy-ng"
            found.append(Command(name, [str(folder / "gixy")]))
        if (folder / "crossplane").exists():
            found.append(Command("crossplane parse", [str(folder / "crossplane"), "parse"]))
    nginx = shutil.which("nginx")
    if nginx is not None:
        # A scratch prefix, so that nothing of the machine is touched.
        options = ["-t", "-q", "-p", tempfile.gettempdir(), "-e", "stderr"]
        found.append(Command("nginx -t", [nginx, *options, "-g", "pid nginx.pid;", "-c"]))
    return found


def measure(command: Command, path: Path, cache: Path) -> Figures:
    """One run, its output thrown away."""
    if command.cold:
        shutil.rmtree(cache, ignore_errors=True)
    quiet = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_WRONLY, 0) for descriptor in (1, 2)]
    # Users run compiled modules, also where the environment of the developer forbids writing them.
    environment = {
        key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"
    }
    environment["GWLINT_CACHE_DIR"] = str(cache)
    words = [*command.words, str(path)]
    before = time.perf_counter()
    process = os.posix_spawn(words[0], words, environment, file_actions=quiet)
    _, _, usage = os.wait4(process, 0)
    return Figures(time.perf_counter() - before, usage.ru_maxrss // 1024)


def best(command: Command, path: Path, runs: int, cache: Path) -> Figures:
    """The shortest of some runs and their largest memory, that of the largest process."""
    figures = [measure(command, path, cache)]
    while len(figures) < runs and sum(one.seconds for one in figures) < TIME_LIMIT:
        figures.append(measure(command, path, cache))
    return Figures(min(one.seconds for one in figures), max(one.mebibytes for one in figures))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("peers", nargs="*", type=Path, help="folders with commands of peers")
    parser.add_argument("--only", default="", help="measure only what has these words in its title")
    parser.add_argument("--runs", type=int, default=RUNS, help="the shortest of so many counts")
    wishes = parser.parse_args()
    peers = [folder.absolute() for folder in wishes.peers]
    with tempfile.TemporaryDirectory() as folder:
        for title, path in inputs(Path(folder)):
            if wishes.only not in title:
                continue
            own: Figures | None = None
            for command in commands(peers, path):
                figures = best(command, path, wishes.runs, Path(folder, "cache"))
                own = own or figures
                ratio = f"{figures.seconds / own.seconds:6.2f} x gwlint"
                print(
                    f"{title:27} {command.name:19} {figures.seconds:7.3f} s"
                    f"  {figures.mebibytes:5} MiB  {ratio}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
