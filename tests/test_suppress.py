"""Suppressions in both dialects: what they hide, and what becomes of those that hide nothing."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from conftest import Run
from hypothesis import given, settings
from hypothesis import strategies as st

from gwlint.edits import apply, changes_for, compatible
from gwlint.engine import Report, check
from gwlint.project import load_project
from gwlint.registry import rule_files, selected
from gwlint.settings import Settings
from gwlint.source import Source
from gwlint.suppress import codes_of, is_known
from gwlint.syntax.haproxy.parser import parse as parse_haproxy
from gwlint.syntax.nginx.parser import parse as parse_nginx
from gwlint.syntax.suppressions import suppression_comments

Command = Callable[..., Run]

NGINX = """\
events {{}}
{top}
http {{
    upstream app {{
        server 127.0.0.1:3000;
        keepalive 32;
    }}
    server {{
        listen 8080;
        location / {{
            {before}
            proxy_pass http://app; {same}
            {after}
            proxy_set_header Connection "";
        }}
    }}
}}
"""
"""NGX402 stands at the line of proxy_pass, which is line 12."""

HAPROXY = """\
{top}
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout http-request 10s

frontend web
    bind :8080
    default_backend app

backend app
    {before}
    server app1 127.0.0.1:3000 {same}
    {after}
    server app2 127.0.0.1:3001 check
