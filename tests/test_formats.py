"""The formats for other programs, each read as its consumer reads it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from conftest import ENVIRONMENT, GWLINT, Run

from gwlint.edits import Edit, Fix, Safety
from gwlint.engine import Report
from gwlint.model.nginx.config import NginxConfig
from gwlint.project.files import ConfigFile, Project, Status
from gwlint.report import sarif
from gwlint.report.formats import FORMATS
from gwlint.report.github import SUMMARY_ROWS, step_summary
from gwlint.report.line_hashes import line_hashes
from gwlint.report.places import Checkout
from gwlint.report.style import Style
from gwlint.report.text import View
from gwlint.rule import Finding, Label, NginxRule, Severity
from gwlint.source import Place, Source, Span

Command = Callable[..., Run]

CI_VARIABLES = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "CI_PROJECT_DIR")
ELSEWHERE = dict.fromkeys(CI_VARIABLES, "")
"""The environment of a run outside of any CI."""

SAMPLES = Path(__file__).parent.parent / "samples"
VIEW = View(Style(colour=False))
STRICT = View(Style(colour=False), with_info=True)

HOSTILE = (
    "50% a,b:c ]]>\r\n::error::x [go](http://evil.example) <b>&'\"|` @all \x1b[31m\x00\u202e\udcff"
)
"""What would steer one consumer or another, if it were written as it is."""


class Made(NginxRule):
    """A rule for findings that are made by hand."""

    code = "NGX999"
    name = "made-by-hand"
    severity = Severity.WARNING
    bad = ()
    good = ()

    def check(self, config: NginxConfig) -> Iterator[Finding]:  # noqa: ARG002
        yield from ()


class Secure(Made):
    """A rule of the topic security.

    ## Problem
    Two lines
    of it.

    ## Why
    Because.
    """

    code = "NGX899"
    name = "made-for-security"


def found(span: Span, message: str = "something", **more: Any) -> Finding:
    return Made.finding(Place(span), message, advice="do something", **more)


def report(*findings: Finding, path: str = "nginx.conf", status: Status = Status.OK) -> Report:
    file = ConfigFile(path, "/" + path, "nginx", status, "the reason", None, None, named=True)
    return Report(Project([file], [], []), list(findings))


def hostile_report() -> Report:
    source = Source("dir/a %,:b\n]]><\udcff.conf", b"x \xff;\n")
    span = Span(source, 0, 3)
    finding = found(span, HOSTILE, related=(Label(span, HOSTILE),))
    return report(finding, path=source.path)


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CI_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def add_faulty_files(folder: Path) -> None:
    shutil.copy(SAMPLES / "nginx" / "faulty" / "nginx.conf", folder)
    shutil.copy(SAMPLES / "haproxy" / "faulty" / "haproxy.cfg", folder)


@pytest.fixture
def check(gwlint: Command, tmp_path: Path) -> Command:
    """`gwlint check`, outside of any CI, in a folder with two faulty files."""
    add_faulty_files(tmp_path)

    def run(*arguments: str | Path, **environment: Any) -> Run:
        return gwlint("check", *arguments, **{**ELSEWHERE, **environment})

    return run


@dataclass(frozen=True)
class Printed:
    """Two faulty files, and the reports on them in all formats, written by one run."""

    folder: Path

    def text(self, name: str) -> str:
        return (self.folder / "reports" / name).read_text()

    def json(self, name: str) -> Any:
        return json.loads(self.text(name))

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What the JSON report says: the other formats must say the same."""
        findings: list[dict[str, Any]] = self.json("json")["findings"]
        return findings

    @property
    def listed(self) -> list[dict[str, Any]]:
        return [one for one in self.findings if one["severity"] != "info"]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Printed:
    folder = tmp_path_factory.mktemp("printed")
    add_faulty_files(folder)
    add_unusual_characters(folder / "nginx.conf")
    (folder / "reports").mkdir()
    options = [part for name in FORMATS for part in ("--format", f"{name}:reports/{name}")]
    done = subprocess.run(
        [GWLINT, "check", *options],
        cwd=folder,
        env={**ENVIRONMENT, **ELSEWHERE},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
    made = Printed(folder)
    assert len(made.listed) > 5
    assert len(made.findings) > len(made.listed)
    return made


def add_unusual_characters(path: Path) -> None:
    """Before faults on their lines: one takes two bytes, the other two units of UTF-16."""
    text = re.sub(
        r"^(\s*)(?=[a-z]+_|location|server )", r"\1set $a é😀; ", path.read_text(), flags=re.M
    )
    path.write_text(text)


# All formats


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_says_something(printed: Printed, name: str) -> None:
    assert printed.text(name).endswith("\n")
    assert "NGX" in printed.text(name)
    assert "HAP" in printed.text(name)


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_found_is_a_report_too(name: str) -> None:
    rendered = FORMATS[name](report(), VIEW)
    if name in ("json", "sarif", "gitlab", "rdjson"):
        json.loads(rendered)
    elif name in ("junit", "checkstyle"):
        ElementTree.fromstring(rendered)
    else:
        assert rendered in ("", "1 file: no findings\n")


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "json"])
def test_hostile_text_is_printable_in_every_format(name: str) -> None:
    rendered = FORMATS[name](hostile_report(), STRICT)
    assert all(char.isprintable() for char in rendered.replace("\n", ""))
    assert rendered.encode()
    if name in ("sarif", "gitlab", "junit", "checkstyle", "rdjson"):
        assert rendered.isascii()
        assert not re.search(r"\\ud[89a-f]", rendered, re.I)


