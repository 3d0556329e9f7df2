"""`gwlint generate` without a server: specs, their faults, and values that try to break out."""

from __future__ import annotations

import json
import re
import string
from functools import cache
from itertools import pairwise
from pathlib import Path

import crossplane
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gwlint.generate.quoting import comment, haproxy_word, nginx_word
from gwlint.generate.run import SpecErrors, generate
from gwlint.generate.units import size, time
from gwlint.source import Source
from gwlint.syntax.haproxy.parser import parse as parse_haproxy
from gwlint.syntax.nginx.parser import parse as parse_nginx

SAMPLE = Path(__file__).parent.parent / "samples" / "generate" / "gateway.yaml"
PROXIES = ("nginx", "haproxy")

SMALLEST = """\
sites:
  shop: {hosts: [shop.test], routes: [{path: /, pool: web}]}
pools:
  web: {servers: ["10.0.1.11:8080"]}
"""


def made(folder: Path, text: str | bytes, proxy: str, target: str | None = None) -> str:
    """The configuration that a spec of this text gives."""
    spec = folder / "gateway.yaml"
    spec.write_bytes(text if isinstance(text, bytes) else text.encode())
    (content,) = generate(spec, proxy, target).values()
    return content.decode()


def told(folder: Path, text: str | bytes, proxy: str = "nginx") -> list[tuple[int, int, str]]:
    """Line, column and message of each fault of a spec; it must have one."""
    with pytest.raises(SpecErrors) as raised:
        made(folder, text, proxy)
    assert str(raised.value).count("\n") == len(raised.value.problems) - 1
    return [(one.line, one.column, str(one)) for one in raised.value.problems]


@pytest.mark.parametrize("proxy", PROXIES)
def test_four_lines_are_a_spec(tmp_path: Path, proxy: str) -> None:
    text = made(tmp_path, SMALLEST, proxy)
    assert "10.0.1.11:8080" in text
    assert "shop.test" in text
    assert "ssl" not in text


@pytest.mark.parametrize("proxy", PROXIES)
def test_sample_parses(proxy: str) -> None:
    ((name, content),) = generate(SAMPLE, proxy).items()
    assert name == {"nginx": "nginx.conf", "haproxy": "haproxy.cfg"}[proxy]
    source = Source(name, content)
    assert not (parse_nginx(source) if proxy == "nginx" else parse_haproxy(source)).errors
    assert content.endswith(b"}\n" if proxy == "nginx" else b"\n")
    assert b"\n\n\n" not in content
    assert not any(line != line.rstrip() for line in content.decode().splitlines())