"""
"""HAP501 stands at the line of app1, which is line 15."""


class Case(NamedTuple):
    """A configuration of one dialect. `code` is found in it, at `line`; `absent` is not."""

    file: str
    text: str
    code: str
    name: str
    topic: str
    line: int
    absent: str


CASES = [
    Case("nginx.conf", NGINX, "NGX402", "keepalive-without-http11", "keepalive", 12, "NGX101"),
    Case("haproxy.cfg", HAPROXY, "HAP501", "server-without-check", "health", 15, "HAP101"),
]
BOTH = pytest.mark.parametrize("case", CASES, ids=["nginx", "haproxy"])

HIDING: list[dict[str, str]] = [
    {"same": "# gwlint: ignore[{code}] legacy app"},
    {"before": "# gwlint: ignore[{code}] legacy app"},
    {"before": "# gwlint: ignore[{code}] legacy app\n\n  # another comment\n"},
    {"before": "#gwlint:ignore[{name}]: legacy app"},
    {"same": "# gwlint: ignore[ {group} ,{code}] legacy app"},
    {"top": "# gwlint: ignore-file[{topic}] legacy app"},
    {"after": "# gwlint: ignore-file[{code}] legacy app"},
    {
        "before": "# gwlint: ignore-start[{code}] legacy app",
        "after": "# gwlint: ignore-end[{code}]",
    },
]

MALFORMED: list[tuple[dict[str, str], str]] = [
    ({"same": "# gwlint: ignore[{code}]"}, "gives no reason"),
    ({"same": "# gwlint: ignore[{code}] --"}, "gives no reason"),
    ({"same": "# gwlint: ignore[] because"}, "names no rule"),
    ({"same": "# gwlint: ignore {code} because"}, "names no rule"),
    ({"same": "# gwlint: ingore[{code}] because"}, "'ingore' is no suppression"),
    ({"same": "# gwlint: ignore[{code}X] because"}, "no rule or topic is called {code}X"),
    ({"before": "# gwlint: ignore-start[{code}] because"}, "no ignore-end[{code}] follows"),
    ({"after": "# gwlint: ignore-end[{code}]"}, "no open ignore-start[{code}]"),
    # After the line, it would hold for the next one, where nothing is found.
    ({"after": "# gwlint: ignore[{code}] because"}, "{code} finds nothing here"),
]


def filled(text: str, **comments: str) -> str:
    return text.format(**{"top": "", "before": "", "same": "", "after": "", **comments})


def written(folder: Path, case: Case, variants: list[dict[str, str]]) -> list[str]:
    """One file for each variant of comments, in folders of their own."""
    words = {**case._asdict(), "group": case.code[:4]}
    paths = []
    for number, comments in enumerate(variants):
        path = folder / str(number) / case.file
        path.parent.mkdir()
        made = {place: comment.format(**words) for place, comment in comments.items()}
        path.write_text(filled(case.text, **made))
        paths.append(f"{number}/{case.file}")
    return paths


def lines_of(run: Run, code: str) -> list[int]:
    return [one["start"]["line"] for one in run.json["findings"] if one["code"] == code]


@BOTH
def test_suppressions_hide_and_count(gwlint: Command, tmp_path: Path, case: Case) -> None:
    (tmp_path / case.file).write_text(filled(case.text))
    plain = gwlint("check", "--format", "json", "--select", case.code)
    assert (plain.code, lines_of(plain, case.code)) == (1, [case.line])
    assert plain.json["summary"]["suppressed"] == 0
    paths = written(tmp_path, case, HIDING)
    options = ("--select", f"{case.code},GTW001", *paths)
    run = gwlint("check", "--format", "json", *options)
    assert (run.code, run.json["findings"]) == (0, [])
    assert run.json["summary"]["suppressed"] == len(HIDING)
    assert f": no findings; {len(HIDING)} suppressed" in gwlint("check", *options).text
    fixing = gwlint("fix", "--unsafe", *options)
    assert (fixing.stdout, fixing.code) == (b"", 0)


@BOTH
def test_malformed_and_unused_ones_hide_nothing_and_are_removed(
    gwlint: Command, tmp_path: Path, case: Case
) -> None:
    paths = written(tmp_path, case, [comments for comments, _ in MALFORMED])
    run = gwlint("check", "--format", "json", "--select", f"{case.code},GTW001", *paths)
    assert run.json["summary"]["suppressed"] == 0
    assert len(lines_of(run, case.code)) == len(MALFORMED)
    flaws = {one["path"]: one for one in run.json["findings"] if one["code"] == "GTW001"}
    assert sorted(flaws) == paths
    for path, (_, says) in zip(paths, MALFORMED, strict=True):
        assert says.format(code=case.code) in flaws[path]["message"]
        assert flaws[path]["severity"] == "warning"
        assert flaws[path]["fix"]["safety"] == "safe"
    options = ("--select", f"GTW001,{case.code}", *paths)
    assert gwlint("fix", "--write", *options).code == 0
    for path in paths:
        assert b"gwlint:" not in (tmp_path / path).read_bytes()


@BOTH
def test_the_fix_leaves_every_other_byte(gwlint: Command, tmp_path: Path, case: Case) -> None:
    path = tmp_path / case.file
    unused = f"# gwlint: ignore[{case.absent}] unused"
    kept = f"# gwlint: ignore[{case.code}] used"
    both = f"# gwlint: ignore[{case.code}, {case.absent}] used"
    before = filled(case.text, before=f"{unused}\n    {both}", same=f"  {unused} too")
    path.write_bytes(before.replace("\n", "\r\n").encode())
    select = ("--select", f"{case.code},{case.absent},GTW001")
    patch = gwlint("fix", *select).stdout
    subprocess.run(["git", "apply", "-"], input=patch, cwd=tmp_path, check=True, timeout=30)
    after = before.replace(both, kept).replace(f"   {unused} too", "")
    after = re.sub(rf"[ ]*{re.escape(unused)}\n", "", after)
    assert path.read_bytes() == after.replace("\n", "\r\n").encode()
    assert gwlint("check", *select, "--quiet").stdout == b""


@BOTH
def test_what_did_not_run_is_not_unused(gwlint: Command, tmp_path: Path, case: Case) -> None:
    foreign = {"NGX402": "HAP501", "HAP501": "NGX402"}[case.code]
    comment = f"# gwlint: ignore[{case.code}, {case.absent}, {foreign}] because"
    (tmp_path / case.file).write_text(filled(case.text, same=comment))

    def unused(*selected: str) -> list[str]:
        options = ["--select", ",".join(["GTW001", *selected])]
        found = gwlint("check", "--format", "json", *options).json["findings"]
        return [one["message"] for one in found if one["code"] == "GTW001"]

    assert unused(case.code) == []
    assert unused(case.code, foreign) == []
    says = f"{case.absent} finds nothing here that could be suppressed"
    assert unused(case.code, case.absent) == [says]
    (tmp_path / "gwlint.yaml").write_text(f"per_file_ignores: {{'*.*': [{case.absent}]}}\n")
    assert unused(case.code, case.absent) == []


def test_a_group_is_unused_only_if_all_of_it_ran(gwlint: Command, tmp_path: Path) -> None:
    path = tmp_path / "nginx.conf"
    path.write_text(filled(NGINX, top="# gwlint: ignore-file[buffers] because"))
    some = gwlint("check", "--select", "GTW001,NGX201", "--format", "json")
    assert some.json["findings"] == []
    found = gwlint("check", "--select", "GTW001,buffers", "--format", "json").json["findings"]
    assert [one["code"] for one in found] == ["GTW001"]


def test_files_that_rules_cannot_read_fully_keep_their_suppressions(
    gwlint: Command, tmp_path: Path
) -> None:
    comment = "# gwlint: ignore[NGX101] because"
    for file, text in {
        "fragment.conf": f"server {{ listen 80; {comment}\n}}\n",
        "broken/nginx.conf": f"events {{}}\n{comment}\nhttp {{ server {{\n",
    }.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
        run = gwlint("check", file, "--select", "GTW001,NGX101", "--format", "json")
        assert run.json["findings"] == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "nginx.conf",
            "events {}\nhttp { server { add_header X '# gwlint: ignore[NGX402]';"
            ' add_header Y "\n# gwlint: ignore[NGX402]\n"; add_header Z a#gwlint:ignore[]; } }\n',
        ),
        (
            "haproxy.cfg",
            "frontend web\n    bind :8080\n    http-request set-header X"
            " '# gwlint: ignore[HAP101]'\n"
            '    http-request set-header Y "# gwlint: ignore[HAP101]" \\# gwlint: ignore[]\n',
        ),
    ],
)
def test_text_in_quotes_is_no_comment(file: str, text: str) -> None:
    parse = parse_nginx if file == "nginx.conf" else parse_haproxy
    assert suppression_comments(parse(Source(file, text.encode()))) == []


@pytest.mark.parametrize(
    "comment",
    [
        "# gwlint: context=http",
        "# gwlint: context = http server",
        "# gwlint: checked by the platform team",
        "# see gwlint: ignore[NGX402]",
        "# gwlint",
        "# gwlint:",
    ],
)
def test_other_comments_are_no_suppressions(comment: str) -> None:
    for parse in (parse_nginx, parse_haproxy):
        assert suppression_comments(parse(Source("x", comment.encode()))) == []


def test_a_statement_of_several_lines_is_one(gwlint: Command, tmp_path: Path) -> None:
    text = NGINX.replace("proxy_pass http://app; {same}", "proxy_pass\n  http://app; {same}")
    comment = "# gwlint: ignore[NGX402] because"
    for place in ("before", "same"):
        (tmp_path / "nginx.conf").write_text(filled(text, **{place: comment}))
        run = gwlint("check", "--select", "NGX402,GTW001", "--format", "json")
        assert run.json["findings"] == []
        assert run.json["summary"]["suppressed"] == 1


def test_a_suppression_holds_in_included_files(gwlint: Command, tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text(
        filled(NGINX).replace("proxy_pass http://app;", "include app.inc;")
    )
    (tmp_path / "app.inc").write_text("proxy_pass http://app;\n")
    assert lines_of(gwlint("check", "--select", "NGX402", "--format", "json"), "NGX402") == [1]
    (tmp_path / "app.inc").write_text("proxy_pass http://app; # gwlint: ignore[NGX402] because\n")
    run = gwlint("check", "--select", "NGX402,GTW001", "--format", "json")
    assert (run.code, run.json["summary"]["suppressed"]) == (0, 1)


def test_a_fix_that_makes_a_suppression_useless_takes_it_away(
    gwlint: Command, tmp_path: Path
) -> None:
    path = tmp_path / "nginx.conf"
    path.write_text(filled(NGINX, same="# gwlint: ignore[NGX402] because"))
    path.write_text(path.read_text().replace("keepalive 32;", "keepalive 32; # gwlint: ignore[]"))
    assert gwlint("fix", "--unsafe", "--select", "NGX402,GTW001", "--write").code == 0
    text = path.read_text()
    assert "ignore[]" not in text
    assert "# gwlint: ignore[NGX402] because" in text
    assert "proxy_http_version" not in text
    assert gwlint("fix", "--unsafe", "--select", "NGX402,GTW001").stdout == b""


def test_selectors_mean_what_they_mean_on_the_command_line() -> None:
    words = {
        word for file in rule_files() for word in (file.name, file.topic, file.code, "HAP", "x")
    }
    words |= {file.code[:length].lower() for file in rule_files() for length in range(7)}
    for word in words:
        assert codes_of(word) == {file.code for file in rule_files() if file.answers_to(word)}, word
    assert is_known("security")
    assert is_known("hap8")
    assert not is_known("ng")
    assert not is_known("")


CODES = ["NGX402", "NGX101", "NGX103", "keepalive", "HAP501", "NGX999", "nonsense", "GTW001"]
LISTS = st.lists(st.sampled_from(CODES), max_size=3).map(", ".join)
COMMENTS = st.builds(
    "# gwlint: {}[{}] {}".format,
    st.sampled_from(["ignore", "ignore-file", "ignore-start", "ignore-end", "ignroe"]),
    LISTS,
    st.sampled_from(["because", ""]),
)
PLAIN = [line for line in filled(NGINX).splitlines() if line.strip()]
INSERTED = st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.booleans(), COMMENTS), max_size=8)


@contextmanager
def working_in(folder: str) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def judged(text: str) -> Report:
    Path("nginx.conf").write_text(text)
    files = selected("reliability", ["GTW001", "NGX402", "NGX101", "NGX103", "keepalive"], [])
    rules = [file.load() for file in files if file.dialect != "haproxy"]
    return check(load_project(["nginx.conf"], Settings()), Settings(), rules)


@settings(max_examples=40, deadline=None)
@given(INSERTED)
def test_taking_useless_suppressions_away_comes_to_an_end_and_changes_nothing(
    inserted: list[tuple[int, bool, str]],
) -> None:
    lines = list(PLAIN)
    for number, alone, comment in sorted(inserted, reverse=True):
        if alone:
            lines.insert(number, comment)
        elif "#" not in lines[number]:
            lines[number] += f" {comment}"
    text = "".join(f"{line}\n" for line in lines)

    def others(report: Report) -> list[tuple[str, str]]:
        return [(one.code, one.span.text) for one in report.findings if one.code != "GTW001"]

    with TemporaryDirectory() as folder, working_in(folder):
        first = report = judged(text)
        for _ in range(4):
            fixes = [one.fix for one in report.findings if one.code == "GTW001" and one.fix]
            if not fixes:
                break
            data = apply(text.encode(), changes_for("nginx.conf", compatible(fixes)))
            text = data.decode()
            report = judged(text)
            assert others(report) == others(first)
            assert report.suppressed == first.suppressed
        else:
            pytest.fail(f"useless suppressions are left:\n{text}")
    bare = (line.partition("# gwlint:")[0].rstrip() for line in text.splitlines())
    assert [line for line in bare if line] == [line.rstrip() for line in PLAIN]


@pytest.mark.parametrize(
    "comments",
    [
        "# gwlint: ignore[NGX] a\n" * 40_000,
        "# gwlint: ignore-start[NGX] a\n" * 15_000 + "# gwlint: ignore-end[NGX]\n" * 15_000,
        "# gwlint: ignore[" + ",".join(f"x{number}" for number in range(120_000)) + "] a\n",
        "# gwlint: ignore-file[NGX9" + ",NGX9" * 150_000 + "] a\n",
        "listen 80; # gwlint: ignore[NGX007] a\n" * 25_000,
    ],
    ids=["row", "nested", "unknown", "repeated", "trailing"],
)
def test_a_megabyte_of_suppressions_is_answered(
    gwlint: Command, tmp_path: Path, comments: str
) -> None:
    (tmp_path / "nginx.conf").write_text(
        "events {}\nhttp { server {\n" + comments + "return 204; } }\n"
    )
    run = gwlint("check", "--format", "json", "--select", "GTW001,NGX402")
    assert run.code in (0, 1)
