"""Ask nginx itself which directives may not be repeated in one block: nginx_duplicates.json.

    python linter/data/measure_nginx_duplicates.py BINARY... > linter/data/nginx_duplicates.json

Each simple directive of nginx_directives.json is written twice in one block, and `nginx -t` says
whether the second one is a duplicate. One context is tried for all contexts of a form, since nginx
reads them with the same function. First the arguments that nginx takes are
looked for, by the form of the value and then among words that many directives take; a pair of
arguments is only tried when each of them was accepted alone. A directive counts as

- "always" a duplicate when every ordered pair of at least two accepted arguments is refused;
- a duplicate with the "same" arguments when every accepted argument is refused beside itself.

What the binaries disagree on, or none of them knows, is left out. Runs in a scratch folder; takes
some minutes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

HERE = Path(__file__).parent
RUN_SECONDS = 10
ENOUGH_ACCEPTED = 3

# "@" is where the directive goes. Servers listen on sockets of the scratch folder only.
_HTTP = "events {} http { access_log off; %s }"
_HTTP_SERVER = _HTTP % "server { listen unix:http.sock; %s }"
_HTTP_LOCATION = _HTTP_SERVER % "location /here { %s }"
_STREAM = "events {} stream { %s }"
_MAIL = "events {} mail { auth_http 127.0.0.1:1; %s }"
SCAFFOLDS = {
    "main": "@ events {}",
    "events": "events { @ }",
    "http": _HTTP % "@",
    "http server": _HTTP_SERVER % "@",
    "http upstream": _HTTP % "upstream here { server 127.0.0.1:1; @ }",
    "http server if": _HTTP_SERVER % "if ($arg_a) { @ }",
    "location": _HTTP_LOCATION % "@",
    "location if": _HTTP_LOCATION % "if ($arg_a) { @ }",
    "limit_except": _HTTP_LOCATION % "limit_except GET { @ }",
    "stream": _STREAM % "@",
    "stream server": _STREAM % "server { listen unix:stream.sock; proxy_pass 127.0.0.1:1; @ }",
    "stream upstream": _STREAM % "upstream here { server 127.0.0.1:1; @ }",
    "mail": _MAIL % "@",
    "mail server": _MAIL % "server { listen unix:mail.sock; protocol pop3; @ }",
}

# Not measured: `include` reads other files, `load_module` runs their code.
LEFT_OUT = frozenset({"include", "load_module"})

VALUES = {
    "flag": ("on", "off"),
    "number": ("1", "2", "7", "16"),
    "size": ("4k", "8k", "0"),
    "offset": ("4k", "8k", "0"),
    "milliseconds": ("5s", "7s", "0"),
    "seconds": ("5s", "7s", "0"),
    "buffers": ("8 4k", "16 4k"),
}

COMMON = {
    0: ("",),
    1: (
        "on", "off", "1", "2", "4k", "8k", "5s", "7s", "path_a", "path_b", "path_c/", "$arg_a",
        "$arg_b", "any", "all", "GET", "POST", "127.0.0.1", "127.0.0.2", "127.0.0.1:1",
        "127.0.0.1:2", "unix:a.sock", "http://127.0.0.1:1", "http://127.0.0.1:2", "default",
        "none", "=404", "404", "timeout", "error", "TLSv1.2", "1.0", "1.1", "1m", "zone=here:1m",
        "10%", "utf-8", "stderr",
    ),
    2: (
        "8 4k", "16 4k", "here 1m", "$arg_a 1m", "X-A a", "X-B b", "404 path_a", "403 path_b",
        "here $arg_a", "there $arg_b", "path_a path_b", "path_a 1", "$arg_a $arg_b", "$here 1",
        "$there 2", "http://a/ /b", "http://c/ /d", "5s 6s", "200 1m", "on off", "path_a main",
        "a path_b", "here 1", "any here",
    ),
    3: ("path_a 1 2", "path_b 2 2", "$arg_a zone=here:1m rate=1r/s", "a b c", "200 5s 404"),
}  # fmt: skip


class Form(NamedTuple):
    """A row of nginx_directives.json, as far as it matters here."""

    contexts: str
    counts: int
    block: int
    value_form: str = ""
    detail: str = ""
    module: str = ""
    since: str = ""
    commercial: int = 0
    default: str = ""


class Server:
    """One nginx binary, asked about scratch configurations."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.binary = binary
        self.folder = folder
        built = self._run("-V")
        modules = re.search(r"--modules-path=(\S+)", built)
        self.modules = ""
        for name in ("stream", "mail"):
            if modules and f"--with-{name}=dynamic" in built:
                self.modules += f"load_module {modules[1]}/ngx_{name}_module.so; "

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.binary, *arguments],
            cwd=self.folder,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=RUN_SECONDS,
            check=False,
        )
        return done.stdout + done.stderr

    def complaint(self, context: str, name: str, lines: list[str]) -> str:
        """What nginx says against the last line, in a scaffold without directives of `name`."""
        scaffold = re.sub(rf"\b{name} [^;{{}}]*;", "", SCAFFOLDS[context])
        before, _, after = scaffold.partition("@")
        text = self.modules + before + "\n" + "\n".join(lines) + "\n" + after
        (self.folder / "nginx.conf").write_text(text, encoding="utf-8")
        said = self._run("-t", "-e", "stderr", "-p", f"{self.folder}/", "-c", "nginx.conf")
        place = re.search(
            rf"\[emerg\] (?:[0-9#]+: )?(.*) in \S+nginx\.conf:{len(lines) + 1}$", said, re.MULTILINE
        )
        return place[1] if place else ""


