"""The HAProxy tree against random input, and against HAProxy's own idea of words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from haproxy_oracle import LINE_ERRORS, dump, expected_dump, messages, tree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gwlint.syntax.haproxy.tree import HaproxyFile

FRAGMENTS = [
    *[b"a", b"zq", b"-x", b"1:80", b".", b"=", b"{", b"}", b"*", b"\xc3\xa9", b"\xff", b"!"],
    *[b" ", b" ", b"  ", b"\t", b"\v", b"\r"],
    *[b'"', b'"', b"'", b"'", b'""', b"''", b"#"],
    *[rb"\ ", rb"\\", rb"\t", rb"\n", rb"\r", rb"\#", rb"\'", rb"\"", rb"\x41", rb"\x20", rb"\x4"],
    *[rb"\x00", rb"\1", rb"\.", b"\\", rb"\$.", b"$"],
    *[
        b'"$SET"',
        b'"${SET}"',
        b'"${SET[*]}"',
        b'"${NOT-de fault}"',
        b'"${NOT}x"',
        b"$SET",
        b"${SET",
    ],
    *[b"${NOT-", b"${SET[x]}"],
]
ENVIRONMENT = {"SET": "one"}
LINE = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(b"".join)
FEW = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CONFIG_LIKE = st.lists(
    st.sampled_from(
        [
            *[b"global", b"frontend", b"defaults from", b"no ", b"option x", b"[spoe]", b"["],
            *[b".if", b".elif", b".else", b".endif", b".foo", b"\n", b"\n", b"\r\n", b"\0", b" "],
            *[b"\xef\xbb\xbf", b'"', b"'", b"\\", b"#", b"${A", b"w " * 63],
        ]
    ),
    max_size=60,
).map(b"".join)


@given(st.one_of(st.binary(max_size=300), CONFIG_LIKE, LINE))
@settings(max_examples=400, deadline=None)
def test_any_bytes_come_back(data: bytes) -> None:
    file = tree(data)
    done = 0
    for piece in file.pieces():
        assert piece.span.start == done
        assert piece.span.end > done
        done = piece.span.end
    assert done == len(data)
    assert all(line.words for line in file.lines)
    assert all(problem.span.start <= problem.span.end <= len(data) for problem in file.errors)


@given(CONFIG_LIKE)
@settings(max_examples=300, deadline=None)
def test_plain_lines_are_read_as_all_others_are(data: bytes) -> None:
    at_once = tree(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gwlint.syntax.haproxy.parser.PLAIN_LINE", re.compile(b"(?!)"))
        one_by_one = tree(data)
    assert facts(at_once) == facts(one_by_one)


def facts(file: HaproxyFile) -> list[object]:
    """All that a parser decides."""
    return [
        [
            ([(word.start, word.end, word.value) for word in line.words], line.start, line.stop)
            for line in file.lines
        ],
        [(line.keyword, line.comment, line.section and line.section.kind) for line in file.lines],
        [[line.start for line in section.lines] for section in file.sections],
        [*file.comments, *file.ignored],
        [(problem.span, problem.message) for problem in file.errors],
    ]


@given(st.lists(LINE, min_size=30, max_size=45))
@FEW
def test_words_are_those_of_haproxy(tmp_path: Path, lines: list[bytes]) -> None:
    # More than 49 wrong lines would make HAProxy stop. The first line is a plain one: see
    # `test_a_default_in_the_first_line_is_a_haproxy_bug`.
    path = tmp_path / "haproxy.cfg"
    data = b"global\n" + b"".join([line + b"\n" for line in lines])
    path.write_bytes(data)
    assert dump(path, ENVIRONMENT) == expected_dump(tree(data), ENVIRONMENT)


@given(st.lists(LINE, min_size=20, max_size=24))
@settings(FEW, max_examples=20)
def test_first_words_and_errors_are_those_of_both_servers(
    tmp_path: Path, lines: list[bytes]
) -> None:
    path = tmp_path / "haproxy.cfg"
    data = b"global\n" + b"".join([b"zq" + line.replace(b"$", b"S") + b"\n" for line in lines])
    path.write_bytes(data)
    file = tree(data)
    source = file.source
    told = {
        source.line_of(problem.span.start): LINE_ERRORS[problem.kind]
        for problem in file.errors
        if problem.kind in LINE_ERRORS
    }
    wanted = {}
    for line in file.lines[1:]:
        number = source.line_of(line.start)
        word = line.words[0].value.encode("utf-8", "surrogateescape").partition(b"\n")[0]
        wanted[number] = told.get(number, b"unknown keyword '" + word)
    for version in ("2.6", "2.8"):
        said = dict(messages(version, path))
        assert said.keys() == wanted.keys()
        for number, text in wanted.items():
            assert said[number].startswith(text)
