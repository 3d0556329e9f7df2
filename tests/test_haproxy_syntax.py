"""The HAProxy tree: grammar points one by one, real files, and time.

Expected words and errors are first asked of HAProxy itself (`judge`), then of the tree.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from haproxy_oracle import LINE_ERRORS, dump, expected_dump, messages, run, tree

from gwlint.source import Source, Statement
from gwlint.syntax.haproxy.parser import parse
from gwlint.syntax.haproxy.sections import SECTION_KINDS
from gwlint.syntax.haproxy.tree import HaproxyFile, PieceKind

Judge = Callable[..., HaproxyFile]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Parse bytes after HAProxy 2.8 has confirmed every word of them."""

    def confirmed(data: bytes, environment: dict[str, str] | None = None) -> HaproxyFile:
        path = tmp_path / "haproxy.cfg"
        path.write_bytes(data)
        file = tree(data)
        assert dump(path, environment) == expected_dump(file, environment)
        assert b"".join(piece.span.raw for piece in file.pieces()) == data
        return file

    return confirmed


def said(tmp_path: Path, data: bytes) -> bytes:
    """What HAProxy 2.6 says, once 2.8 was heard to say the same about the same lines."""
    path = tmp_path / "haproxy.cfg"
    path.write_bytes(data)
    answers = [messages(version, path) for version in ("2.6", "2.8")]
    assert [number for number, _ in answers[0]] == [number for number, _ in answers[1]]
    return b"\n".join([text for _, text in answers[0]])


def words(file: HaproxyFile) -> list[list[str]]:
    return [[word.value for word in line.words] for line in file.lines]


def kinds(data: bytes) -> list[str]:
    return [problem.kind for problem in tree(data).errors]


WORDS = {
    "one line, no continuation": (b"global\n a \\\n b\n", [["a", "\\"], ["b"]]),
    "CRLF": (b"global\r\n a b\r\n", [["a", "b"]]),
    "CR cuts": (b"global\n a\rb c\n", [["a"]]),
    "CR after a blank is a blank": (b"global\n a \r b\n", [["a", "b"]]),
    "all blanks separate": (b"global\n\v\f a\tb\vc\fd\n", [["a", "b", "c", "d"]]),
    "glued comment": (b"global#x\n h#i\n \\#j k#'\n", [["h"], ["#j", "k"]]),
    "glued quotes": (b"global\n d\\x41'e\"f'\"g'h\"\n", [["dAe\"fg'h"]]),
    "single quotes are literal": (b"global\n 'a\\x41\\$B' '#'\n", [["a\\x41\\$B", "#"]]),
    "escapes": (
        b'global\n \\ a\\\\\\t\\r\\\'\\" "\\ \\\'\\""\n',
        [[" a\\\t\r'\"", " '\""]],
    ),
    "other escapes stay": (b'global\n \\1\\. \\$A "\\$A"\n', [["\\1\\.", "\\$A", "$A"]]),
    "NUL escape ends the word": (b"global\n a\\x00b c\n", [["a", "c"]]),
    "empty words": (b"global\n a \"\" '' b\n", [["a", "", "", "b"]]),
    "an unquoted dollar is none": (b"global\n $A ${A} '$A'\n", [["$A", "${A}", "$A"]]),
    "bytes": (b"global\n \xff\xc3\xa9\n", [["\udcff\xe9"]]),
    "64 words": (b"global\n" + b" ".join([b"w"] * 64) + b"#c\r\n", [["w"] * 64]),
}


@pytest.mark.parametrize("name", WORDS)
def test_words(judge: Judge, name: str) -> None:
    data, expected = WORDS[name]
    assert words(judge(data))[1:] == expected


