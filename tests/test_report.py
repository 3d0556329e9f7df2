"""Reports of hand-made findings: what is shown of odd text, long lines and odd places."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from gwlint.edits import Edit, Fix, Safety
from gwlint.engine import Report
from gwlint.model.nginx.config import NginxConfig
from gwlint.project.files import ConfigFile, Project, Status
from gwlint.report import json as json_format
from gwlint.report import text as text_format
from gwlint.report.printable import columns, printable
from gwlint.report.snippet import CUT, WIDTH, marked_lines
from gwlint.report.style import Style
from gwlint.rule import Finding, Label, NginxRule, Severity
from gwlint.source import Place, Source, Span

PLAIN = text_format.View(Style(colour=False))


class Made(NginxRule):
    """A rule for findings that are made by hand."""

    code = "NGX999"
    name = "made-by-hand"
    severity = Severity.WARNING
    bad = ()
    good = ()

    def check(self, config: NginxConfig) -> Iterator[Finding]:  # noqa: ARG002
        yield from ()


def span_of(source: Source, part: bytes) -> Span:
    start = source.data.index(part)
    return Span(source, start, start + len(part))


def found(span: Span, message: str = "something", **more: object) -> Finding:
    return Made.finding(Place(span), message, advice="do something", **more)  # type: ignore[arg-type]


def report(*findings: Finding, path: str = "nginx.conf") -> Report:
    file = ConfigFile(path, "/" + path, "nginx", Status.OK, "", None, None, named=True)
    return Report(Project([file], [], []), list(findings))


def underlined(text: str) -> str:
    """The part of the only source line that stands above the marks."""
    lines = text.splitlines()
    marks = next(number for number, line in enumerate(lines) if "^" in line)
    start = lines[marks].index("^")
    return lines[marks - 1][start : start + lines[marks].count("^")]


def test_a_finding_in_full() -> None:
    source = Source("conf/a.conf", b"http {\n    one two;\n    three four;\n}\n")
    fix = Fix("write six", Safety.UNSAFE, (Edit(span_of(source, b"two"), "six"),))
    finding = found(
        span_of(source, b"one two"),
        related=(Label(span_of(source, b"four"), "seen here"),),
        fix=fix,
    )
    assert text_format.render(report(finding, path="conf/a.conf"), PLAIN) == (
        "conf/a.conf:2:5: warning NGX999 made-by-hand: something\n"
        "  2 |     one two;\n"
        "    |     ^^^^^^^\n"
        "  conf/a.conf:3:11: seen here\n"
        "  3 |     three four;\n"
        "    |           ----\n"
        "  advice: do something\n"
        "  fix: write six (unsafe: gwlint fix --unsafe)\n"
        "\n"
        "1 file: 1 warning; 1 can be fixed with gwlint fix --unsafe\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        b"\t\tfault here;",
        b"  \t fault\there;",
        "  # \u65e5\u672c\u8a9e \xe9 fault;".encode(),
        b"\xff\xfe fault;",
        b"\x1b[2J\x07 fault;",
        b"\xef\xbb\xbffault;",
        "e\u0301 fault".encode(),
    ],
)
def test_the_marks_stand_under_the_span(line: bytes) -> None:
    source = Source("a.conf", b"first\n" + line + b"\nlast\n")
    (shown,) = marked_lines(span_of(source, b"fault"))
    assert shown.mark == len("fault")
    before = shown.text[: shown.text.index("fault")]
    assert columns(before) == shown.skip


def test_wide_characters_take_two_columns() -> None:
    source = Source("a.conf", "\u65e5\u672c x".encode())
    (shown,) = marked_lines(span_of(source, b"x"))
    assert (shown.skip, shown.mark) == (5, 1)


def test_nothing_from_a_file_steers_the_terminal() -> None:
    evil = "\x1b]0;title\x07\r\x9b31m\u202eabc\u2028"
    source = Source(f"{evil}.conf", f"fault {evil}\n".encode())
    span = Span(source, 0, len(source.data) - 1)
    shown = text_format.render(
        report(found(span, f"message {evil}", related=(Label(span, evil),)), path=source.path),
        PLAIN,
    )
    assert all(char.isprintable() for char in shown.replace("\n", ""))
    assert "\\x1b]0;title\\x07\\x0d\\x9b31m\\u202eabc\\u2028" in shown


def test_escapes_name_the_bytes() -> None:
    assert printable("a\udcffb\x00\xad\U000e0001") == "a\\xffb\\x00\\xad\\U000e0001"


def test_a_line_of_ten_megabytes_is_clipped_around_the_span() -> None:
    data = b"a" * 5_000_000 + b" fault " + b"b" * 5_000_000
    span = span_of(Source("a.conf", data), b"fault")
    shown = text_format.render(report(found(span, "m" * 1_000_000)), PLAIN)
    assert len(shown) < 3000
    assert underlined(shown) == "fault"
    (line,) = marked_lines(span)
    assert line.text.startswith(CUT + "aaa")
    assert line.text.endswith("bbb" + CUT)


@pytest.mark.parametrize("shift", range(4))
def test_clipping_keeps_characters_whole(shift: int) -> None:
    line = b"x" * shift + "\U0001f600".encode() * 200
    source = Source("a.conf", line)
    start = shift + 4 * 100
    (shown,) = marked_lines(Span(source, start, start + 4))
    assert "\\x" not in shown.text
    assert len(shown.text.encode()) <= WIDTH + 2 * len(CUT) + 4


def test_a_span_over_many_lines_shows_the_first_ones() -> None:
    source = Source("a.conf", b"a {\n" + b"  b;\n" * 50 + b"}\n")
    shown = marked_lines(Span(source, 0, len(source.data) - 1))
    assert [(line.number, line.skip, line.mark) for line in shown] == [
        (1, 0, 3),
        (2, 2, 2),
        (3, 2, 2),
    ]


@pytest.mark.parametrize("data", [b"", b"\n", b"a;", b"a;\r\n", b"\x00"])
def test_empty_spans_at_the_end_of_odd_files(data: bytes) -> None:
    finding = found(Span(Source("a.conf", data), len(data), len(data)))
    assert "^" in text_format.render(report(finding), PLAIN)
    assert json.loads(json_format.render(report(finding)))["findings"][0]["start"]["offset"] == len(
        data
    )


def test_info_findings_are_counted_but_listed_only_on_request() -> None:
    finding = found(span_of(Source("a.conf", b"x;"), b"x"), severity=Severity.INFO)
    shown = text_format.render(report(finding), PLAIN)
    assert shown == "1 file: 1 info (listed with --profile strict)\n"
    view = text_format.View(Style(colour=False), with_info=True)
    assert "a.conf:1:1: info NGX999" in text_format.render(report(finding), view)
    assert len(json.loads(json_format.render(report(finding)))["findings"]) == 1


def test_json_tells_equal_findings_apart_and_keeps_every_byte() -> None:
    source = Source("a\udcff.conf", b"x \xff;\nx \xff;\n")
    findings = [found(Span(source, start, start + 3), "\udcff") for start in (0, 5)]
    rendered = json_format.render(report(*findings, path=source.path))
    assert rendered.isascii()
    one, two = json.loads(rendered)["findings"]
    assert one["fingerprint"] != two["fingerprint"]
    assert one["path"] == "a\udcff.conf"
    assert two["start"] == {"line": 2, "column": 1, "offset": 5}
    assert two["end"] == {"line": 2, "column": 4, "offset": 8}
    # Lines above do not change what a finding is known by.
    moved = Source(source.path, b"new;\n" + source.data)
    again = json.loads(json_format.render(report(found(Span(moved, 5, 8)))))["findings"]
    assert again[0]["fingerprint"] == one["fingerprint"]
