"""`--changed-only`, and what `gwlint fix` does with the options of adoption."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_sandbox import FAULTS, Sandbox, haproxy, nginx


def site(name: str) -> str:
    """What a file has that nginx.conf includes: one NGX402 in line 9."""
    return nginx(name).removeprefix("events {}\nhttp {\n").removesuffix("}\n")


@pytest.fixture
def repo(tmp_path: Path) -> Sandbox:
    repo = Sandbox(tmp_path / "repo")
    repo.write("nginx.conf", "events {}\nhttp {\n    include sites/*;\n}\n")
    repo.write("sites/a.conf", site("a"))
    repo.write("sites/b.conf", site("b"))
    repo.write("haproxy.cfg", haproxy("a"))
    repo.commit()
    return repo


def test_findings_of_changed_files_are_listed_new_or_not(repo: Sandbox) -> None:
    run = repo.run("check", *FAULTS, "--changed-only", "--format", "json")
    assert (run.code, run.json["findings"], run.json["summary"]["baselined"]) == (0, [], 0)
    assert len(run.json["files"]) == 4
    repo.write("sites/a.conf", "# changed\n" + site("a"))
    repo.write("haproxy.cfg", "# changed\n" + haproxy("a"))
    assert repo.new("--changed-only") == ["haproxy.cfg:17:HAP501", "sites/a.conf:10:NGX402"]
    assert repo.new("--changed-only", "--diff-base", "HEAD") == []
    repo.git("add", "--all")
    assert len(repo.new("--changed-only")) == 2
    before = repo.git("rev-parse", "HEAD").strip()
    repo.commit()
    assert repo.new("--changed-only") == []
    repo.write("sites/b.conf", site("b") + site("z"))
    assert repo.new("--changed-only", "--diff-base", before) == ["sites/b.conf:21:NGX402"]


def test_untracked_moved_and_ignored_files_are_changed(repo: Sandbox) -> None:
    repo.write("sites/c.conf", site("c"))
    (repo.top / "sites/a.conf").rename(repo.top / "sites/moved.conf")
    expected = ["sites/c.conf:9:NGX402", "sites/moved.conf:9:NGX402"]
    assert repo.new("--changed-only") == expected
    # nginx reads it, whatever git thinks of it.
    repo.write(".gitignore", "c.conf\n")
    assert repo.new("nginx.conf", "--changed-only") == expected


def test_what_is_no_change_of_the_content(repo: Sandbox) -> None:
    (repo.top / "sites/a.conf").touch()
    (repo.top / "sites/b.conf").chmod(0o600)
    repo.write("haproxy.cfg", haproxy("a").replace("\n", "\r\n"))
    assert repo.new("--changed-only") == []


def test_a_fault_that_a_change_causes_elsewhere(repo: Sandbox) -> None:
    """It stands in a file that did not change: --diff-base shows it, --changed-only does not."""
    pool = "upstream a {\n    server 10.0.0.1:3000;\n}\n"
    repo.write("pools/a.conf", pool)
    repo.write("sites/a.conf", site("a").partition("}\n")[2])
    repo.write("nginx.conf", "events {}\nhttp {\n    include pools/*;\n    include sites/*;\n}\n")
    repo.commit()
    repo.write("pools/a.conf", pool.replace("}", "    keepalive 32;\n}"))
    assert repo.new("nginx.conf", "--diff-base", "HEAD") == ["sites/a.conf:5:NGX402"]
    assert repo.new("nginx.conf", "--changed-only") == []


def test_a_file_that_cannot_be_read_counts_if_it_changed(repo: Sandbox) -> None:
    repo.write("old/haproxy.cfg", "global\n".encode("utf-16"))
    repo.commit()
    for options in (["--changed-only"], ["--diff-base", "HEAD"]):
        assert repo.run("check", *FAULTS, *options).code == 0
    repo.write("old/haproxy.cfg", "global \n".encode("utf-16"))
    for options in (["--changed-only"], ["--diff-base", "HEAD"]):
        assert repo.run("check", *FAULTS, *options).code == 1
        assert repo.run("check", "old/haproxy.cfg", *options).code == 2


def fixed_files(repo: Sandbox) -> set[str]:
    return set(repo.git("diff", "--name-only").split())


@pytest.mark.parametrize(
    ("options", "fixed"),
    [
        ([], {"sites/a.conf", "sites/b.conf", "haproxy.cfg"}),
        (["--diff-base", "HEAD"], {"sites/b.conf"}),
        (["--changed-only"], {"sites/b.conf"}),
        (["--baseline", "known.json"], {"sites/b.conf"}),
    ],
)
def test_only_what_is_listed_is_fixed(repo: Sandbox, options: list[str], fixed: set[str]) -> None:
    repo.run("check", *FAULTS, "--write-baseline", "known.json")
    repo.commit()
    repo.write("sites/b.conf", site("b") + site("c"))
    repo.git("add", "--all")  # so that the next difference is what gwlint does
    run = repo.run("fix", *FAULTS, "--write", *options)
    assert run.code == 0
    assert fixed_files(repo) == fixed
    both_in_b = 1 if "--diff-base" in options or "--baseline" in options else 2
    assert (repo.top / "sites/b.conf").read_text().count("proxy_http_version") == both_in_b
    # What is not to be fixed is not spoken of.
    assert {
        name for name in ("sites/a.conf", "sites/b.conf", "haproxy.cfg") if name in run.stderr
    } == fixed
    again = repo.run("fix", *FAULTS, *options)
    assert (again.code, again.stdout) == (0, b"")


def test_the_patch_of_a_fix_names_the_same_lines(repo: Sandbox) -> None:
    repo.write("sites/b.conf", site("c") + site("b"))
    run = repo.run("fix", *FAULTS, "--diff-base", "HEAD", "--check")
    assert run.code == 1
    assert run.text.startswith("--- a/sites/b.conf\n+++ b/sites/b.conf\n")
    assert [line for line in run.text.splitlines() if line.startswith("+ ")] == [
        "+            proxy_http_version 1.1;"
    ]
    assert "@@ -7,6 +7,7 @@" in run.text
