"""Fixes are made in rounds, verified, judged by the real servers, and only then printed.

The rules here are small ones of this file, each with one habit, good or bad.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gwlint import fixing
from gwlint.edits import Edit, Fix, Safety
from gwlint.engine import check
from gwlint.fixing import FixResult, fix
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.nginx.config import NginxConfig
from gwlint.project import Overlay, Project, absolute_path
from gwlint.rule import Finding, HaproxyRule, NginxRule, Rule, Severity
from gwlint.servers import haproxy_judge, nginx_judge
from gwlint.settings import Settings
from gwlint.writing import Replacement, write_all


class Replacing(NginxRule):
    """Base: every `directive` whose value is `old` gets `new`."""

    code = "NGX999"
    name = "replacing"
    severity = Severity.WARNING
    directive = ""
    old = ""
    new = ""
    safety = Safety.SAFE

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for _, directive in config.find(self.directive):
            if directive.values == [self.old]:
                edit = Edit(directive.arguments[0].span, self.new)
                yield self.finding(
                    directive, "bad value", advice="x", fix=Fix("x", self.safety, (edit,))
                )


class ShortTimeout(Replacing):
    """proxy_read_timeout 1s becomes 60s."""

    code, name = "NGX391", "short-timeout"
    directive, old, new = "proxy_read_timeout", "1s", "60s"


class Follower(Replacing):
    """What ShortTimeout leaves: 60s becomes 61s, in a second round."""

    code, name = "NGX392", "follower"
    directive, old, new = "proxy_read_timeout", "60s", "61s"


class Unsafe(Replacing):
    """proxy_send_timeout 1s becomes 60s, unsafely."""

    code, name = "NGX393", "unsafe"
    directive, old, new = "proxy_send_timeout", "1s", "60s"
    safety = Safety.UNSAFE


class SyntaxBreaker(Replacing):
    """Leaves a quote open."""

    code, name = "NGX394", "syntax-breaker"
    directive, old, new = "proxy_connect_timeout", "1s", '"60s'


class Useless(Replacing):
    """Its finding is still there after its fix."""

    code, name = "NGX395", "useless"
    directive, old, new = "keepalive_timeout", "1s", "'1s'"


class Unlucky(Replacing):
    """Its fix makes what ShortTimeout finds."""

    code, name = "NGX396", "unlucky"
    directive, old, new = "proxy_read_timeout", "2s", "1s"


class Refused(Replacing):
    """Its fix is one that nginx does not start with."""

    code, name = "NGX397", "refused"
    directive, old, new = "proxy_busy_buffers_size", "8k", "640k"


class There(Replacing):
    """On to off; with Back it never ends."""

    code, name = "NGX398", "there"
    directive, old, new = "sendfile", "on", "off"


class Back(Replacing):
    """Off to on."""

    code, name = "NGX399", "back"
    directive, old, new = "sendfile", "off", "on"


class NoFix(NginxRule):
    """Only says something."""

    code, name, severity = "NGX381", "no-fix", Severity.WARNING

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for _, directive in config.find("worker_connections"):
            yield self.finding(directive, "decide", advice="decide")


class OnPort81(NginxRule):
    """Lengthens a timeout that holds in the server on port 81, wherever its line stands; and
    asks for nothing else, as a rule that does not think of other servers."""

    code, name, severity = "NGX385", "on-port-81", Severity.WARNING

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for context, directive in config.find("proxy_read_timeout"):
            listen = context.first("listen")
            if directive.values == ["1s"] and listen is not None and listen.values == ["81"]:
                edit = Edit(directive.arguments[0].span, "60s")
                yield self.finding(directive, "m", advice="x", fix=Fix("x", Safety.SAFE, (edit,)))


class MissingOption(HaproxyRule):
    """Puts a line behind `mode http` of every backend."""

    code, name, severity = "HAP391", "missing-option", Severity.WARNING

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for section in config.sections:
            lines = [line for line in section.lines if line.normalised == "mode http"]
            if section.kind == "backend" and lines and len(section.lines) == 2:
                source = lines[0].source
                text = "    option redispatch" + source.newline.decode()
                edit = Edit.insert(source, lines[0].full_span.end, text)
                yield self.finding(
                    section.header, "m", advice="x", fix=Fix("x", Safety.SAFE, (edit,))
                )


class WarningMaker(HaproxyRule):
    """Takes `timeout client` away, which HAProxy warns about."""

    code, name, severity = "HAP392", "warning-maker", Severity.WARNING

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for line in config.lines:
            if line.normalised == "timeout client 30s":
                edit = Edit.delete(line.full_span)
                yield self.finding(line, "m", advice="x", fix=Fix("x", Safety.SAFE, (edit,)))


NGINX = """\
events { }
http {
    proxy_read_timeout 1s;  # too short
    server {
        listen 80;
        location / { proxy_pass http://127.0.0.1:8080; }
    }
}
"""

HAPROXY = """\
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend web
    bind :80
    default_backend application
backend application
    mode http
    server one 127.0.0.1:8080
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "project"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def fixed(*rules: type[Rule], unsafe: bool = False, paths: Sequence[str] = (".",)) -> FixResult:
    settings = Settings()
    return fix(
        paths, settings, lambda project: check(project, settings, rules).findings, unsafe=unsafe
    )


def codes(findings: Sequence[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def reasons(result: FixResult) -> dict[str, str]:
    return {finding.code: reason for finding, reason in result.unfixed}


def needs_server(name: str) -> None:
    judge = nginx_judge.NginxJudge() if name == "nginx" else haproxy_judge.HaproxyJudge()
    if judge.binary is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed")


def test_a_fix_changes_its_line_only(folder: Path) -> None:
    (folder / "nginx.conf").write_text(NGINX)
    result = fixed(ShortTimeout)
    assert result.changed == {"nginx.conf": NGINX.replace("timeout 1s", "timeout 60s").encode()}
    assert codes(result.fixed) == ["NGX391"]
    assert result.unfixed == []
    lines = [line for line in result.patch.decode().splitlines()[2:] if line[0] in "+-"]
    assert lines == [
        "-    proxy_read_timeout 1s;  # too short",
        "+    proxy_read_timeout 60s;  # too short",
    ]


def test_nothing_to_fix_is_an_empty_patch(folder: Path) -> None:
    (folder / "nginx.conf").write_text(NGINX)
    result = fixed(Unlucky)
    assert (result.patch, result.changed, result.fixed, result.unfixed) == (b"", {}, [], [])
    assert result.notes == []


def test_a_fix_brings_those_along_that_it_calls_for(folder: Path) -> None:
    (folder / "nginx.conf").write_text(NGINX)
    result = fixed(ShortTimeout, Follower)
    assert b"proxy_read_timeout 61s" in result.changed["nginx.conf"]
    assert codes(result.fixed) == ["NGX391", "NGX392"]
    assert result.unfixed == []


class Dismayed(ShortTimeout):
    """Finds 60s wrong and has no fix for it."""

    code, name = "NGX384", "dismayed"
    old = "60s"

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for _, directive in config.find("proxy_read_timeout"):
            if directive.values == ["60s"]:
                yield self.finding(directive, "m", advice="x")


def test_a_second_run_is_empty(folder: Path) -> None:
    path = folder / "nginx.conf"
    path.write_text(NGINX)
    rules = (ShortTimeout, SyntaxBreaker, Useless, Unlucky, Refused)
    first = fixed(*rules)
    path.write_bytes(first.changed["nginx.conf"])
    assert fixed(*rules).patch == b""


@pytest.mark.parametrize(
    ("rule", "line", "reason"),
    [
        (SyntaxBreaker, "proxy_connect_timeout 1s;", "would not parse"),
        (Useless, "keepalive_timeout 1s;", "would still be found"),
    ],
)
def test_a_fix_that_fails_is_left_out_and_named(
    folder: Path, rule: type[Rule], line: str, reason: str
) -> None:
    text = NGINX.replace("http {\n", f"http {{\n    {line}\n")
    (folder / "nginx.conf").write_text(text)
    result = fixed(ShortTimeout, rule)
    assert codes(result.fixed) == ["NGX391"]
    assert result.changed["nginx.conf"].decode() == text.replace(
        "timeout 1s;  #", "timeout 60s;  #"
    )
    assert reason in reasons(result)[rule.code]


def test_a_fix_that_makes_a_new_finding_is_left_out(folder: Path) -> None:
    (folder / "nginx.conf").write_text(NGINX)
    result = fixed(ShortTimeout, Dismayed)
    assert result.patch == b""
    assert "NGX384 would be new at nginx.conf:3" in reasons(result)["NGX391"]


def test_what_nginx_refuses_is_left_out(folder: Path) -> None:
    needs_server("nginx")
    text = NGINX.replace("http {\n", "http {\n    proxy_busy_buffers_size 8k;\n")
    (folder / "nginx.conf").write_text(text)
    result = fixed(ShortTimeout, Refused)
    assert codes(result.fixed) == ["NGX391"]
    assert "nginx -t objects" in reasons(result)["NGX397"]
    assert b"640k" not in result.patch
    assert result.notes == []


def test_without_nginx_the_result_says_that_it_was_not_checked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(nginx_judge.VARIABLE, "")
    (folder / "nginx.conf").write_text(NGINX)
    result = fixed(ShortTimeout)
    assert codes(result.fixed) == ["NGX391"]
    assert result.notes == ["nginx is not installed: the result was not checked with nginx -t"]


def test_an_original_that_nginx_refuses_is_still_fixed(folder: Path) -> None:
    needs_server("nginx")
    (folder / "nginx.conf").write_text(NGINX.replace("listen 80;", "listen 80; listen 80;"))
    result = fixed(ShortTimeout)
    assert codes(result.fixed) == ["NGX391"]
    assert len(result.notes) == 1
    assert "which refuses the original" in result.notes[0]


def test_unsafe_fixes_need_to_be_asked_for(folder: Path) -> None:
    text = NGINX.replace("http {\n", "http {\n    proxy_send_timeout 1s;\n")
    (folder / "nginx.conf").write_text(text)
    assert reasons(fixed(Unsafe)) == {"NGX393": fixing.UNSAFE}
    assert codes(fixed(Unsafe, unsafe=True).fixed) == ["NGX393"]


def test_findings_without_a_fix_are_said(folder: Path) -> None:
    (folder / "nginx.conf").write_text(NGINX.replace("{ }", "{ worker_connections 9; }"))
    assert reasons(fixed(ShortTimeout, NoFix)) == {"NGX381": fixing.NO_FIX}


def test_fixes_that_undo_each_other_end(folder: Path) -> None:
    text = NGINX.replace("http {\n", "http {\n    sendfile on;\n")
    (folder / "nginx.conf").write_text(text)
    result = fixed(There, Back, ShortTimeout)
    assert codes(result.fixed) == ["NGX391"]
    assert len(result.unfixed) == 1


class EveryLine(NginxRule):
    """Two findings at one place with the same edit, as two rules may ask for the same line."""

    code, name, severity = "NGX382", "every-line", Severity.WARNING

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for _, directive in config.find("server"):
            block = directive.block
            if block is not None and not any(d.name == "server_tokens" for d in block.directives):
                edit = Edit.insert(directive.source, block.open + 1, " server_tokens off;")
                fix = Fix("x", Safety.SAFE, (edit,))
                yield self.finding(directive, "one", advice="x", fix=fix)
                yield self.finding(directive, "two", advice="x", fix=fix)


def test_the_same_edit_twice_is_made_once(folder: Path) -> None:
    (folder / "nginx.conf").write_text(NGINX)
    result = fixed(EveryLine)
    assert result.changed["nginx.conf"].count(b"server_tokens off;") == 1
    assert codes(result.fixed) == ["NGX382", "NGX382"]


class Competing(NginxRule):
    """Lengthens every value of its directives that is shorter than five bytes by a second."""

    code, name, severity = "NGX383", "competing", Severity.WARNING

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for _, directive in config.find("proxy_send_timeout"):
            word = directive.arguments[0]
            for part in ("m", "s"):
                if part not in word.value:
                    edit = Edit(word.span, word.value + "1" + part)
                    yield self.finding(
                        directive, f"no {part}", advice="x", fix=Fix("x", Safety.SAFE, (edit,))
                    )


def test_conflicting_fixes_take_turns(folder: Path) -> None:
    text = NGINX.replace("http {\n", "http {\n    proxy_send_timeout 1h;\n")
    (folder / "nginx.conf").write_text(text)
    result = fixed(Competing)
    assert b"proxy_send_timeout 1h1m1s;" in result.changed["nginx.conf"]
    assert len(result.fixed) == 2
    assert result.unfixed == []


def test_one_guilty_fix_among_many_is_found(folder: Path) -> None:
    needs_server("nginx")
    locations = "".join(
        f"location /{number} {{ proxy_pass http://127.0.0.1; proxy_read_timeout 1s; }}\n"
        for number in range(40)
    )
    text = f"events {{ }}\nhttp {{ proxy_busy_buffers_size 8k; server {{\n{locations}}} }}\n"
    (folder / "nginx.conf").write_text(text)
    result = fixed(ShortTimeout, Refused)
    assert len(result.fixed) == 40
    assert list(reasons(result)) == ["NGX397"]


def test_haproxy_files_are_fixed_and_judged(folder: Path) -> None:
    needs_server("haproxy")
    (folder / "haproxy.cfg").write_text(HAPROXY)
    result = fixed(MissingOption, WarningMaker)
    expected = HAPROXY.replace(
        "application\n    mode http\n", "application\n    mode http\n    option redispatch\n"
    )
    assert result.changed == {"haproxy.cfg": expected.encode()}
    assert "haproxy -c objects" in reasons(result)["HAP392"]


def test_hard_bytes_survive_and_the_patch_equals_the_written_file(folder: Path) -> None:
    text = NGINX.replace("\n", "\r\n").encode().rstrip() + b" # caf\xe9"
    path = folder / "nginx.conf"
    path.write_bytes(text)
    path.chmod(0o640)
    result = fixed(ShortTimeout)
    new = text.replace(b"timeout 1s", b"timeout 60s")
    assert result.changed == {"nginx.conf": new}
    for tool in (["git", "apply", "--whitespace=nowarn"], ["patch", "-p1", "--binary", "-s", "-i"]):
        path.write_bytes(text)
        written = folder.parent / "change.patch"
        written.write_bytes(result.patch)
        subprocess.run([*tool, str(written)], check=True, timeout=20)
        assert path.read_bytes() == new
    path.write_bytes(text)
    report = write_all(
        [
            Replacement(name, result.absolute[name], result.originals[name], data)
            for name, data in result.changed.items()
        ]
    )
    assert report.written == ["nginx.conf"]
    assert path.read_bytes() == new


def test_several_files_make_one_patch(folder: Path) -> None:
    (folder / "conf.d").mkdir()
    site = folder / "conf.d" / "a b.conf"
    site.write_text("server { listen 81; proxy_read_timeout 1s; }\n")
    (folder / "nginx.conf").write_text(NGINX.replace("http {", "http {\n    include conf.d/*;"))
    (folder / "haproxy.cfg").write_text(HAPROXY)
    result = fixed(ShortTimeout, MissingOption)
    assert sorted(result.changed) == ["conf.d/a b.conf", "haproxy.cfg", "nginx.conf"]
    subprocess.run(["patch", "-p1", "-s"], input=result.patch, check=True, timeout=20)
    for path, data in result.changed.items():
        assert (folder / path).read_bytes() == data


@pytest.mark.parametrize(
    ("ports", "reason"),
    [
        ((81,), None),
        ((81, 81), None),
        ((81, 82), "does not suit the place where nginx.conf:4 includes it"),
        ((82, 81), "does not suit the place where nginx.conf:3 includes it"),
    ],
)
def test_a_shared_file_is_changed_only_if_it_suits_every_place(
    folder: Path, ports: tuple[int, ...], reason: str | None
) -> None:
    snippet = folder / "snippet.conf"
    snippet.write_text("proxy_read_timeout 1s;\n")
    servers = "".join(f"server {{ listen {port}; include snippet.conf; }}\n" for port in ports)
    (folder / "nginx.conf").write_text(f"events {{ }}\nhttp {{\n{servers}}}\n")
    result = fixed(OnPort81, paths=["nginx.conf"])
    if reason is None:
        assert result.changed == {"snippet.conf": b"proxy_read_timeout 60s;\n"}
    else:
        assert result.patch == b""
        assert reasons(result) == {"NGX385": f"its fix changes snippet.conf, and {reason}"}


def test_a_file_outside_that_was_not_named_is_left_alone(folder: Path) -> None:
    outside = folder.parent / "outside.conf"
    outside.write_text("server { listen 81; proxy_read_timeout 1s; }\n")
    text = NGINX.replace("http {", "http {\n    include ../outside.conf;")
    (folder / "nginx.conf").write_text(text)
    result = fixed(ShortTimeout)
    assert sorted(result.changed) == ["nginx.conf"]
    for finding, reason in result.unfixed:
        assert finding.path == str(outside)
        assert "outside of the working directory" in reason


def test_a_named_file_outside_is_fixed(folder: Path) -> None:
    outside = folder.parent / "nginx.conf"
    outside.write_text(NGINX)
    result = fixed(ShortTimeout, paths=[str(outside)])
    assert list(result.changed) == [str(outside)]
    assert result.patch.startswith(f"--- a{outside}\n".encode())


def test_templates_are_never_rewritten(folder: Path) -> None:
    (folder / "nginx.conf").write_text(NGINX + "{% if tls %}\n# {{ name }}\n{% endif %}\n")
    result = fixed(ShortTimeout)
    assert (result.patch, result.fixed) == (b"", [])


def test_contents_may_come_from_memory(folder: Path) -> None:
    settings = Settings()
    reader = Overlay({absolute_path("nginx.conf"): NGINX.encode()})

    def find(project: Project) -> list[Finding]:
        return check(project, settings, [ShortTimeout]).findings

    result = fix(["nginx.conf"], settings, find, reader=reader)
    assert b"proxy_read_timeout 60s" in result.changed["nginx.conf"]
    assert not (folder / "nginx.conf").exists()


def test_the_tools_are_here() -> None:
    for tool in ("git", "patch"):
        assert shutil.which(tool), f"{tool} is not installed"
