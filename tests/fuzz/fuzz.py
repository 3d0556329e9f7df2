"""Looks for bytes that break a target, led by coverage: `make fuzz TARGET=nginx MINUTES=24`.

Run by hand. It begins with the inputs of earlier runs and with the examples of the rules, and keeps
what reaches code that nothing else reaches. An input that breaks something, or that takes longer
than HANG_SECONDS, is written to the folder it works in, and ends the run.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from seeds import read_seeds, write_seeds

HANG_SECONDS = 10
LONGEST = 4096
"""Bytes of an input."""
MEMORY_LIMIT = 2048
"""MiB."""

SAMPLES = Path(__file__).parents[2] / "samples"
FILE_NAMES = {"nginx": "nginx.conf", "haproxy": "haproxy.cfg", "settings": "gwlint.yaml"}

WORDS = {
    "nginx": (
        *("http", "server", "location", "upstream", "events", "stream", "map", "geo", "if"),
        *("include", "proxy_pass", "listen", "server_name", "set", "return", "rewrite", "\\"),
        *("{", "}", ";", "#", '"', "'", "${", "$host", "content_by_lua_block {", "http://", "]]"),
        *("proxy_set_header", "error_page", "limit_req", "zone=a:1m", "keepalive", "unix:"),
        "# gwlint: ignore[NGX401] reason",
    ),
    "haproxy": (
        *("global", "defaults", "frontend", "backend", "listen", "resolvers", "peers", "cache"),
        *("bind", "server", "acl", "use_backend", "default_backend", "http-request", "timeout"),
        *("option", "if", "unless", "or", "{", "}", "!", ".if", ".endif", "${", "%[", "\\", '"'),
        *("'", "no", "default", "tcp-check", "http-check", "stick-table", "ssl", "crt", "check"),
        *("127.0.0.1:80", "maxconn", "# gwlint: ignore[HAP501] reason"),
    ),
    "values": ("http://", "unix:", "[::1]", ":80", "ms", "m", "k", "%[", "]", "src", "hdr(", "{+Q"),
    "spec": ("pools:", "sites:", "listeners:", "servers:", "target:", "tls:", "- ", "timeouts:"),
    "settings": ("target:", "rules:", "services:", "layers:", "select:", "path_map:", "- ", "*a"),
    "suppressions": ("ignore[", "ignore-file[", "ignore-start[", "ignore-end[", "NGX401", "] why"),
}
"""Words that inputs are made of, by the first part of the target's name."""


def main(target: str, minutes: float) -> int:
    """Fuzz a target for so many minutes on one core; the exit code of the fuzzer."""
    work = Path("build/fuzz", target).absolute()
    inputs = work / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate([*read_seeds(target), *examples(target)]):
        (inputs / f"seed-{number}").write_bytes(data[:LONGEST])
    words = work / "words"
    words.write_text("".join(map(quoted, WORDS[target.partition("_")[0]])), encoding="ascii")
    code = run(
        target,
        work,
        f"-max_total_time={round(minutes * 60)}",
        f"-timeout={HANG_SECONDS}",
        f"-dict={words}",
        f"-max_len={LONGEST}",
        f"-rss_limit_mb={MEMORY_LIMIT}",
        "-print_final_stats=1",
        str(inputs),
    )
    if code == 0:
        kept = work / "kept"
        kept.mkdir(exist_ok=True)
        run(target, work, "-merge=1", str(kept), str(inputs))
        known = set(examples(target))
        write_seeds(target, {path.read_bytes() for path in kept.iterdir()} - known)
    return code


def run(target: str, folder: Path, *options: str) -> int:
    """libFuzzer with a target; it ends its process, so it gets one of its own."""
    script = str(Path(__file__).with_name("drive.py"))
    return subprocess.run(
        [sys.executable, script, target, *options], cwd=folder, check=False
    ).returncode


def examples(target: str) -> list[bytes]:
    """What the target reads in the examples of the rules and in samples/."""
    from gwlint.registry import all_rules

    if target == "spec":
        return [path.read_bytes() for path in sorted(SAMPLES.glob("generate/*.yaml"))]
    name = FILE_NAMES.get(target.partition("_")[0])
    return [
        text.encode()
        for rule in all_rules()
        for example in (*rule.bad, *rule.good)
        for file_name, text in example.files.items()
        if file_name == name
    ]


def quoted(word: str) -> str:
    """A line of a libFuzzer dictionary."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in word.encode()) + '"\n'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