def test_all_faults_are_told_at_once_with_places_and_suggestions(tmp_path: Path) -> None:
    problems = told(
        tmp_path,
        """\
listeners:
  - {port: 99999, protocol: htps}
sites:
  shop:
    hosts: [shop.test, "two words"]
    routes: [{path: api, pool: wbe}]
pools:
  web:
    servers: ["localhost:80", "10.0.0.1"]
    keep_alive: {idle: 4}
  wobbly: {server: ["10.0.0.2:80"]}
""",
    )
    assert [(line, column) for line, column, _ in problems] == [
        (2, 12),
        (2, 29),
        (5, 24),
        (6, 21),
        (6, 32),
        (9, 15),
        (9, 31),
        (10, 24),
        (11, 11),
        (11, 12),
    ]
    suggestions = [text.partition("did you mean ")[2].rstrip("?)") for _, _, text in problems]
    assert suggestions == [
        "",
        '"https"',
        "",
        '"/api"',
        '"web"',
        '"127.0.0.1:80"',
        "",
        '"4s"',
        "",
        '"servers"',
    ]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (b"", (1, 1), "empty"),
        (b"# only a comment\n", (1, 1), "empty"),
        (b"- a\n- b\n", (1, 1), "a list, not a mapping"),
        (b"just text\n", (1, 1), "not a mapping"),
        (b"pools:\n  web: \xff\n", (2, 8), "not UTF-8"),
        ("pools:\n  wéb: ".encode("latin-1"), (2, 4), "not UTF-8"),
        (b"\xff\xfep\x00o\x00", (1, 1), "not UTF-8"),
        (b"pools:\n\tweb: {}\n", (2, 1), "tab"),
        (b"pools: {web: [\n", (2, 1), "not YAML"),
        (b"pools: *nowhere\n", (1, 8), "undefined alias"),
        (b"pools: a: b\n", (1, 9), "not YAML"),
        (b"a: 1\n---\nb: 2\n", (2, 1), "not YAML"),
        (b"pools: \x01\n", (1, 8), "control character"),
        (b"[" * 5000, (1, 1), "nested too deeply"),
        (b"{a: " * 5000, (1, 1), "nested too deeply"),
        (b"x: " + b"a" * 300_000, (1, 1), "larger than 128 KiB"),
        (SMALLEST.encode() + b"pools: {}\n", (5, 1), "stands twice; first in line 3"),
        (SMALLEST.encode() + b"timeouts: !!python/name:os.system {}\n", (5, 11), "tagged"),
        (SMALLEST.encode() + b"timeouts:\n", (6, 1), "timeouts is nothing"),
        (SMALLEST.encode() + b"? [a]\n: b\n", (5, 3), "a key of the spec is a list"),
        (SMALLEST.encode() + b"target: {nginx: 1.18.0}\n", (5, 9), "too old"),
        (SMALLEST.encode() + b"limits: {body: 10}\n", (5, 16), "out of range: 1k to 1024g"),
        (SMALLEST.encode() + b"timeouts: {websocket: 60s}\n", (5, 23), "out of range: 61s to 7d"),
        (SMALLEST.encode() + b"tls: {key: /etc/k.pem}\n", (5, 6), "lacks the key certificate"),
        (SMALLEST.encode() + b"listeners: [{port: 443, protocol: https}]\n", (5, 35), "needs"),
        (SMALLEST.encode() + b"listeners: []\n", (5, 12), "listeners is empty"),
    ],
)
def test_a_fault_has_one_clear_message(
    tmp_path: Path, text: bytes, place: tuple[int, int], words: str
) -> None:
    problems = told(tmp_path, text)
    assert (problems[0][:2], words in problems[0][2]) == (place, True), problems


def test_aliases_do_not_multiply(tmp_path: Path) -> None:
    lines = ['a: &a ["10.0.0.1:80", "10.0.0.2:80"]']
    lines += [f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in pairs()]
    assert len(told(tmp_path, "\n".join(lines) + "\nsites: {s: {hosts: *h}}\npools: *h\n")) < 60


def pairs() -> list[tuple[str, str]]:
    letters = string.ascii_lowercase[:20]
    return list(pairwise(letters))


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_recursive_alias_ends(tmp_path: Path, proxy: str) -> None:
    assert told(tmp_path, "pools: &p {web: *p}\nsites: &s {shop: *s}\n", proxy)


def test_keys_that_haproxy_would_not_find(tmp_path: Path) -> None:
    text = SMALLEST + "tls: {certificate: /etc/ssl/chain.crt, key: /etc/ssl/private.pem}\n"
    assert "ssl_certificate_key /etc/ssl/private.pem;" in made(tmp_path, text, "nginx")
    ((line, column, message),) = told(tmp_path, text, "haproxy")
    assert (line, column) == (5, 45)
    assert "/etc/ssl/chain.key" in message


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(500, "500ms"), (1500, "1500ms"), (60_000, "60s"), (120_000, "2m"), (86_400_000, "24h")],
)
def test_times_are_exact(milliseconds: int, text: str) -> None:
    assert time(milliseconds) == text


def test_sizes_are_exact() -> None:
    assert [size(1023), size(1024), size(10 * 1024**2), size(1536)] == ["1023", "1k", "10m", "1536"]


HOSTILE = st.text(
    st.one_of(
        st.sampled_from(";{}\n\r\t\"'#$%\\ `()|&*,=:[]<>\0"),
        st.sampled_from("aZ0/._-é\u00a0\u2028\U0001f600"),
    ),
    max_size=12,
)