@pytest.mark.parametrize("name", FORMATS)
def test_a_span_at_the_end_of_an_odd_file(name: str) -> None:
    for data in (b"", b"\n", b"a;\r\n", b"\xef\xbb\xbf", b"\r"):
        span = Span(Source("a.conf", data), len(data), len(data))
        assert FORMATS[name](report(found(span), path="a.conf"), STRICT)


@pytest.mark.parametrize("name", FORMATS)
def test_many_findings_in_a_large_file(name: str) -> None:
    source = Source("a.conf", b"x" * 10 + b"\n" * 300_000 + b"y" * 300_000)
    fix = Fix("fix it", Safety.SAFE, (Edit(Span(source, 0, 1), "z"),))
    spans = (Span(source, 300_010 + 100 * n, 300_011 + 100 * n) for n in range(3000))
    many = report(*(found(span, "m" * 3000, fix=fix) for span in spans), path="a.conf")
    rendered = FORMATS[name](many, STRICT)
    assert rendered.count("NGX999") >= 3000
    assert "m" * 1000 not in rendered or name == "json"


# Where reports go


def test_several_formats_in_one_run(check: Command, tmp_path: Path) -> None:
    run = check(
        "--format", "sarif:out.sarif", "--format", "github", "--format", "junit:with:colon.xml"
    )
    assert run.code == 1
    assert commands(run.text)
    assert_github_accepts(json.loads((tmp_path / "out.sarif").read_bytes()))
    assert ElementTree.parse(tmp_path / "with:colon.xml").getroot().tag == "testsuites"
    run = check("--format", "json:out.json", "--format", "concise", "-o", "out.txt")
    assert (run.code, run.stdout) == (1, b"")
    assert json.loads((tmp_path / "out.json").read_bytes())["findings"]
    assert "[NGX" in (tmp_path / "out.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--format", "json", "--format", "sarif"], "only one report"),
        (["--format", "json:", "nginx.conf"], "names no file"),
        (["--format", "xml:out.xml"], "'xml' is not one of"),
        (["--format", "sarfi"], "did you mean sarif?"),
        (["--format", "json:a", "--format", "sarif:./a"], "one file"),
        (["--format", "json:a", "--format", "sarif", "-o", "a"], "one file"),
        (["--format", "json:a", "-o", "b"], "--output"),
        (["--format", "json", "--format", "sarif:no/such/folder/a"], "cannot write no/such"),
    ],
)
def test_reports_that_have_no_place_are_2(
    check: Command, tmp_path: Path, arguments: list[str], why: str
) -> None:
    run = check(*arguments)
    assert (run.code, run.stdout) == (2, b"")
    assert why in run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["haproxy.cfg", "nginx.conf"]


