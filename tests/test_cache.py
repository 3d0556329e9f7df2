"""The cache never changes what gwlint says: each test compares with a run that does not use it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import traceback
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import GWLINT, Run
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from gwlint.cache.shelf import MOST_FILES, Shelf
from gwlint.cli.checking import Effort, Printing, run_check
from gwlint.cli.inputs import Inputs
from gwlint.cli.main import main
from gwlint.registry import all_rules
from gwlint.report.formats import FORMATS

SITE = """\
upstream {name} {{
    server 127.0.0.1:{port};
    keepalive 8;
}}
server {{
    listen 8080;
    server_name {name}.test;
    keepalive_timeuot 5s;
    location / {{
        proxy_pass http://{name};
    }}
}}
"""
MAIN = """\
events {}
http {
    include sites/*.conf;
    include extra.conf;
    include /srv/shared/common.conf;
}
"""
HAPROXY = """\
defaults
    mode http
    timeout connect 5s
frontend web
    bind :8081
    default_backend app
backend app
    server one 127.0.0.1:9001
"""
SETTINGS = "path_map:\n  /srv/shared: ./.shared\n"


class Seen(NamedTuple):
    """All that a run shows: how it ended, both streams, and the files that it wrote."""

    code: int
    stdout: bytes
    stderr: bytes
    files: dict[str, bytes]


class Project:
    """A tree with includes, links and a repository, and the commands that are run in it."""

    def __init__(self, folder: Path) -> None:
        self.outer = folder / "outer"
        self.tree = self.outer / "tree"
        self.cache = folder / "cache"
        self._reports = folder / "reports"
        self._reports.mkdir()
        self.write("nginx/nginx.conf", MAIN)
        self.write("nginx/sites/a.conf", SITE.format(name="aa", port=9001))
        self.write("nginx/other.txt", SITE.format(name="bb", port=9002))
        self.write("nginx/another.txt", SITE.format(name="cc", port=9003))
        (self.tree / "nginx/sites/linked.conf").symlink_to("../other.txt")
        self.write(".shared/common.conf", "proxy_connect_timeout 5s;\n")
        self.write("haproxy/haproxy.cfg", HAPROXY)
        self.write("gwlint.yaml", SETTINGS)
        subprocess.run(["git", "init", "-q", self.tree], check=True)

    def write(self, path: str, text: str) -> None:
        file = self.tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, *arguments: str, cwd: str = ".", formats: bool = True) -> Seen:
        """`gwlint check` in a process that was forked from this one, which has all modules."""
        for old in self._reports.iterdir():
            old.unlink()
        wanted = [f"--format={name}:{self._reports / name}" for name in FORMATS if name != "text"]
        words = ["check", *arguments, *([*wanted, "--format=text"] if formats else [])]
        out, err = self._reports / "stdout", self._reports / "stderr"
        child = os.fork()
        if child == 0:
            _become(words, self.tree / cwd, out, err, self.cache)
        _, status = os.waitpid(child, 0)
        stdout, stderr = out.read_bytes(), err.read_bytes()
        assert b"Traceback" not in stderr, stderr.decode()
        assert b"internal error" not in stderr, stderr.decode()
        files = {
            one.name: one.read_bytes() for one in self._reports.iterdir() if one not in (out, err)
        }
        return Seen(os.waitstatus_to_exitcode(status), stdout, stderr, files)

    def same(self, *arguments: str, cwd: str = ".", formats: bool = True) -> Seen:
        """What a run shows that may use the cache; it is what one without shows."""
        seen = self.run(*arguments, cwd=cwd, formats=formats)
        assert seen == self.run("--no-cache", *arguments, cwd=cwd, formats=formats)
        return seen

    def entries(self) -> dict[str, int]:
        """The files of the cache, each with its inode: a new one is a new outcome."""
        return {one.name: one.stat().st_ino for one in self.cache.iterdir()}

    def is_repeated(self, *arguments: str, cwd: str = ".", formats: bool = True) -> bool:
        """Whether a run prints what was kept, and what it shows is right."""
        before = self.entries()
        self.same(*arguments, cwd=cwd, formats=formats)
        return self.entries() == before


def _become(words: list[str], cwd: Path, out: Path, err: Path, cache: Path) -> None:
    """Turn a forked process into the command; it never comes back."""
    code = 70
    try:
        for descriptor, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        os.chdir(cwd)
        for name in [name for name in os.environ if name.startswith(("GITHUB_", "CI_", "GIT_"))]:
            del os.environ[name]
        os.environ["GWLINT_CACHE_DIR"] = str(cache)
        sys.argv = ["gwlint", *words]
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@pytest.fixture(scope="module", autouse=True)
def _everything_is_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """So that the processes which are forked from this one need not."""
    all_rules()
    folder = tmp_path_factory.mktemp("first")
    for name, text in (("nginx.conf", f"http {{\n{SITE}}}\n"), ("haproxy.cfg", HAPROXY)):
        (folder / name).write_text(text)
    reports = tuple(f"{name}:{folder / name}" for name in FORMATS)
    run_check(Inputs((str(folder),)), Printing(reports, quiet=True), effort=Effort(False))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_an_unchanged_tree_is_not_checked_again(project: Project) -> None:
    first = project.same()
    assert first.code == 1
    assert b"nginx/sites/a.conf" in first.stdout
    assert set(first.files) == set(FORMATS) - {"text"}
    assert len(project.entries()) == 1
    assert project.is_repeated()
    assert project.is_repeated("--fail-on=never") is False
    assert project.is_repeated("--fail-on=never")
    assert project.is_repeated(), "an outcome with other options takes no other one's place"


def _edit(path: str, text: str) -> Callable[[Project], None]:
    return lambda project: project.write(path, text)


def _edit_unseen(project: Project) -> None:
    """Another content of the same size and the same times."""
    file = project.tree / "nginx/sites/a.conf"
    before = file.stat()
    file.write_text(file.read_text().replace("keepalive 8", "keepalive 7"))
    assert file.stat().st_size == before.st_size
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _remove(project: Project) -> None:
    (project.tree / "nginx/sites/a.conf").unlink()


def _turn_link(project: Project) -> None:
    link = project.tree / "nginx/sites/linked.conf"
    link.unlink()
    link.symlink_to("../another.txt")


def _break_link(project: Project) -> None:
    (project.tree / "nginx/other.txt").unlink()


def _replace_by_fifo(project: Project) -> None:
    file = project.tree / "nginx/sites/a.conf"
    file.unlink()
    os.mkfifo(file)


def _rename_folder(project: Project) -> None:
    (project.tree / "nginx/sites").rename(project.tree / "nginx/gone")


def _rename_tree(project: Project) -> None:
    (project.tree / "nginx").rename(project.tree / "proxy")


def _link_folder(project: Project) -> None:
    (project.tree / "nginx/sites").rename(project.outer / "moved")
    (project.tree / "nginx/sites").symlink_to(project.outer / "moved")


def _exclude(project: Project) -> None:
    (project.tree / ".git/info/exclude").write_text("haproxy.cfg\n")


CHANGES: dict[str, Callable[[Project], None]] = {
    "an included file": _edit("nginx/sites/a.conf", SITE.format(name="dd", port=9009)),
    "a file that matches the glob": _edit("nginx/sites/z.conf", SITE.format(name="zz", port=99)),
    "a file that was looked for in vain": _edit("nginx/extra.conf", "proxy_http_version 1.1;\n"),
    "a file behind path_map": _edit(".shared/common.conf", "proxy_read_timeout 1s\n"),
    "content, with size and time kept": _edit_unseen,
    "a file that disappears": _remove,
    "a link that leads elsewhere": _turn_link,
    "a link that leads nowhere": _break_link,
    "a file that cannot be read": _replace_by_fifo,
    "a folder that is renamed": _rename_folder,
    "a tree that is renamed": _rename_tree,
    "a folder that becomes a link": _link_folder,
    "gwlint.yaml": _edit("gwlint.yaml", SETTINGS + "ignore: [HAP]\n"),
    "another gwlint.yaml": _edit("nginx/.gwlint.yaml", "profile: strict\n"),
    "per_file_ignores": _edit("gwlint.yaml", SETTINGS + "per_file_ignores: {nginx/: [NGX]}\n"),
    ".gitignore": _edit(".gitignore", "haproxy/\n"),
    ".gitignore of a folder": _edit("haproxy/.gitignore", "*.cfg\n"),
    ".git/info/exclude": _exclude,
    "a suppression": _edit(
        "haproxy/haproxy.cfg", "# gwlint: ignore-file[HAP] they know\n" + HAPROXY
    ),
    "one more HAProxy file": _edit("haproxy/more.cfg", "backend more\n    server m 127.0.0.1:1\n"),
    "a file that is no longer of HAProxy": _edit("haproxy/haproxy.cfg", "[main]\nkey = value\n"),
    "a template": _edit("nginx/sites/a.conf", "server {{ '{{' }} name {{ '}}' }};\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_seen(project: Project, change: Callable[[Project], None]) -> None:
    before = project.run()
    change(project)
    after = project.same()
    assert after != before, "the change shall be one that shows"


def test_a_settings_file_that_appears_above_is_seen(project: Project) -> None:
    (project.tree / "gwlint.yaml").unlink()
    before = project.run()
    (project.outer / "gwlint.yaml").write_text("ignore: [HAP]\n")
    assert project.same() != before


OPTIONS = (
    "--target=nginx=1.30.0",
    "--select=keepalive",
    "--profile=strict",
    "--profile=security",
    "--fail-on=error",
    "--quiet",
    "--config=none.yaml",
    "nginx",
    "haproxy/haproxy.cfg",
    "haproxy/haproxy.cfg --dialect=nginx",
    "nginx haproxy",
    "--no-color",
)


def test_each_option_has_its_own_outcome(project: Project) -> None:
    """All in one cache, where one could take the place of another; the last one looks the same."""
    project.write("none.yaml", "ignore: [HAP]\n")
    project.run(formats=False)
    for number, options in enumerate(OPTIONS, 1):
        project.same(*options.split(), formats=False)
        assert len(project.entries()) == min(number + 1, len(OPTIONS)), options
    for options in OPTIONS:
        assert project.is_repeated(*options.split(), formats=False), options


def test_the_working_folder_decides_about_paths(project: Project) -> None:
    absolute = str(project.tree / "haproxy")
    here = project.same(absolute)
    there = project.same(absolute, cwd="haproxy")
    assert here.stdout != there.stdout
    assert project.is_repeated(absolute)
    assert project.is_repeated(absolute, cwd="haproxy")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_seen(project: Project) -> None:
    before = project.run()
    (project.tree / "nginx/sites/a.conf").chmod(0)
    assert project.same() != before
    assert project.is_repeated()


def test_nothing_is_kept_of_runs_that_fail_or_are_not_to_be_kept(project: Project) -> None:
    project.run("--no-cache")
    assert project.run("missing.conf").code == 2
    assert project.run("--select=NGX999").code == 2
    baseline = str(project.outer / "baseline.json")
    assert project.run("--write-baseline", baseline).code == 0
    assert b"known before" in project.same("--baseline", baseline).stdout
    assert not project.cache.exists()


def test_standard_input_is_not_kept(gwlint: Callable[..., Run], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run = gwlint("check", "-", stdin=HAPROXY.encode(), GWLINT_CACHE_DIR=str(cache))
    assert run.code == 1
    assert not cache.exists()


def _forge(document: object) -> bytes:
    return zlib.compress(json.dumps(document).encode())


BROKEN = (
    b"",
    b"no archive",
    zlib.compress(b"{"),
    zlib.compress(b"[" * 100_000),
    zlib.compress(b"\xff"),
    _forge(None),
    _forge({"version": 1}),
    _forge({"version": 1, "questions": {}, "answers": "", "outcome": []}),
)


def test_what_is_broken_is_found_anew(project: Project) -> None:
    fresh = project.run(formats=False)
    (name,) = project.entries()
    entry = project.cache / name
    good = entry.read_bytes()
    for data in (*BROKEN, good[:1], good[:1000], good[:-1]):
        entry.write_bytes(data)
        before = project.entries()
        assert project.run(formats=False) == fresh
        assert project.entries() != before
    assert project.is_repeated(formats=False)


def _spoil(project: Project) -> None:
    """Let the kept report say something else, so that using it would show."""
    for path in project.cache.iterdir():
        document = json.loads(zlib.decompress(path.read_bytes()))
        document["outcome"][1] = ["forged\n"] * len(document["outcome"][1])
        path.write_bytes(_forge(document))


def test_a_cache_that_others_can_write_to_is_not_used(project: Project) -> None:
    project.run()
    _spoil(project)
    assert project.run().stdout == b"forged\n", "so the cache is what this test is about"
    project.cache.chmod(0o777)
    assert b"forged" not in project.same().stdout


def test_only_the_user_can_read_the_cache(project: Project) -> None:
    project.run()
    assert stat.S_IMODE(project.cache.stat().st_mode) == 0o700
    (name,) = project.entries()
    assert stat.S_IMODE((project.cache / name).stat().st_mode) == 0o600


def test_secrets_are_not_kept(project: Project) -> None:
    secret = "hunter2secret"
    project.write("haproxy/haproxy.cfg", f"{HAPROXY}listen s\n    stats auth admin:{secret}\n")
    project.same("--profile=strict")
    (name,) = project.entries()
    assert secret.encode() not in zlib.decompress((project.cache / name).read_bytes())


def test_where_nothing_can_be_kept_the_run_goes_on(project: Project) -> None:
    project.cache.write_text("a file, not a folder")
    assert project.same().code == 1
    assert project.cache.read_text() == "a file, not a folder"


def test_without_a_home_there_is_no_cache(gwlint: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "haproxy.cfg").write_text(HAPROXY)
    no_place = {"GWLINT_CACHE_DIR": "", "XDG_CACHE_HOME": "relative", "HOME": str(tmp_path)}
    assert gwlint("check", "haproxy.cfg", **no_place).code == 1
    assert (tmp_path / ".cache/gwlint").is_dir()
    assert not (tmp_path / "relative").exists()


def test_the_cache_has_a_size(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "cache")
    for number in range(MOST_FILES + 20):
        shelf.put(f"{number:064x}", {"number": number})
        path = tmp_path / "cache" / f"{number:064x}.gwlint-cache"
        os.utime(path, ns=(number * 10**9, number * 10**9))
    shelf.get(f"{20:064x}")
    shelf.put("f" * 64, {})
    assert len(list((tmp_path / "cache").iterdir())) == MOST_FILES
    assert shelf.get(f"{21:064x}") is None, "it was not used for longest"
    assert shelf.get(f"{20:064x}") == {"number": 20}


@pytest.fixture(scope="module")
def copied_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of gwlint that a test may change, laid out as it is installed."""
    root = Path(__file__).resolve().parent.parent
    folder = tmp_path_factory.mktemp("program")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "linter", folder / "gwlint", ignore=ignore)
    shutil.copytree(root / "rules", folder / "gwlint" / "rules", ignore=ignore)
    shutil.copytree(root / "templates", folder / "gwlint" / "templates", ignore=ignore)
    return folder


def test_a_change_of_gwlint_is_seen(
    gwlint: Callable[..., Run], copied_program: Path, tmp_path: Path
) -> None:
    """Also one that keeps the size and the time of the file."""
    (tmp_path / "haproxy.cfg").write_text("backend app\n    srever one 127.0.0.1:9001\n")
    where = {"PYTHONPATH": str(copied_program), "GWLINT_CACHE_DIR": str(tmp_path / "cache")}
    before = gwlint("check", "haproxy.cfg", **where)
    assert "unknown-keyword" in before.text
    file = copied_program / "gwlint/rules/syntax/hap002_unknown_keyword.py"
    times = file.stat()
    text = file.read_text()
    file.write_text(text.replace("severity = Severity.ERROR", "severity = Severity.INFO ", 1))
    assert file.stat().st_size == times.st_size
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = gwlint("check", "haproxy.cfg", PYTHONDONTWRITEBYTECODE="1", **where)
    assert before.text != after.text or _is_stale(copied_program)
    assert len(list((tmp_path / "cache").iterdir())) == 2


def _is_stale(folder: Path) -> bool:
    """Whether Python itself takes the compiled module, which it knows by size and time."""
    return any(folder.glob("gwlint/rules/syntax/__pycache__/hap002*"))


def test_the_installed_command_repeats_itself(gwlint: Callable[..., Run], tmp_path: Path) -> None:
    assert GWLINT.exists()
    (tmp_path / "haproxy.cfg").write_text(HAPROXY)
    runs = [
        gwlint("check", "haproxy.cfg", *options, GWLINT_CACHE_DIR=str(tmp_path / "cache"))
        for options in ([], [], ["--no-cache"])
    ]
    assert runs[0] == runs[1] == runs[2]


NAMES = ("nginx.conf", "sites/a.conf", "sites/b.conf", "extra.conf", "haproxy.cfg", "x/y.conf")
TEXTS = (MAIN, SITE.format(name="aa", port=1), SITE.format(name="bb", port=2), HAPROXY, "server {")
IGNORED = ("", "*.conf\n", "sites/\n", "!a.conf\nhaproxy.cfg\n")
KEYS = ("", "ignore: [NGX4]\n", "profile: strict\n", "per_file_ignores: {sites/*: [NGX]}\n")


class Tree(RuleBasedStateMachine):
    """Any changes in any order: what a cached run says is always what a fresh one says."""

    folder: Path
    made = 0

    def __init__(self) -> None:
        super().__init__()
        Tree.made += 1
        base = self.folder / str(Tree.made)
        base.mkdir()
        self.project = Project(base)

    @rule(name=st.sampled_from(NAMES), text=st.sampled_from(TEXTS))
    def write(self, name: str, text: str) -> None:
        path = self.project.tree / "nginx" / name
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
            if not path.parent.exists() or path.parent.is_dir():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)

    @rule(name=st.sampled_from(NAMES))
    def remove(self, name: str) -> None:
        path = self.project.tree / "nginx" / name
        if path.parent.is_dir():
            path.unlink(missing_ok=True)

    @rule(name=st.sampled_from(NAMES), target_name=st.sampled_from(NAMES))
    def link(self, name: str, target_name: str) -> None:
        path = self.project.tree / "nginx" / name
        if path.parent.is_dir():
            path.unlink(missing_ok=True)
            path.symlink_to(self.project.tree / "nginx" / target_name)

    @rule()
    def swap_folders(self) -> None:
        sites, other = (self.project.tree / "nginx" / name for name in ("sites", "x"))
        if sites.exists():
            sites.rename(sites.with_name("swapped"))
        if other.exists():
            other.rename(sites)
        if sites.with_name("swapped").exists():
            sites.with_name("swapped").rename(other)

    @rule(text=st.sampled_from(IGNORED))
    def leave_out(self, text: str) -> None:
        self.project.write(".gitignore", text)

    @rule(text=st.sampled_from(KEYS))
    def configure(self, text: str) -> None:
        self.project.write("gwlint.yaml", SETTINGS + text)

    @rule(path=st.sampled_from((".", "nginx", "nginx/sites", "nginx/nginx.conf")))
    def check(self, path: str) -> None:
        self.project.same(path)


@pytest.fixture
def trees(tmp_path: Path) -> Iterator[type[Tree]]:
    Tree.folder = tmp_path
    yield Tree


def test_any_changes(trees: type[Tree]) -> None:
    run_state_machine_as_test(
        trees,
        settings=settings(
            max_examples=8,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