PLACES = {
    "certificate": ("tls: {certificate: @}\n", "/etc/"),
    "folder": ("logging: {folder: @}\n", "/var/"),
    "destination": ("logging: {to: @}\n", ""),
    "chroot": ("workers: {chroot: @}\n", "/srv/"),
    "user": ("workers: {user: @}\n", ""),
    "group": ("workers: {user: www, group: @}\n", ""),
    "version": ("target: {nginx: @, haproxy: @}\n", ""),
    "resolver": ("resolvers: [@]\n", ""),
    "rate": ("request_limits: {x: {rate: @}}\n", ""),
    "limit name": ("request_limits: {@: {rate: 1/s}}\n", ""),
    "profile": ("tls: {certificate: /etc/x.pem, profile: @}\n", ""),
    "timeout": ("timeouts: {connect: @}\n", ""),
    "size": ("limits: {body: @}\n", ""),
    "address": ("listeners: [{port: 80, protocol: http, address: @}]\n", ""),
}

SITES = {
    "host": "sites: {shop: {hosts: [@], routes: [{path: /, pool: web}]}}\n",
    "site name": "sites: {@: {hosts: [a.test], routes: [{path: /, pool: web}]}}\n",
    "path": "sites: {shop: {hosts: [a.test], routes: [{path: @, pool: web}]}}\n",
    "server": "pools: {web: {servers: [@]}}\n",
    "check path": 'pools: {web: {servers: ["10.0.0.1:80"], health: {path: @}}}\n',
    "check host": 'pools: {web: {servers: ["10.0.0.1:80"], health: {host: @}}}\n',
}

HARMLESS = {
    "destination": "stdout",
    "version": "2.6.12",
    "resolver": "10.0.0.53",
    "rate": "1/s",
    "profile": "modern",
    "timeout": "1s",
    "size": "1m",
    "address": "10.0.0.9",
    "host": "abc.test",
    "path": "/abc",
    "server": "10.0.0.1:81",
    "check path": "/abc",
}


def spec_with(place: str, value: str) -> str:
    """A spec that has `value` in one place, as a JSON string, which YAML reads the same."""
    quoted = json.dumps(value, ensure_ascii=False)
    if place in PLACES:
        return SMALLEST + PLACES[place][0].replace("@", quoted)
    key = SITES[place].partition(":")[0]
    sites, pools = SMALLEST.split("pools:")
    rest = f"pools:{pools}" if key == "sites" else sites
    return rest + SITES[place].replace("@", quoted)


def shape(text: str, proxy: str, folder: Path) -> list[int]:
    """How many words each statement has, by crossplane for nginx and by gwlint's own parser,
    which is held against the real servers elsewhere."""
    if proxy == "haproxy":
        file = parse_haproxy(Source("haproxy.cfg", text.encode()))
        assert not file.errors
        return [len(line.words) for line in file.lines]
    path = folder / "nginx.conf"
    path.write_text(text)
    words = [0]
    for token, _, quoted in crossplane.lex(str(path)):
        if token.startswith("#") and not quoted:
            continue
        if token in (";", "{", "}") and not quoted:
            words.append(0)
        else:
            words[-1] += 1
    return words


def words_of(text: str, proxy: str) -> list[str]:
    """Every word as the server sees it."""
    if proxy == "haproxy":
        return [
            word.value
            for line in parse_haproxy(Source("h", text.encode())).lines
            for word in line.words
        ]
    found: list[str] = []
    waiting = list(parse_nginx(Source("n", text.encode())).directives)
    while waiting:
        directive = waiting.pop()
        found += [word.value for word in directive.words]
        waiting += directive.block.directives if directive.block else []
    return found


@cache
def usual_shape(place: str, proxy: str, folder: Path) -> list[int]:
    value = HARMLESS.get(place, f"{prefix_of(place)}abc")
    return shape(made(folder, spec_with(place, value), proxy, "2.6.12"), proxy, folder)


def prefix_of(place: str) -> str:
    return PLACES[place][1] if place in PLACES else ""