def candidates(form: Form) -> Iterator[str]:
    """Arguments worth trying, the likeliest first."""
    if form.value_form in VALUES:
        yield from VALUES[form.value_form]
        if form.value_form == "number" and form.detail:
            yield from form.detail.split("..")
        return
    if form.value_form in ("word", "words"):
        yield from form.detail.split()
        return
    if form.default:
        yield form.default
    for count, values in COMMON.items():
        if form.counts >> count & 1:
            yield from values


class Trial:
    """One directive in one context of one server."""

    def __init__(self, server: Server, context: str, name: str) -> None:
        self.server = server
        self.context = context
        self.name = name
        self.accepted: list[str] = []

    def refuses(self, first: str, second: str) -> bool:
        statements = [f"{self.name} {first};", f"{self.name} {second};"]
        return "duplicate" in self.server.complaint(self.context, self.name, statements)

    def verdict(self, arguments: Iterable[str]) -> str:
        """What a second directive is: "always" a duplicate, with the "same" arguments, or ""."""
        for one in dict.fromkeys(arguments):
            said = self.server.complaint(self.context, self.name, [f"{self.name} {one};"])
            if said.startswith("unknown directive"):
                return ""
            if said:
                continue
            self.accepted.append(one)
            if not self.refuses(one, one):
                return ""
            if len(self.accepted) == ENOUGH_ACCEPTED:
                break
        if not self.accepted:
            return ""
        pairs = list(permutations(self.accepted, 2))
        if self.accepted == [""] or (pairs and all(self.refuses(*pair) for pair in pairs)):
            return "always"
        return "same"


def measure(server: Server) -> dict[tuple[str, str], str]:
    """(directive, context) -> verdict, for all that the server knows."""
    found: dict[tuple[str, str], str] = {}
    table = json.loads((HERE / "nginx_directives.json").read_text(encoding="utf-8"))
    for name, rows in table["directives"].items():
        if name in LEFT_OUT:
            continue
        for form in (Form(*row) for row in rows):
            if form.block == 1:
                continue
            contexts = [one for one in SCAFFOLDS if one in form.contexts.split(",")]
            if not contexts:
                continue
            trial = Trial(server, contexts[-1], name)
            verdict = trial.verdict(candidates(form))
            if trial.accepted:
                found.update(((name, context), verdict) for context in contexts)
    return found


def measure_binary(binary: str) -> dict[tuple[str, str], str]:
    with TemporaryDirectory() as folder:
        return measure(Server(binary, Path(folder)))


def main(binaries: list[str]) -> None:
    if not binaries:
        sys.exit("usage: measure_nginx_duplicates.py BINARY...")
    with ThreadPoolExecutor() as pool:
        measured = list(pool.map(measure_binary, binaries))
    result: dict[str, dict[str, list[str]]] = {"always": {}, "same": {}}
    for key in sorted({key for one in measured for key in one}):
        verdicts = {one[key] for one in measured if key in one}
        if len(verdicts) > 1:
            print(f"{key}: {sorted(verdicts)}", file=sys.stderr)
        elif verdicts != {""}:
            name, context = key
            result[verdicts.pop()].setdefault(name, []).append(context)
    parts = []
    for kind, names in result.items():
        lines = [f"{json.dumps(name)}:{json.dumps(where)}" for name, where in names.items()]
        parts.append(f'"{kind}":{{\n' + ",\n".join(lines) + "\n}")
    print("{" + ",\n".join(parts) + "}")


if __name__ == "__main__":
    main(sys.argv[1:])