def test_help_lists_every_format(gwlint: Command) -> None:
    shown = gwlint("check", "--help", COLUMNS="200").text
    assert all(re.search(rf"\b{name}\b", shown) for name in FORMATS)


# Paths


def test_paths_are_those_of_the_repository(check: Command, tmp_path: Path) -> None:
    conf = tmp_path / "deploy" / "nginx"
    for folder in ("sites-available", "sites-enabled"):
        (conf / folder).mkdir(parents=True)
    (conf / "sites-available" / "a.conf").write_bytes((tmp_path / "nginx.conf").read_bytes())
    (conf / "sites-enabled" / "a.conf").symlink_to("../sites-available/a.conf")
    link = "sites-enabled/a.conf"

    def paths(variable: str, name: str) -> str:
        return check(link, "--format", name, cwd=conf, **{variable: str(tmp_path)}).text

    expected = "deploy/nginx/sites-available/a.conf"
    assert f'"uri": "{expected}"' in paths("GITHUB_WORKSPACE", "sarif")
    assert f"file={expected}," in paths("GITHUB_WORKSPACE", "github")
    assert f'"path": "{expected}"' in paths("CI_PROJECT_DIR", "gitlab")
    assert "file=sites-available/a.conf," in check(link, "--format", "github", cwd=conf).text
    assert check(link, "--format", "concise", cwd=conf).text.startswith(f"{link}:")