def hold(place: str, proxy: str, rest: str, folder: Path) -> None:
    """Assert that a value is refused at its place, or stands in the output as one word."""
    value = prefix_of(place) + rest
    try:
        text = made(folder, spec_with(place, value), proxy, "2.6.12")
    except SpecErrors as errors:
        assert all(one.line >= 1 and one.column >= 1 for one in errors.problems)
        return
    found = shape(text, proxy, folder)
    usual = usual_shape(place, proxy, folder)
    if place not in ("path", "server"):
        # The path / needs fewer statements than others, and a server's name more than an address.
        assert len(found) == len(usual)
        if place not in ("address", "destination"):
            # `v6only` goes with an IPv6 address, `format raw` with stdout.
            assert found == usual
    if place == "certificate":
        assert {word for word in words_of(text, proxy) if word.startswith("/etc/")} == {value}


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("place", [*PLACES, *SITES])
def test_no_breakout_that_was_thought_of(place: str, proxy: str, tmp_path: Path) -> None:
    for rest in (";", "x}", "a b", "a\nb", '"', "'", "\\", "x#y", "$host", "%[src]", "é", "::", ""):
        hold(place, proxy, rest, tmp_path)


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from([*PLACES, *SITES]), proxy=st.sampled_from(PROXIES), rest=HOSTILE)
def test_no_breakout(
    place: str, proxy: str, rest: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    hold(place, proxy, rest, tmp_path_factory.getbasetemp())


@given(st.text(max_size=30))
def test_words_are_read_back(text: str) -> None:
    for quote, parse in ((nginx_word, "nginx"), (haproxy_word, "haproxy")):
        try:
            word = quote(text)
        except ValueError:
            assert "$" in text or not text.isprintable()
            continue
        line = f"name {word};\n" if parse == "nginx" else f"global\n name {word}\n"
        assert words_of(line, parse)[-2:] == ["name", text]


@given(st.text(max_size=30))
def test_comments_stay_comments(text: str) -> None:
    assert "\n" not in comment(text)
    assert comment(text).isprintable()
    assert comment(text).isascii()


def test_the_name_of_the_spec_stays_in_its_comment(tmp_path: Path) -> None:
    spec = tmp_path / "a\nserver { }\n.yaml"
    spec.write_text(SMALLEST)
    for proxy in PROXIES:
        (content,) = generate(spec, proxy).values()
        assert content.splitlines()[1] == b""


def test_examples_of_the_readme_are_specs(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", (SAMPLE.parent / "README.md").read_text(), re.S)
    assert examples
    for text in examples:
        for proxy in PROXIES:
            assert made(tmp_path, text, proxy)


def test_a_gateway_does_not_lead_to_itself(tmp_path: Path) -> None:
    text = SMALLEST.replace("10.0.1.11:8080", "127.0.0.1:80")
    ((line, column, message),) = told(tmp_path, text)
    assert (line, column) == (4, 19)
    assert "listener of this gateway" in message


def test_versions_choose_the_form(tmp_path: Path) -> None:
    text = SMALLEST + "tls: {certificate: /etc/x.pem}\n"
    assert "ssl http2;" in made(tmp_path, text, "nginx", "1.25.0")
    assert "http2 on;" in made(tmp_path, text, "nginx", "1.25.1")
    names = text.replace("10.0.1.11", "app.test") + "resolvers: [10.0.0.2]\n"
    assert "resolve" not in made(tmp_path, names, "nginx", "1.27.2")
    assert "server app.test:8080 resolve;" in made(tmp_path, names, "nginx", "1.27.3")


def test_posts_are_never_repeated_by_configuration() -> None:
    nginx, haproxy = (next(iter(generate(SAMPLE, proxy).values())).decode() for proxy in PROXIES)
    (line,) = [one for one in nginx.splitlines() if one.strip().startswith("proxy_next_upstream ")]
    assert "non_idempotent" not in line
    backends = haproxy.split("\nbackend ")[1:]
    for backend in (one for one in backends if "\n    server " in one):
        assert "disable-l7-retry if !METH_GET !METH_HEAD !METH_OPTIONS" in backend
