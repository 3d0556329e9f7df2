"""The installed command: exit codes, output, and input of the worst kind."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import GWLINT, Run

Command = Callable[..., Run]

FAULTY = """\
events {}
http {
    upstream app {
        server 127.0.0.1:3000;
        keepalive 32;
    }
    server {
        listen 8080;
        location / {
            proxy_pass http://app;
            proxy_set_header Connection "";
        }
    }
}
"""
"""NGX402 and nothing else of severity warning."""

SOUND = """\
events {}
http {
    server {
        listen 8080;
        return 204;
    }
}
"""


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    path = tmp_path / "nginx.conf"
    path.write_text(FAULTY)
    return path


def codes(run: Run) -> list[str]:
    return [finding["code"] for finding in run.json["findings"]]


# Exit codes


def test_no_findings_is_0(gwlint: Command, tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text(SOUND)
    assert gwlint("check").code == 0
    assert gwlint("check", ".").code == 0


def test_findings_are_1(gwlint: Command, faulty: Path) -> None:
    run = gwlint("check", "nginx.conf")
    assert run.code == 1
    assert run.text.startswith("nginx.conf:10:13: warning NGX402 keepalive-without-http11: ")
    assert run.stderr == ""


@pytest.mark.parametrize(
    ("level", "code"), [("never", 0), ("error", 0), ("warning", 1), ("info", 1)]
)
def test_fail_on_says_what_counts(gwlint: Command, faulty: Path, level: str, code: int) -> None:
    run = gwlint("check", "--select", "NGX402", "--fail-on", level, "--format", "json")
    assert run.code == code
    assert codes(run) == ["NGX402"]


def test_a_file_that_does_not_parse_is_a_finding(gwlint: Command, tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text("events {}\nhttp { server {\n")
    run = gwlint("check", "--format", "json")
    assert run.code == 1
    assert run.json["files"] == [
        {"path": "nginx.conf", "dialect": "nginx", "status": "syntax-error"}
    ]
    assert run.json["summary"]["error"] >= 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["chek"],
        ["check", "--no-such-option"],
        ["check", "no/such/path"],
        ["check", ""],
        ["check", "nginx.conf", "no/such/path"],
        ["check", "--format", "xml"],
        ["check", "--profile", "lax"],
        ["check", "--fail-on", "fatal"],
        ["check", "--target", "nginx=new"],
        ["check", "--target", "apache=2.4"],
        ["check", "--dialect", "caddy"],
        ["check", "--jobs", "0"],
        ["check", "--select", "NGX999x"],
        ["check", "--ignore", "no-such-rule"],
        ["check", "--config", "no-such.yaml"],
        ["check", "-o", "no/such/folder/report.txt"],
        ["fix", "no/such/path"],
        ["fix", "--write", "--check"],
        ["fix", "--write", "-"],
        ["explain"],
        ["explain", "no-such-rule"],
        ["rules", "--format", "yaml"],
        ["generate"],
        ["generate", "no-such.yaml", "--proxy", "nginx"],
        ["generate", "nginx.conf", "--proxy", "caddy"],
        ["generate", ".", "--proxy", "nginx"],
    ],
)
def test_wrong_usage_is_2_and_says_why(gwlint: Command, faulty: Path, arguments: list[str]) -> None:
    run = gwlint(*arguments)
    assert run.code == 2
    assert run.stdout == b""
    assert run.stderr.strip()


def test_near_names_are_suggested(gwlint: Command, faulty: Path) -> None:
    assert "did you mean keepalive?" in gwlint("check", "--select", "keepalve").stderr
    assert "did you mean NGX402?" in gwlint("check", "--ignore", "NGX4O2").stderr
    assert (
        "did you mean keepalive-without-http11?"
        in gwlint("explain", "keepalive-without-http1").stderr
    )
    assert "did you mean json?" in gwlint("check", "--format", "jsn").stderr
    assert "check" in gwlint("chek").stderr


def test_gwlint_yaml_with_an_unknown_key_is_2_with_its_place(gwlint: Command, faulty: Path) -> None:
    faulty.with_name("gwlint.yaml").write_text("fail_on: error\nprofil: strict\n")
    run = gwlint("check")
    assert run.code == 2
    assert "gwlint.yaml:2:1: " in run.stderr
    assert '"profile"' in run.stderr


def test_gwlint_yaml_with_an_unknown_rule_is_2_with_its_place(
    gwlint: Command, faulty: Path
) -> None:
    faulty.with_name("gwlint.yaml").write_text("ignore:\n  - NGX402\n  - keepalve\n")
    run = gwlint("check")
    assert run.code == 2
    assert "gwlint.yaml:3:5: " in run.stderr


def test_without_arguments_the_commands_are_listed(gwlint: Command) -> None:
    run = gwlint()
    assert run.code == 2
    for command in ("check", "fix", "generate", "explain", "rules"):
        assert re.search(rf"^  {command} ", run.text + run.stderr, re.M)


def test_version(gwlint: Command) -> None:
    run = gwlint("--version")
    assert (run.code, run.text) == (0, "gwlint 0.1.0\n")


# Output


def test_json_has_the_promised_shape(gwlint: Command, faulty: Path) -> None:
    run = gwlint("check", "--format", "json", "--select", "NGX402")
    document = run.json
    assert list(document) == ["version", "tool", "summary", "files", "findings"]
    assert document["version"] == 1
    assert document["tool"] == {"name": "gwlint", "version": "0.1.0"}
    assert document["summary"] == {
        "files": 1,
        "skipped": 0,
        "error": 0,
        "warning": 1,
        "info": 0,
        "suppressed": 0,
        "baselined": 0,
        "fixable": 1,
    }
    assert document["files"] == [{"path": "nginx.conf", "dialect": "nginx", "status": "ok"}]
    (finding,) = document["findings"]
    assert list(finding) == [
        "code",
        "name",
        "topic",
        "severity",
        "message",
        "advice",
        "path",
        "start",
        "end",
        "related",
        "fingerprint",
        "fix",
    ]
    data = faulty.read_bytes()
    assert data[finding["start"]["offset"] : finding["end"]["offset"]] == b"proxy_pass http://app"
    assert finding["start"] == {"line": 10, "column": 13, "offset": data.index(b"proxy_pass")}
    assert finding["related"][0]["start"]["line"] == 5
    assert finding["fix"]["safety"] in ("safe", "unsafe")
    for edit in finding["fix"]["edits"]:
        assert list(edit) == ["path", "start", "end", "replacement"]


def test_two_runs_print_the_same_bytes(gwlint: Command, faulty: Path) -> None:
    for folder in ("b", "a", "c"):
        (faulty.parent / folder).mkdir()
        (faulty.parent / folder / "nginx.conf").write_text(FAULTY)
    for name in ("json", "text"):
        runs = [
            gwlint("check", "--format", name, "--profile", "strict", PYTHONHASHSEED=seed).stdout
            for seed in ("1", "2")
        ]
        assert runs[0] == runs[1]
    paths = [finding["path"] for finding in gwlint("check", "--format", "json").json["findings"]]
    assert paths == sorted(paths)


def test_paths_are_relative_to_the_working_directory(gwlint: Command, faulty: Path) -> None:
    (faulty.parent / "deep" / "er").mkdir(parents=True)
    inside = gwlint("check", faulty, "--format", "json").json
    assert inside["files"][0]["path"] == "nginx.conf"
    outside = gwlint("check", faulty, "--format", "json", cwd=faulty.parent / "deep" / "er").json
    assert outside["files"][0]["path"] == faulty.as_posix()


def test_output_goes_to_a_file(gwlint: Command, faulty: Path) -> None:
    plain = gwlint("check", "--format", "json")
    run = gwlint("check", "--format", "json", "-o", "report.json")
    assert (run.code, run.stdout) == (1, b"")
    assert faulty.with_name("report.json").read_bytes() == plain.stdout


def test_quiet_leaves_one_line_a_finding(gwlint: Command, faulty: Path) -> None:
    run = gwlint("check", "--quiet", "--select", "NGX402")
    assert run.code == 1
    assert re.fullmatch(r"nginx\.conf:10:13: warning NGX402 .*\n", run.text)


def test_select_ignore_and_profile(gwlint: Command, faulty: Path) -> None:
    def found(*options: str) -> set[str]:
        return set(codes(gwlint("check", "--format", "json", *options)))

    assert "NGX402" in found()
    for selector in ("ngx402", "NGX4", "keepalive", "keepalive-without-http11"):
        assert "NGX402" in found("--select", selector)
        assert "NGX402" not in found("--ignore", f"HAP501,{selector}")
    assert "NGX402" not in found("--select", "HAP,timeouts", "--select", "syntax")
    assert found("--select", "NGX402,NGX403") == {"NGX402"}
    assert found() <= found("--profile", "strict")


def test_standard_input(gwlint: Command, tmp_path: Path) -> None:
    run = gwlint("check", "-", "--stdin-filename", "conf/app.conf", "-q", stdin=FAULTY.encode())
    assert run.code == 1
    assert run.text.startswith("conf/app.conf:10:13: ")
    assert gwlint("check", "-", stdin=FAULTY.encode()).text.startswith("<stdin>:10:13: ")
    assert gwlint("check", "-", stdin=SOUND.encode()).code == 0


def test_colours_are_for_terminals_only(faulty: Path) -> None:
    def on_terminal(*arguments: str, **environment: str) -> bytes:
        ours, theirs = pty.openpty()
        plain = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        process = subprocess.Popen(
            [GWLINT, "check", *arguments, faulty.name],
            stdout=theirs,
            cwd=faulty.parent,
            env={**plain, "TERM": "xterm", **environment},
        )
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # how Linux says that the other end is closed
            pass
        os.close(ours)
        assert process.wait(timeout=60) == 1
        return shown

    assert b"\x1b[" in on_terminal()
    assert b"\x1b[" not in on_terminal("--no-color")
    assert b"\x1b[" not in on_terminal(NO_COLOR="1")
    assert b"\x1b[" not in on_terminal(TERM="dumb")


def test_no_colours_in_pipes(gwlint: Command, faulty: Path) -> None:
    assert b"\x1b" not in gwlint("check").stdout


def test_a_terminal_without_utf8_gets_escapes(gwlint: Command, tmp_path: Path) -> None:
    path = tmp_path / "nginx.conf"
    path.write_text(FAULTY.replace("http://app;", "http://app; # \u65e5"))
    run = gwlint("check", "--select", "NGX402", PYTHONIOENCODING="ascii")
    assert run.code == 1
    assert b"# \\u65e5" in run.stdout


def test_control_characters_never_reach_the_terminal(gwlint: Command, tmp_path: Path) -> None:
    (tmp_path / "evil\x1b[31m.conf").write_bytes(
        FAULTY.replace("http://app;", "http://app; # \x1b]0;owned\x07\x9b").encode()
    )
    (tmp_path / "broken.conf").write_bytes(b"\x1b[2Jhttp { \x01\x08\x7f\xff }\n")
    run = gwlint("check", "evil\x1b[31m.conf", "broken.conf")
    assert run.code == 1
    for output in (run.text, run.stderr):
        assert all(char.isprintable() or char == "\n" for char in output)


def test_a_reader_that_leaves_early_is_no_error(faulty: Path) -> None:
    command = f"'{GWLINT}' check --format json . | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=faulty.parent, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_full_disk_is_said(faulty: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [GWLINT, "check"],
            cwd=faulty.parent,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "gwlint: cannot write standard output: No space left on device\n"
    )


# Bad input


def test_a_folder_without_configurations_is_2(gwlint: Command, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here\n")
    run = gwlint("check")
    assert run.code == 2
    assert run.stdout == b""
    assert run.stderr.startswith("gwlint: ")


@pytest.mark.parametrize("command", [["check"], ["fix"]])
def test_an_unreadable_file_is_2(gwlint: Command, tmp_path: Path, command: list[str]) -> None:
    os.mkfifo(tmp_path / "nginx.conf")
    run = gwlint(*command, "nginx.conf")
    assert run.code == 2
    assert "nginx.conf: cannot be read: " in run.stderr


def test_an_unreadable_file_that_is_only_included_is_1(gwlint: Command, tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text(SOUND.replace("server {", "include part.conf; server {"))
    (tmp_path / "part.conf").write_bytes(b"\0\1\2")
    run = gwlint("check", "nginx.conf", "--format", "json")
    assert run.code == 1
    assert {"path": "part.conf", "dialect": "nginx", "status": "unreadable"} in run.json["files"]
    assert "part.conf: cannot be read: " in run.stderr
    assert "part.conf: unreadable: " in gwlint("check", "nginx.conf").text
    assert gwlint("check", "nginx.conf", "--fail-on", "never").code == 0


HOSTILE = {
    "a-megabyte-in-a-line": b"events {}\nhttp { proxy_pass " + b"a" * 1_000_000 + b"; }\n",
    "open-braces": b"http {" * 1000,
    "closed-braces": b"}" * 100_000,
    "quotes": b"http { set $a '" + b"\"\\'" * 100_000,
    "bytes": bytes(range(1, 256)) * 100,
    "only-newlines": b"\n" * 300_000,
    "empty": b"",
    "statements-in-one-line": b"http { " + b"keepalive 1; " * 5000 + b"}",
    "words": b"log_format " + b"a " * 100_000 + b";",
}
NO_TEXT = {
    "binary": bytes(range(256)) * 400,
    "nul": b"\0" * 100_000,
    "utf-16": "http { server { listen 80; } }".encode("utf-16"),
}


@pytest.mark.parametrize("file", ["nginx.conf", "haproxy.cfg"])
@pytest.mark.parametrize("name", [*HOSTILE, *NO_TEXT])
def test_hostile_input_is_answered(gwlint: Command, tmp_path: Path, name: str, file: str) -> None:
    (tmp_path / file).write_bytes((HOSTILE | NO_TEXT)[name])
    run = gwlint("check", file, "--format", "json")
    assert run.code in ((0, 1) if name in HOSTILE else (2,))
    assert [one["path"] for one in run.json["files"]] == [file]


def test_a_line_of_ten_megabytes(gwlint: Command, tmp_path: Path) -> None:
    line = b"http { proxy_pass http://" + b"a" * 10_000_000 + b" }\n"
    (tmp_path / "nginx.conf").write_bytes(b"events {}\n" + line)
    run = gwlint("check", "nginx.conf")
    assert run.code == 1
    assert len(run.text) < 10_000


def test_includes_in_a_circle_end(gwlint: Command, tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text("events {}\nhttp { include other.conf; }\n")
    (tmp_path / "other.conf").write_text("include third.conf;\n")
    (tmp_path / "third.conf").write_text("include other.conf;\nkeepalive_timeout 5s;\n")
    run = gwlint("check", "--format", "json")
    assert run.code in (0, 1)
    assert [one["path"] for one in run.json["files"]] == ["nginx.conf", "other.conf", "third.conf"]


def test_symbolic_links_in_a_circle_end(gwlint: Command, faulty: Path) -> None:
    (faulty.parent / "loop").symlink_to(".")
    (faulty.parent / "self.conf").symlink_to("self.conf")
    run = gwlint("check", "--format", "json")
    assert run.code in (1, 2)
    assert "nginx.conf" in [one["path"] for one in run.json["files"]]


# fix


def test_fix_prints_a_patch_that_git_applies(gwlint: Command, faulty: Path) -> None:
    before = faulty.read_bytes()
    run = gwlint("fix", "--unsafe", "--select", "NGX402")
    assert run.code == 0
    assert faulty.read_bytes() == before
    subprocess.run(["git", "apply", "-"], input=run.stdout, cwd=faulty.parent, check=True)
    applied = faulty.read_bytes()
    assert applied != before
    assert gwlint("check", "--select", "NGX402").code == 0
    faulty.write_bytes(before)
    assert gwlint("fix", "--unsafe", "--select", "NGX402", "--write").code == 0
    assert faulty.read_bytes() == applied
    assert gwlint("fix", "--unsafe", "--select", "NGX402").stdout == b""


def test_fix_check_says_whether_there_is_a_patch(gwlint: Command, faulty: Path) -> None:
    assert gwlint("fix", "--check", "--unsafe", "--select", "NGX402").code == 1
    assert gwlint("fix", "--check", "--unsafe", "--select", "timeouts").code == 0
    assert faulty.read_text() == FAULTY


def test_fix_says_what_it_leaves(gwlint: Command, faulty: Path) -> None:
    run = gwlint("fix", "--select", "NGX402")
    assert (run.code, run.stdout) == (0, b"")
    assert "nginx.conf:10:13: NGX402 keepalive-without-http11: not fixed: " in run.stderr
    assert gwlint("fix", "--select", "NGX402", "--quiet").stderr == ""


# generate


def sample_spec() -> Path:
    return Path(__file__).parent.parent / "samples" / "generate" / "gateway.yaml"


@pytest.mark.parametrize(("proxy", "name"), [("nginx", "nginx.conf"), ("haproxy", "haproxy.cfg")])
def test_generate(gwlint: Command, tmp_path: Path, proxy: str, name: str) -> None:
    printed = gwlint("generate", sample_spec(), "--proxy", proxy)
    assert printed.code == 0
    assert printed.stdout
    written = gwlint("generate", sample_spec(), "--proxy", proxy, "-o", "new/folder")
    assert (written.code, written.stdout) == (0, b"")
    assert (tmp_path / "new" / "folder" / name).read_bytes() == printed.stdout


def test_generate_takes_the_target(gwlint: Command) -> None:
    def generated(*options: str) -> Run:
        return gwlint("generate", sample_spec(), "--proxy", "nginx", *options)

    assert (
        generated("--target", "nginx=1.22.1").stdout != generated("--target", "nginx=1.29.7").stdout
    )
    assert generated("--target", "nginx=0.1").code == 2


def test_a_spec_with_unknown_keys_is_2_with_their_places(gwlint: Command, tmp_path: Path) -> None:
    text = sample_spec().read_text()
    (tmp_path / "spec.yaml").write_text(text + "poolz: {}\nsitez: {}\n")
    lines = text.count("\n")
    run = gwlint("generate", "spec.yaml", "--proxy", "nginx")
    assert (run.code, run.stdout) == (2, b"")
    assert f"spec.yaml:{lines + 1}:1: " in run.stderr
    assert f"spec.yaml:{lines + 2}:1: " in run.stderr


# explain and rules


@pytest.mark.parametrize(
    "name", ["NGX402", "ngx402", "keepalive-without-http11", "Keepalive-Without-Http11"]
)
def test_explain(gwlint: Command, name: str) -> None:
    run = gwlint("explain", name)
    assert run.code == 0
    first, *headings = re.findall(r"^#+ (.*)", run.text, re.M)
    assert first == "NGX402 keepalive-without-http11"
    needed = ["Problem", "In the log", "Example", "Instead", "Fix safety", "References"]
    assert [heading for heading in headings if heading in needed] == needed
    assert "keepalive 32;" in run.text
    assert "https://nginx.org/en/docs/" in run.text


def test_the_catalogue(gwlint: Command) -> None:
    rules = gwlint("rules", "--format", "json").json
    assert [rule["code"] for rule in rules] == sorted({rule["code"] for rule in rules})
    keys = ["code", "name", "topic", "dialect", "severity", "fix", "summary"]
    assert all(list(rule) == keys for rule in rules)
    listed = {rule["code"]: rule for rule in rules}["NGX402"]
    assert (listed["topic"], listed["dialect"]) == ("keepalive", "nginx")
    text = gwlint("rules").text
    assert [line.split()[0] for line in text.splitlines()] == [rule["code"] for rule in rules]


# Starting


def test_a_plain_check_loads_only_what_it_needs(faulty: Path) -> None:
    """Option parsers, YAML and templates take longer to load than a small file to check."""
    code = (
        "import sys; sys.argv = ['gwlint', 'check', 'nginx.conf']\n"
        "from gwlint.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 1, end.code\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'typer', 'click', 'rich', 'ruamel', 'jinja2', 'crossplane',"
        " 'pydantic'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=faulty.parent, capture_output=True, timeout=60, check=True
    )
    assert done.stdout.decode().splitlines()[-1] == "[]"


def test_a_defect_names_the_rule_and_the_file(faulty: Path) -> None:
    code = (
        "import sys; sys.argv = ['gwlint', 'check', 'nginx.conf']\n"
        "from gwlint import registry\n"
        "rule = registry.find('NGX402')[0].load()\n"
        "def check(self, config): yield [][0]\n"
        "rule.check = check\n"
        "from gwlint.cli.main import main; main()"
    )

    def run(**environment: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=faulty.parent,
            env={**os.environ, **environment},
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stderr.decode()

    code_of, said = run()
    assert code_of == 2
    assert "NGX402 keepalive-without-http11" in said
    assert "nginx.conf" in said
    assert "please report" in said
    assert "Traceback" not in said
    assert "Traceback" in run(GWLINT_DEBUG="1")[1]


def test_the_json_of_rules_is_ascii(gwlint: Command) -> None:
    assert json.dumps(gwlint("rules", "--format", "json").json).isascii()