def test_paths_outside_of_the_repository_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "link.conf").symlink_to(outside / "a.conf")
    (inside / "loop.conf").symlink_to("loop.conf")
    monkeypatch.chdir(inside)
    checkout = Checkout()
    for path in (f"{outside}/a.conf", "link.conf", "loop.conf", "<stdin>", "x/\udcff.conf"):
        assert checkout.path_of(path) == path
    (finding,) = sarif_results(report(found(Span(Source(f"{outside}/a.conf", b"a"), 0, 1))))
    location = finding["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location == {"uri": f"file://{outside}/a.conf"}


# concise


def test_concise(printed: Printed) -> None:
    shape = re.compile(r"([^:]+):(\d+):(\d+): (error|warning): (.+) \[([A-Z]{3}\d{3})\]")
    seen = [shape.fullmatch(line) for line in printed.text("concise").splitlines()]
    expected = [
        (
            one["path"],
            str(one["start"]["line"]),
            str(one["start"]["column"]),
            one["severity"],
            one["message"],
            one["code"],
        )
        for one in printed.listed
    ]
    assert [match and match.groups() for match in seen] == expected


def test_concise_lists_info_findings_on_request() -> None:
    finding = found(Span(Source("a.conf", b"a"), 0, 1), severity=Severity.INFO)
    assert FORMATS["concise"](report(finding), VIEW) == ""
    assert FORMATS["concise"](report(finding), STRICT) == "a.conf:1:1: info: something [NGX999]\n"


# sarif


def sarif_run(rendered: Report) -> dict[str, Any]:
    log = json.loads(sarif.render(rendered))
    assert_github_accepts(log)
    run: dict[str, Any] = log["runs"][0]
    return run


def sarif_results(rendered: Report) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = sarif_run(rendered)["results"]
    return results


def assert_github_accepts(log: dict[str, Any]) -> None:
    """What the schema and GitHub demand of a SARIF file, and GitHub's limits."""
    assert log["$schema"] == "https://json.schemastore.org/sarif-2.1.0.json"
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert len(run["results"]) <= 25_000
    driver = run["tool"]["driver"]
    assert driver["name"] == "gwlint"
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        for text in (rule["shortDescription"]["text"], rule["fullDescription"]["text"]):
            assert 0 < len(text) <= 1024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
        assert rule["properties"]["problem.severity"] in ("error", "warning", "recommendation")
        assert len(rule["properties"]["tags"]) <= 10
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert re.fullmatch(
            r"[0-9a-f]{1,16}:[1-9]\d*", result["partialFingerprints"]["primaryLocationLineHash"]
        )
        (location,) = result["locations"]
        assert_is_location(location)
        text = result["message"]["text"]
        related = result.get("relatedLocations", [])
        linked = re.findall(r"(?<!\\)\]\(([^)]*)\)", text)
        assert linked == [str(one["id"]) for one in related]
        for one in related:
            assert one["message"]["text"]
            assert_is_location(one)
        for fix in result.get("fixes", []):
            for change in fix["artifactChanges"]:
                assert_is_uri(change["artifactLocation"]["uri"])
                assert change["replacements"]
                for replacement in change["replacements"]:
                    assert_is_region(replacement["deletedRegion"])


def assert_is_location(location: dict[str, Any]) -> None:
    physical = location["physicalLocation"]
    assert_is_uri(physical["artifactLocation"]["uri"])
    assert_is_region(physical["region"])


def assert_is_uri(uri: str) -> None:
    assert re.fullmatch(r"(file:///)?[\w.~%-]+(/[\w.~%-]+)*", uri, re.ASCII), uri


def assert_is_region(region: dict[str, int]) -> None:
    assert list(region) == ["startLine", "startColumn", "endLine", "endColumn"]
    assert min(region.values()) >= 1
    begin = region["startLine"], region["startColumn"]
    assert begin <= (region["endLine"], region["endColumn"])


def test_sarif_is_what_github_accepts(printed: Printed) -> None:
    log = printed.json("sarif")
    assert_github_accepts(log)
    results = log["runs"][0]["results"]
    levels = {"error": "error", "warning": "warning", "info": "note"}
    for result, one in zip(results, printed.findings, strict=True):
        assert result["ruleId"] == one["code"]
        assert result["level"] == levels[one["severity"]]
        assert one["message"] in result["message"]["text"].replace("\\", "")
        physical = result["locations"][0]["physicalLocation"]
        assert physical["artifactLocation"] == {"uri": one["path"], "uriBaseId": "%SRCROOT%"}
        assert physical["region"]["startLine"] == one["start"]["line"]
        assert physical["region"]["startColumn"] == one["start"]["column"]
        assert result["partialFingerprints"]["gwlint/v1"] == one["fingerprint"]
        assert len(result.get("relatedLocations", [])) == len(one["related"])
        assert ("fixes" in result) == (one["fix"] is not None)
    assert any("relatedLocations" in result for result in results)
    assert log["runs"][0]["invocations"][0]["executionSuccessful"] is True


def replaced(data: bytes, replacements: list[tuple[int, int, bytes]]) -> bytes:
    for start, end, text in sorted(replacements, reverse=True):
        data = data[:start] + text + data[end:]
    return data


def wanted_results(finding: dict[str, Any], folder: Path) -> dict[str, bytes]:
    """What the fix of a finding in JSON, with its byte offsets, makes of each file."""
    edits: dict[str, set[tuple[int, int, bytes]]] = {}
    for edit in finding["fix"]["edits"]:
        place = (edit["start"], edit["end"], edit["replacement"].encode())
        edits.setdefault(edit["path"], set()).add(place)
    return {
        path: replaced((folder / path).read_bytes(), list(places)) for path, places in edits.items()
    }


def test_sarif_fixes_change_what_gwlint_changes(printed: Printed) -> None:
    results = printed.json("sarif")["runs"][0]["results"]
    fixes = 0
    for result, finding in zip(results, printed.findings, strict=True):
        for fix in result.get("fixes", []):
            assert fix["description"]["text"].endswith(f"({finding['fix']['safety']})")
            wanted = wanted_results(finding, printed.folder)
            for change in fix["artifactChanges"]:
                path = change["artifactLocation"]["uri"]
                data = (printed.folder / path).read_bytes()
                places = {sarif_replacement(data, one) for one in change["replacements"]}
                assert replaced(data, list(places)) == wanted.pop(path)
            assert not wanted
            fixes += 1
    assert fixes > 5


def sarif_replacement(data: bytes, replacement: dict[str, Any]) -> tuple[int, int, bytes]:
    """Byte offsets of a region whose columns count characters, and what comes there."""
    lines = data.decode().split("\n")
    region = replacement["deletedRegion"]

    def offset(line: int, column: int) -> int:
        before = [*lines[: line - 1], lines[line - 1][: column - 1]]
        return len("\n".join(before).encode())

    return (
        offset(region["startLine"], region["startColumn"]),
        offset(region["endLine"], region["endColumn"]),
        replacement.get("insertedContent", {"text": ""})["text"].encode(),
    )


def test_sarif_of_hostile_text() -> None:
    (result,) = sarif_results(hostile_report())
    physical = result["locations"][0]["physicalLocation"]
    uri = physical["artifactLocation"]["uri"]
    assert unquote(uri, errors="surrogateescape") == hostile_report().project.files[0].path
    assert r"[go\](http://evil.example)" in result["message"]["text"]


def test_sarif_of_rules() -> None:
    span = Span(Source("a.conf", b"a"), 0, 1)
    secure = Secure.finding(Place(span), "m", advice="a", severity=Severity.ERROR)
    one, two = sarif_run(report(found(span), secure))["tool"]["driver"]["rules"]
    assert (one["id"], two["id"]) == ("NGX899", "NGX999")
    assert one["fullDescription"]["text"] == "Two lines of it."
    assert one["properties"]["tags"][0] == "security"
    assert one["properties"]["security-severity"] == "5.0"
    assert "security-severity" not in two["properties"]


def test_sarif_leaves_out_the_least_severe_of_too_many() -> None:
    source = Source("a.conf", b"ab")
    infos = [found(Span(source, 0, 1), severity=Severity.INFO)] * sarif.MOST_RESULTS
    run = sarif_run(report(*infos, found(Span(source, 1, 2), severity=Severity.ERROR)))
    assert len(run["results"]) == 25_000
    assert run["results"][-1]["level"] == "error"
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("1 less severe ")


def test_sarif_says_what_was_not_read() -> None:
    run = sarif_run(report(status=Status.UNREADABLE))
    assert run["invocations"][0]["executionSuccessful"] is False
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert "the reason" in note["message"]["text"]
    assert run["results"] == []


def test_sarif_has_no_fix_that_json_cannot_carry() -> None:
    span = Span(Source("a.conf", b"\xff"), 0, 1)
    fix = Fix("fix it", Safety.SAFE, (Edit(span, "\udcff;"),))
    (result,) = sarif_results(report(found(span, fix=fix)))
    assert "fixes" not in result


@pytest.mark.parametrize(
    ("text", "hashes"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        (
            " a\nb\n  \t\tc\n d",
            ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
        ),
        (
            " hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n",
            [
                "e9496ae3ebfced30:1",
                "fb7c023a8b9ccb3f:1",
                "ce8ba1a563dcdaca:1",
                "e20e36e16fcb0cc8:1",
                "b3edc88f2938467e:1",
                "c8e28b0b4002a3a0:1",
                "c129715d7a2bc9a3:1",
            ],
        ),
        (
            "Lorem ipsum dolor sit amet.\n" * 10,
            [
                *(f"a7f2ff13bc495cf2:{number}" for number in range(1, 7)),
                "a7f2ff1481e87703:1",
                "a9cf91f7bbf1862b:1",
                "55ec222b86bcae53:1",
                "cc97dc7b1d7d8f7b:1",
                "c129715d7a2bc9a3:1",
            ],
        ),
    ],
)
def test_line_hashes_are_those_of_github(text: str, hashes: list[str]) -> None:
    """The values are those that the tests of github/codeql-action expect."""
    assert line_hashes(text.encode()) == hashes


def test_line_hashes_take_any_bytes() -> None:
    assert len(line_hashes(b"\xff\x00\n\xf0\x9f\x98\x80\xef\xbb\xbf\n")) == 3


# github


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Workflow commands as the runner reads them: name, properties, message."""
    read = []
    for line in text.splitlines():
        match = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
        assert match, line
        pairs = (part.split("=", 1) for part in match[2].split(","))
        properties = {
            key: unescaped(value.replace("%3A", ":").replace("%2C", ",")) for key, value in pairs
        }
        read.append((match[1], properties, unescaped(match[3])))
    return read


def unescaped(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_github_annotations(printed: Printed) -> None:
    read = commands(printed.text("github"))
    for (name, properties, message), one in zip(read, printed.listed, strict=True):
        assert name == one["severity"]
        assert properties["file"] == one["path"]
        assert properties["line"] == str(one["start"]["line"])
        assert properties["title"] == f"{one['code']} {one['name']}"
        assert ("col" in properties) == (properties["line"] == properties["endLine"])
        assert message == f"{one['message']}\nAdvice: {one['advice']}"
    finding = found(Span(Source("a.conf", b"a"), 0, 1), severity=Severity.INFO)
    assert FORMATS["github"](report(finding), VIEW) == ""
    ((name, _, _),) = commands(FORMATS["github"](report(finding), STRICT))
    assert name == "notice"


def test_github_of_hostile_text() -> None:
    ((name, properties, message),) = commands(FORMATS["github"](hostile_report(), VIEW))
    assert name == "warning"
    assert list(properties) == ["file", "line", "endLine", "col", "endColumn", "title"]
    assert properties["file"] == r"dir/a %,:b\x0a]]><\xff.conf"
    assert message.startswith(r"50% a,b:c ]]>\x0d\x0a::error::x [go]")


def test_github_columns_only_within_a_line() -> None:
    source = Source("a.conf", b"a {\n}\n")
    ((_, properties, _),) = commands(FORMATS["github"](report(found(Span(source, 0, 6))), VIEW))
    assert (properties["line"], properties["endLine"]) == ("1", "2")
    assert "col" not in properties
    ((_, properties, _),) = commands(FORMATS["github"](report(found(Span(source, 0, 4))), VIEW))
    assert (properties["endLine"], properties["endColumn"]) == ("1", "4")


def test_github_annotates_by_itself_beside_the_text(check: Command, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    on_github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    explicit = check("--format", "github", GITHUB_STEP_SUMMARY=str(summary))
    assert commands(explicit.text)
    assert explicit.stderr == ""
    run = check(**on_github)
    assert run.code == 1
    assert run.stdout == check().stdout
    assert run.stderr == explicit.text
    before, first, second = summary.read_text().split("### gwlint\n")
    assert before == "before\n"
    assert first == second
    # Who says what to print gets that alone; the summary goes with the annotations.
    assert check("--format", "json", **on_github).stderr == ""
    assert summary.read_text().count("### gwlint") == 2


def test_a_step_summary_that_cannot_be_written_is_said(check: Command) -> None:
    run = check("--format", "github", GITHUB_STEP_SUMMARY="no/such/folder/summary.md")
    assert run.code == 1
    assert commands(run.text)
    assert "step summary no/such/folder/summary.md cannot be written" in run.stderr


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def test_step_summary() -> None:
    source = Source("nginx.conf", b"a b c")
    findings = [
        found(Span(source, 0, 1), "first"),
        found(Span(source, 2, 3), "second", severity=Severity.ERROR),
        found(Span(source, 4, 5), "third", severity=Severity.INFO),
    ]
    assert step_summary(report(*findings), VIEW) == (
        "### gwlint\n"
        "\n"
        "1 file\\: 1 error, 1 warning, 1 info (listed with --profile strict)\n"
        "\n"
        "| severity | place | rule | message |\n"
        "|---|---|---|---|\n"
        "| error | nginx.conf\\:1\\:3 | NGX999 made-by-hand | second |\n"
        "| warning | nginx.conf\\:1\\:1 | NGX999 made-by-hand | first |\n"
    )
    assert step_summary(report(), VIEW) == "### gwlint\n\n1 file\\: no findings\n\n"


def test_step_summary_of_hostile_text() -> None:
    (row,) = step_summary(hostile_report(), VIEW).splitlines()[6:]
    assert len(cells(row)) == 4
    for mark in ("[", "]", "<", ">", "`", "@", "&", "*"):
        assert not re.search(rf"(?<!\\){re.escape(mark)}", row)


def test_step_summary_stays_below_the_limit() -> None:
    span = Span(Source("a.conf", b"a"), 0, 1)
    many = report(*[found(span, "|\x00" * 1000)] * (SUMMARY_ROWS + 7))
    written = step_summary(many, VIEW)
    assert len(written.encode()) < 2**20
    assert written.endswith("\n7 more are left out here.\n")


# gitlab


def test_gitlab(printed: Printed) -> None:
    issues = printed.json("gitlab")
    severities = {"error": "major", "warning": "minor", "info": "info"}
    for issue, one in zip(issues, printed.findings, strict=True):
        assert list(issue) == [
            "description",
            "check_name",
            "fingerprint",
            "severity",
            "location",
        ]
        assert issue["description"].startswith(f"{one['code']} {one['name']}: {one['message']}")
        assert issue["check_name"] == one["code"]
        assert issue["severity"] == severities[one["severity"]]
        line = one["start"]["line"]
        assert issue["location"] == {"path": one["path"], "lines": {"begin": line}}
    # GitLab shows only the first issue of a fingerprint.
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


# junit


def test_junit(check: Command, tmp_path: Path) -> None:
    (tmp_path / "broken.conf").write_text("events {}\nhttp { server {\n")
    (tmp_path / "sound.conf").write_text("events {}\nhttp { server { listen 80; return 204; } }\n")
    names = ["nginx.conf", "broken.conf", "sound.conf"]
    run = check(*names, "--format", "junit:out.xml", "--format", "json")
    findings = [one for one in run.json["findings"] if one["severity"] != "info"]
    root = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert root.tag == "testsuites"
    suites = {suite.get("name"): suite for suite in root}
    assert set(suites) == set(names)
    for element in (root, *root):
        for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            assert element.get(count) == str(len(list(element.iter(tag))))
    cases = list(root.iter("testcase"))
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)
    messages = [outcome.get("message") for case in cases for outcome in case]
    assert sorted(filter(None, messages)) == sorted(one["message"] for one in findings)
    assert not list(suites["nginx.conf"].iter("error"))
    assert list(suites["broken.conf"].iter("error"))
    (passing,) = suites["sound.conf"]
    assert (passing.tag, len(passing)) == ("testcase", 0)


def test_junit_of_files_that_were_not_judged() -> None:
    for status, tag in ((Status.UNREADABLE, "error"), (Status.SKIPPED_TEMPLATE, "skipped")):
        root = ElementTree.fromstring(FORMATS["junit"](report(status=status), VIEW))
        (outcome,) = root.iter(tag)
        assert "the reason" in (outcome.get("message") or "")


def test_junit_fails_only_for_what_gwlint_lists() -> None:
    finding = found(Span(Source("nginx.conf", b"a"), 0, 1), severity=Severity.INFO)
    for view, failures in ((VIEW, "0"), (STRICT, "1")):
        root = ElementTree.fromstring(FORMATS["junit"](report(finding), view))
        assert (root.get("tests"), root.get("failures")) == ("1", failures)


@pytest.mark.parametrize("name", ["junit", "checkstyle"])
def test_xml_of_hostile_text(name: str) -> None:
    root = ElementTree.fromstring(FORMATS[name](hostile_report(), VIEW))
    (message,) = filter(None, (element.get("message") for element in root.iter()))
    assert message.startswith(
        r"50% a,b:c ]]>\x0d\x0a::error::x [go](http://evil.example) <b>&'" + '"'
    )


# checkstyle


def test_checkstyle(printed: Printed) -> None:
    root = ElementTree.fromstring(printed.text("checkstyle"))
    assert (root.tag, root.get("version")) == ("checkstyle", "4.3")
    names = [file.get("name") for file in root]
    assert names == ["haproxy.cfg", "nginx.conf"]
    read = [(file.get("name"), error) for file in root for error in file]
    for (name, error), one in zip(read, printed.findings, strict=True):
        assert error.tag == "error"
        assert name == one["path"]
        assert error.get("line") == str(one["start"]["line"])
        assert error.get("column") == str(one["start"]["column"])
        assert error.get("severity") == one["severity"]
        assert (error.get("message") or "").startswith(one["message"])
        assert error.get("source") == f"gwlint.{one['topic']}.{one['code']}"
    unread = ElementTree.fromstring(FORMATS["checkstyle"](report(status=Status.UNREADABLE), VIEW))
    (error,) = unread.iter("error")
    assert (error.get("severity"), error.get("message")) == ("error", "cannot be read: the reason")


# rdjson


def test_rdjson_has_the_fields_of_its_schema(printed: Printed) -> None:
    document = printed.json("rdjson")
    assert list(document) == ["source", "diagnostics"]
    for one, finding in zip(document["diagnostics"], printed.findings, strict=True):
        fields = {"message", "location", "severity", "code", "suggestions"}
        assert set(one) <= fields  # reviewdog refuses fields that it does not know
        assert one["severity"] == finding["severity"].upper()
        assert one["code"] == {"value": finding["code"]}
        assert one["location"]["path"] == finding["path"]


def test_rdjson_suggests_the_safe_fixes(printed: Printed) -> None:
    document = printed.json("rdjson")
    suggested = 0
    for one, finding in zip(document["diagnostics"], printed.findings, strict=True):
        is_safe = finding["fix"] is not None and finding["fix"]["safety"] == "safe"
        assert ("suggestions" in one) == is_safe
        for suggestion in one.get("suggestions", []):
            data = (printed.folder / finding["path"]).read_bytes()
            start = rdjson_offset(data, suggestion["range"]["start"])
            end = rdjson_offset(data, suggestion["range"]["end"])
            changed = data[:start] + suggestion["text"].encode() + data[end:]
            assert {finding["path"]: changed} == wanted_results(finding, printed.folder)
            suggested += 1
    assert suggested > 5


def rdjson_offset(data: bytes, position: dict[str, int]) -> int:
    """A byte offset: columns count bytes."""
    lines = data.split(b"\n")
    return sum(len(line) + 1 for line in lines[: position["line"] - 1]) + position["column"] - 1


def test_rdjson_suggests_no_part_of_a_fix() -> None:
    source, other = Source("a.conf", b"a\n" * 9000), Source("b.conf", b"b\n")
    begin, end = Span(source, 0, 1), Span(source, 17_998, 17_999)
    far = Fix("far", Safety.SAFE, (Edit(begin, "x"), Edit(end, "y")))
    elsewhere = Fix("elsewhere", Safety.SAFE, (Edit(begin, "x"), Edit(Span(other, 0, 1), "y")))
    unsafe = Fix("unsafe", Safety.UNSAFE, (Edit(begin, "x"),))
    bytes_only = Fix("bytes", Safety.SAFE, (Edit(begin, "\udcff"),))
    for fix in (far, elsewhere, unsafe, bytes_only):
        rendered = FORMATS["rdjson"](report(found(begin, fix=fix)), VIEW)
        assert "suggestions" not in json.loads(rendered)["diagnostics"][0]