ERRORS = {
    "open double quote": (b'global\n a "b\n', "unmatched-quote"),
    "open single quote": (b"global\n a 'b\n", "unmatched-quote"),
    "CR in quotes": (b'global\n a "b\rc"\n', "unmatched-quote"),
    "bad hex": (b"global\n a \\x4g\n", "invalid-escape"),
    "short hex": (b"global\n a \\x4\n", "invalid-escape"),
    "digit variable": (b'global\n a "$1"\n', "invalid-variable"),
    "end of regex": (b'global\n a "^/a$"\n', "invalid-variable"),
    "unknown pseudo variable": (b'global\n a "$.FOO"\n', "invalid-variable"),
    "open brace": (b'global\n a "${A"\n', "unmatched-brace"),
    "open default": (b'global\n a "${A-b"\n', "unmatched-brace"),
    "bad expansion": (b'global\n a "${A[x]}"\n', "invalid-expansion"),
    "65 words": (b"global\n" + b"w " * 64 + b"w\n", "too-many-words"),
    "64 words and a blank": (b"global\n" + b"w " * 64 + b"\n", "too-many-words"),
    "64 words, blank, comment": (b"global\n" + b"w " * 64 + b"#c\n", "too-many-words"),
    "64 quoted words and a blank": (b"global\n" + b"'w' " * 64 + b"\n", "too-many-words"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_of_a_line(judge: Judge, tmp_path: Path, name: str) -> None:
    data, kind = ERRORS[name]
    assert LINE_ERRORS[kind] in said(tmp_path, data)
    file = judge(data)
    assert [problem.kind for problem in file.errors] == [kind]
    assert file.source.line_of(file.errors[0].span.start) == 2
    assert file.lines[1].words  # what could be read is there


STATEMENTS = {
    "nul": (b"global\0\n maxconn 1\n", "nul", b"Stray NUL character"),
    "final newline": (b"global", "missing-final-newline", b"Missing LF on last line"),
    "final blanks": (b"global\n  ", "missing-final-newline", b"Missing LF on last line"),
    "BOM": (b"\xef\xbb\xbfglobal\n", "byte-order-mark", b"unknown keyword '\xef\xbb\xbfglobal'"),
    "no section": (b"maxconn 1\n", "outside-section", b"unknown keyword 'maxconn' out of section"),
    "lone no": (b"global\n no\n", "invalid-modifier", b"negation/default currently supported"),
    "no maxconn": (b"global\n no maxconn 1\n", "invalid-modifier", b"negation/default currently"),
    "no section name": (b"no global\n", "invalid-modifier", b"negation/default currently"),
    "empty scope": (b"[]\nglobal\n", "invalid-scope", b"empty scope name is forbidden"),
    "open scope": (b"[a\nglobal\n", "invalid-scope", b"empty scope name is forbidden"),
    "scope name": (b"[a b]\nglobal\n", "invalid-scope", b"not permitted in a scope name"),
    "after scope": (b"[a] b\nglobal\n", "invalid-scope", b"not permitted after scope"),
    "unknown": (b"global\n.foo\n", "unknown-directive", b"unknown directive '.foo'"),
    "two": (b"global\n.notice a b\n", "directive-argument", b"Unexpected argument 'b'"),
    "lone elif": (b"global\n.elif 1\n", "lone-condition", b"lone '.elif'"),
    "lone else": (b"global\n.else\n", "lone-condition", b"lone '.else'"),
    "lone endif": (b"global\n.endif\n", "lone-condition", b"lone '.endif'"),
    "open if": (b"global\n.if 1\n", "unterminated-condition", b"non-terminated '.if' block"),
    "elif after else": (
        b"global\n.if 1\n.else\n.elif 1\n.endif\n",
        "condition-after-else",
        b"'.elif' after '.else' is not permitted",
    ),
    "else after else": (
        b"global\n.if 0\n.else\n.else\n.endif\n",
        "condition-after-else",
        b"'.else' after '.else' is not permitted",
    ),
    "else x": (b"global\n.if 1\n.else x\n.endif\n", "directive-argument", b"argument 'x'"),
    "endif x": (b"global\n.if 1\n.endif x\n", "directive-argument", b"argument 'x'"),
    "depth": (
        b"global\n" + b".if 1\n" * 100 + b".endif\n" * 100,
        "too-deep-condition",
        b"too many nested '.if'",
    ),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_errors_of_statements(tmp_path: Path, name: str) -> None:
    data, kind, message = STATEMENTS[name]
    assert message in said(tmp_path, data)
    assert kinds(data) == [kind]


ACCEPTED = {
    "99 nested": b"global\n" + b".if 1\n" * 99 + b".endif\n" * 99,
    "unknown in a false block": b"global\n.if 0\n.elseif\n.notice a b\n.endif\n",
    "scopes": b"[a-b_c.d:e]\r\n  [x] # comment\n",
    "negations": b"global\n no busy-polling\n no numa-cpu-mapping\n no set-dumpable\n",
    "an empty first word": b'global\n "" foo\n',
    "nothing": b"",
    "only a comment": b"# x\n",
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_haproxy_accepts_is_no_problem(tmp_path: Path, name: str) -> None:
    path = tmp_path / "haproxy.cfg"
    path.write_bytes(ACCEPTED[name])
    for version in ("2.6", "2.8"):
        assert run(version, path).returncode == 2  # valid, but no listener
    assert kinds(ACCEPTED[name]) == []


def test_environment_references(judge: Judge) -> None:
    data = b'global\n "$A:${B}x${C-d e}" "${D[*]}" "$.LINE"\n'
    file = judge(data, {"A": "1", "B": "2", "D": "3 4", ".LINE": "2"})
    first, second, third = file.lines[1].words
    assert first.value == "$A:${B}x${C-d e}"
    assert [(ref.name, ref.default, ref.span.text) for ref in first.references] == [
        ("A", None, "$A"),
        ("B", None, "${B}"),
        ("C", "d e", "${C-d e}"),
    ]
    assert [(ref.name, ref.splits) for ref in second.references] == [("D", True)]
    assert [ref.name for ref in third.references] == [".LINE"]


def test_a_default_in_the_first_line_is_a_haproxy_bug(tmp_path: Path) -> None:
    # HAProxy overwrites the brace, grows its buffer, and reads the line again without it.
    assert b"unmatched brace" in said(tmp_path, b'a "${A-b}"\n')
    assert kinds(b'a "${A-b}"\n') == ["outside-section"]


def test_unset_variables_at_the_end_of_a_word(tmp_path: Path) -> None:
    # 2.6 ends the arguments at a word that becomes empty; 2.8.25 drops the blank behind an unset
    # variable, which joins two words. The tree keeps words apart, with their references.
    path = tmp_path / "haproxy.cfg"
    path.write_bytes(b'global\n "$NOT" foo\n "a$NOT"  b\n "c$SET" d\n')
    assert dump(path, {"SET": ""}) == b"1\tglobal \n2\t\tfoo \n3\t\tab \n4\t\tc d \n"
    said_by_2_6 = messages("2.6", path)
    assert [number for number, _ in said_by_2_6] == [3, 4]
    assert said_by_2_6[0][1].startswith(b"unknown keyword 'a'")
    word = tree(path.read_bytes()).lines[1].words[0]
    assert (word.value, word.references[0].name, word.is_quoted_empty) == ("$NOT", "NOT", False)


def test_an_empty_word_is_told() -> None:
    line = tree(b'global\n a "" b\n').lines[1]
    assert [word.is_quoted_empty for word in line.words] == [False, True, False]
    assert [word.raw for word in line.words] == [b"a", b'""', b"b"]


def test_modifiers() -> None:
    line = tree(b"defaults\n no option httplog # x\n default option foo\n").lines[1]
    assert (line.modifier and line.modifier.value) == "no"
    assert (line.keyword, line.values) == ("option", ["httplog"])
    assert line.comment is not None
    assert line.comment.text == "# x"
    assert line.span.text == "no option httplog"
    assert line.full_span.raw == b" no option httplog # x\n"


def test_lines_are_statements() -> None:
    file = tree(b"backend  b\n  server 's1'  a:1\n.if 1\n.endif\n")
    statement: Statement = file.lines[1]
    assert (statement.normalised, statement.enclosing) == ("server s1 a:1", ("backend b",))
    assert file.lines[0].enclosing == ()
    assert file.lines[2].enclosing == ()


@pytest.mark.parametrize(
    ("header", "name", "origin"),
    [
        (b"defaults", None, None),
        (b"defaults a", "a", None),
        (b"defaults from", "from", None),
        (b"defaults from d", None, "d"),
        (b"defaults a from d", "a", "d"),
        (b"frontend from from d", "from", "d"),
        (b"frontend f from d", "f", "d"),
        (b"listen l", "l", None),
        (b"peers p", "p", None),
    ],
)
def test_headers(tmp_path: Path, header: bytes, name: str | None, origin: str | None) -> None:
    data = b"defaults d\n" + header + b"\n"
    assert said(tmp_path, data) == b""
    section = tree(data).sections[1]
    assert (section.name.value if section.name else None) == name
    assert (section.defaults_from.value if section.defaults_from else None) == origin


def test_sections_begin_anywhere() -> None:
    for kind in sorted(SECTION_KINDS):
        file = tree(b"global\n  " + kind.encode() + b" x\n  foo\n")
        assert [section.kind for section in file.sections] == ["global", kind]
        assert file.lines[2].section is file.sections[1]
        assert [line.keyword for line in file.sections[1].lines] == ["foo"]


@pytest.mark.parametrize("kind", ["cache", "fcgi-app", "ring", "namespace_list", "userlist"])
def test_section_names_are_haproxys(judge: Judge, kind: str) -> None:
    # The dump puts no tab before the header of a section that HAProxy knows.
    judge(b"global\n " + kind.encode() + b" x\n")


def test_spoe() -> None:
    file = tree(b"[one]\nspoe-agent a\n messages m\n[two] # c\nspoe-message m\n")
    assert file.is_spoe
    assert [scope.name for scope in file.scopes] == ["one", "two"]
    assert [section.scope and section.scope.name for section in file.sections] == ["one", "two"]
    assert file.errors == []


def test_conditions_and_the_sections_in_them() -> None:
    file = tree(
        b"frontend f\n.if A B\n one\nbackend b\n two\n.elif C\n three\n.if D\n four\n.endif\n"
        b".else\nbackend c\n five\n.endif\n six\n"
    )
    found = {line.keyword: line for line in file.lines}
    placed = {
        name: (
            found[name].enclosing,
            [branch.expression for branch in found[name].conditions],
        )
        for name in ("one", "two", "three", "four", "five", "six")
    }
    assert placed == {
        "one": (("frontend f",), ["A B"]),
        "two": (("backend b",), ["A B"]),
        "three": (("frontend f",), ["C"]),
        "four": (("frontend f",), ["C", "D"]),
        "five": (("backend c",), [None]),
        "six": (("backend c",), []),
    }
    (branch,) = found["five"].conditions
    assert branch.line.keyword == ".else"
    assert branch.block.opening is found["one"].conditions[0].line
    assert file.errors == []


def test_pieces() -> None:
    data = b"\xef\xbb\xbf[s] #c\r\nglobal # d\n a\rrest\n b\0nul\n\n"
    file = tree(data)
    pieces = [(piece.kind, piece.span.raw) for piece in file.pieces()]
    assert b"".join([raw for _, raw in pieces]) == data
    seen = [raw for kind, raw in pieces if kind is PieceKind.IGNORED]
    assert seen == [b"\rrest", b"\0nul"]
    assert [raw for kind, raw in pieces if kind is PieceKind.COMMENT] == [b"#c", b"# d"]
    assert [problem.kind for problem in file.errors] == [
        "byte-order-mark",
        "carriage-return",
        "nul",
    ]


def corpus(dialect: str) -> list[Path]:
    folder = os.environ.get("GWLINT_CORPUS")
    if not folder:
        pytest.skip("GWLINT_CORPUS is not set: no real files to check")
    lines = (Path(folder) / "manifest.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    return [Path(folder) / row[1] for row in rows if row[0] == dialect]


@pytest.mark.parametrize("dialect", ["haproxy", "nginx"])
def test_real_files_come_back(dialect: str) -> None:
    files = corpus(dialect)
    assert files
    for path in files:
        data = path.read_bytes()
        file = parse(Source(str(path), data))
        assert b"".join([piece.span.raw for piece in file.pieces()]) == data, path


def test_words_of_real_files_are_those_of_haproxy() -> None:
    differing = []
    compared = 0
    for path in corpus("haproxy"):
        file = parse(Source(str(path), path.read_bytes()))
        names = {
            reference.name
            for line in file.lines
            for word in line.words
            for reference in word.references
        }
        environment = {name: "value" for name in names if not name.startswith(".")}
        compared += 1
        if dump(path, environment) != expected_dump(file, environment):
            differing.append(str(path))
    assert compared
    assert differing == []


SLOW = {
    "one word of 10 MB": b"a" * 10_000_000 + b"\n",
    "words of 10 MB": b"a " * 5_000_000 + b"\n",
    "quotes": b'"' * 1_000_001 + b"\n",
    "open ifs": b"global\n" + b".if 1\n" * 100_000,
    "nested ifs": b"global\n" + b".if 1\nx\n" * 20_000 + b".endif\n" * 20_000,
    "open defaults": b'"' + b"${A-" * 500_000 + b"\n",
    "carriage returns": b"\r" * 2_000_000 + b"a\r" * 500_000 + b"\n",
    "scopes": b"[" * 1_000_000 + b"\n",
}


@pytest.mark.parametrize("name", SLOW)
def test_hostile_input_is_read(name: str) -> None:
    file = tree(SLOW[name])
    assert sum(piece.span.end - piece.span.start for piece in file.pieces()) == len(SLOW[name])
