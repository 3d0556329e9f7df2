"""`--diff-base`: what is new against a revision, in real repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from shutil import rmtree

import pytest
from git_sandbox import CLEAN, FAULTS, Sandbox, haproxy, nginx

from gwlint.git import renames
from gwlint.git.alignment import aligned_lines
from gwlint.git.repository import repository_of
from gwlint.git.revision import revision_of

CRLF = ("\n", "\r\n")


@pytest.fixture
def repo(tmp_path: Path) -> Sandbox:
    """One fault in each dialect, committed."""
    repo = Sandbox(tmp_path / "repo")
    repo.write("nginx.conf", nginx("a"))
    repo.write("haproxy.cfg", haproxy("a"))
    repo.commit()
    return repo


# What is new


def test_only_what_is_new_is_listed_and_the_rest_counted(repo: Sandbox) -> None:
    assert repo.new() == ["haproxy.cfg:16:HAP501", "nginx.conf:11:NGX402"]
    assert repo.new("--diff-base", "HEAD") == []
    repo.write("nginx.conf", "# moved\n" + nginx("b", "a"))
    repo.write("haproxy.cfg", "\n\n" + haproxy("a", "b").replace("    server", "\tserver "))
    run = repo.run("check", *FAULTS, "--format", "json", "--diff-base", "HEAD")
    found = [(one["path"], one["start"]["line"]) for one in run.json["findings"]]
    assert (run.code, found) == (1, [("haproxy.cfg", 22), ("nginx.conf", 12)])
    assert run.json["summary"]["baselined"] == 2
    assert repo.run("check", *FAULTS, "--diff-base", "HEAD", "--fail-on", "error").code == 0


def test_an_older_commit_and_staged_changes(repo: Sandbox) -> None:
    first = repo.git("rev-parse", "HEAD").strip()
    repo.write("nginx.conf", nginx("a", "b"))
    repo.commit()
    assert repo.new("--diff-base", "HEAD") == []
    assert repo.new("--diff-base", first) == ["nginx.conf:23:NGX402"]
    repo.write("nginx.conf", nginx("a", "b", "c"))
    repo.git("add", "nginx.conf")
    assert repo.new("--diff-base", "HEAD") == ["nginx.conf:35:NGX402"]


def test_of_equal_statements_the_added_one_is_new(repo: Sandbox) -> None:
    """Servers of one kind cannot be told apart by what they say, only by the lines around."""
    text = nginx("a")
    server = text[text.index("    server {\n") : -2]
    repo.write("nginx.conf", text.replace(server, server.replace("name a", "name new") + server))
    assert repo.new("--diff-base", "HEAD") == ["nginx.conf:11:NGX402"]
    repo.write("nginx.conf", text.replace(server, server + server.replace("name a", "name new")))
    assert repo.new("--diff-base", "HEAD") == ["nginx.conf:19:NGX402"]


def test_what_a_comment_hid_is_new_without_it(repo: Sandbox) -> None:
    line = "            proxy_pass http://a;"
    hidden = nginx("a").replace(line, f"{line}  # gwlint: ignore[NGX402] old")
    repo.write("nginx.conf", hidden)
    repo.commit()
    repo.write("nginx.conf", nginx("a"))
    assert repo.new("--diff-base", "HEAD") == ["nginx.conf:11:NGX402"]


def test_a_file_that_no_longer_parses_and_one_that_does_again(repo: Sandbox) -> None:
    repo.write("nginx.conf", nginx("a") + "}\n")
    run = repo.run("check", "--format", "json", "--diff-base", "HEAD")
    assert [one["code"] for one in run.json["findings"]] == ["NGX001"]
    repo.commit()
    assert repo.run("check", "--diff-base", "HEAD").code == 0
    repo.write("nginx.conf", nginx("a"))
    assert repo.new("--diff-base", "HEAD") in ([], ["nginx.conf:11:NGX402"])


def test_the_base_is_read_with_its_own_includes(repo: Sandbox) -> None:
    """A fault that was in an included file, by globs and links as they were then."""
    site = nginx("a").removeprefix("events {}\nhttp {\n").removesuffix("}\n")
    repo.write("nginx.conf", "events {}\nhttp {\n    include sites-enabled/*;\n}\n")
    repo.write("sites-available/a.conf", site)
    (repo.top / "sites-enabled").mkdir()
    (repo.top / "sites-enabled/a.conf").symlink_to("../sites-available/a.conf")
    repo.commit()
    assert repo.new("nginx.conf") == ["sites-enabled/a.conf:9:NGX402"]
    assert repo.new("nginx.conf", "--diff-base", "HEAD") == []
    # Without the link the site is no part of nginx.conf, and with two of them it still is.
    (repo.top / "sites-enabled/b.conf").symlink_to("../sites-available/a.conf")
    assert repo.new("--diff-base", "HEAD") == []
    (repo.top / "sites-enabled/b.conf").unlink()
    repo.write("sites-enabled/b.conf", site.replace(" a", " b").replace("/a;", "/b;"))
    assert repo.new("--diff-base", "HEAD") == ["sites-enabled/b.conf:9:NGX402"]


def test_settings_are_those_of_today(repo: Sandbox) -> None:
    """A rule that is switched on makes nothing new that was there."""
    repo.write("gwlint.yaml", "ignore: [NGX402]\n")
    repo.commit()
    repo.write("gwlint.yaml", "profile: strict\n")
    assert repo.run("check", "--diff-base", "HEAD", "--fail-on", "info").code == 0


def test_line_endings_of_the_work_tree_do_not_count(repo: Sandbox) -> None:
    repo.git("config", "core.autocrlf", "true")
    repo.write("nginx.conf", nginx("a").replace(*CRLF))
    repo.write("haproxy.cfg", haproxy("a").replace(*CRLF))
    assert repo.git("diff", "--name-only", "HEAD") == ""
    assert repo.new("--diff-base", "HEAD") == []
    assert repo.new("--changed-only") == []
    repo.write("nginx.conf", nginx("b", "a").replace(*CRLF))
    assert repo.new("--diff-base", "HEAD") == ["nginx.conf:11:NGX402"]


def test_standard_input_is_compared_with_the_file_of_its_name(repo: Sandbox) -> None:
    arguments = ("check", "-", "--stdin-filename", "nginx.conf", "--diff-base", "HEAD", *FAULTS)
    assert repo.run(*arguments, stdin=nginx("a").encode()).code == 0
    run = repo.run(*arguments, "--format", "concise", stdin=nginx("a", "b").encode())
    assert run.text.startswith("nginx.conf:23:13: ")
    assert run.text.count("\n") == 1


def test_a_baseline_and_a_revision_both_leave_out_what_they_know(repo: Sandbox) -> None:
    repo.write("nginx.conf", nginx("a", "b"))
    repo.run("check", *FAULTS, "nginx.conf", "--write-baseline", "known.json")
    repo.write("nginx.conf", nginx("a", "b", "c"))
    assert repo.new("--baseline", "known.json") == [
        "haproxy.cfg:16:HAP501",
        "nginx.conf:35:NGX402",
    ]
    assert repo.new("--baseline", "known.json", "--diff-base", "HEAD") == ["nginx.conf:35:NGX402"]
    for option in (["--diff-base", "HEAD"], ["--changed-only"]):
        run = repo.run("check", *option, "--write-baseline", "other.json")
        assert (run.code, (repo.top / "other.json").exists()) == (2, False)
        assert "do not go together" in run.stderr


# Files that come, go and move


def test_files_that_were_deleted_and_added(repo: Sandbox) -> None:
    (repo.top / "haproxy.cfg").unlink()
    repo.write("new/nginx.conf", nginx("z").replace("10.0.0.1", "192.0.2.7"))
    assert repo.new("--diff-base", "HEAD") == ["new/nginx.conf:11:NGX402"]
    assert repo.new("new", "--diff-base", "HEAD") == ["new/nginx.conf:11:NGX402"]


@pytest.mark.parametrize(("tracked", "path"), [(True, "."), (False, "moved")])
def test_a_moved_file_keeps_its_findings(repo: Sandbox, tracked: bool, path: str) -> None:
    (repo.top / "moved").mkdir()
    for before, now in (("nginx.conf", "moved/edge.conf"), ("haproxy.cfg", "moved/haproxy.cfg")):
        if tracked:
            repo.git("mv", before, now)
        else:
            (repo.top / before).rename(repo.top / now)
    assert repo.new(path, "--diff-base", "HEAD") == []
    repo.write("moved/edge.conf", nginx("a", "b"))
    repo.write("moved/haproxy.cfg", haproxy("a", "b"))
    assert repo.new(path, "--diff-base", "HEAD") == [
        "moved/edge.conf:23:NGX402",
        "moved/haproxy.cfg:20:HAP501",
    ]


def test_a_link_that_is_left_behind(repo: Sandbox) -> None:
    """The file goes elsewhere, and the old name leads there."""
    repo.write("old/nginx.conf", nginx("x"))
    repo.run("check", *FAULTS, "--write-baseline", "known.json")
    repo.commit()
    (repo.top / "new").mkdir()
    (repo.top / "old/nginx.conf").rename(repo.top / "new/nginx.conf")
    (repo.top / "old/nginx.conf").symlink_to("../new/nginx.conf")
    for option in (["--diff-base", "HEAD"], ["--baseline", "known.json"]):
        assert repo.new(*option) == []
    (repo.top / "old/nginx.conf").unlink()
    (repo.top / "old").rmdir()
    (repo.top / "old").symlink_to("new")
    for option in (["--diff-base", "HEAD"], ["--baseline", "known.json"]):
        assert repo.new(*option) == []
        assert repo.new("old/nginx.conf", *option) == []


def test_a_copy_is_no_move(repo: Sandbox) -> None:
    repo.write("copy/nginx.conf", nginx("a"))
    assert repo.new("--diff-base", "HEAD") == ["copy/nginx.conf:11:NGX402"]


def test_a_folder_that_moves_and_a_name_that_changes_case(repo: Sandbox) -> None:
    for name in "abcdef":
        repo.write(f"old/{name}/nginx.conf", nginx(name))
    repo.commit()
    (repo.top / "old").rename(repo.top / "new")
    (repo.top / "haproxy.cfg").rename(repo.top / "HAProxy.cfg")
    assert repo.new("--diff-base", "HEAD") == []
    repo.write("new/c/nginx.conf", nginx("c", "d"))
    assert repo.new("--diff-base", "HEAD") == ["new/c/nginx.conf:23:NGX402"]


def test_a_move_among_many_deleted_files(repo: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not all can be compared, files that end alike are."""
    monkeypatch.setattr(renames, "MOST_PAIRS", 5)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for number in range(6):
        repo.write(f"src/{number}.py", nginx("a"))
    repo.commit()
    rmtree(repo.top / "src")
    (repo.top / "nginx.conf").unlink()
    now = {str(repo.top / "edge.conf"): (nginx("a") + "# moved\n").encode()}
    with revision_of(repository_of([str(repo.top)]), "HEAD") as revision:
        moved = renames.moved_files(now, revision)
    assert moved == {str(repo.top / "nginx.conf"): str(repo.top / "edge.conf")}


def test_an_unlike_file_is_no_move(repo: Sandbox) -> None:
    """The same fault in a file of another content, where another one went, is new."""
    other = "".join(f"    map $a $b{number} {{ default {number}; }}\n" for number in range(60))
    (repo.top / "nginx.conf").unlink()
    repo.write("other.conf", nginx("a").replace("http {\n", f"http {{\n{other}"))
    assert repo.new("--diff-base", "HEAD") == ["other.conf:71:NGX402"]


def test_odd_names(repo: Sandbox) -> None:
    latin = os.fsdecode(b"latin-\xe9")
    names = ["with space", "new\nline", 'quo"te', "ümlaut", "tab\there", latin, "*?[x]", "-x"]
    for name in names:
        repo.write(f"odd/{name}/nginx.conf", nginx("x"))
    repo.commit()
    for name in names[::2]:
        folder = repo.top / "odd" / name
        (folder / "nginx.conf").rename(folder / "moved.conf")
    run = repo.run("check", "odd", *FAULTS, "--diff-base", "HEAD", "--format", "json")
    assert (run.code, run.json["summary"]["baselined"]) == (0, len(names))
    assert repo.new("odd/*?[x]/moved.conf", "odd/new\nline", "--diff-base", "HEAD") == []


def test_symbolic_links_of_the_revision_are_followed(repo: Sandbox, tmp_path: Path) -> None:
    repo.write("real/nginx.conf", nginx("x"))
    (repo.top / "absolute").symlink_to(repo.top / "real")
    (repo.top / "loop").symlink_to("loop")
    (repo.top / "outside").symlink_to(tmp_path)
    repo.commit()
    for name in ("absolute", "absolute/nginx.conf", "real"):
        run = repo.run("check", name, *FAULTS, "--diff-base", "HEAD", "--format", "json")
        assert (run.code, run.json["summary"]["baselined"]) == (0, 1), name
    (tmp_path / "link").symlink_to("repo")
    assert repo.new("link/real", "--diff-base", "HEAD", cwd=tmp_path) == []
    # A link that was turned into a copy of its target is a new file.
    (repo.top / "absolute").unlink()
    repo.write("absolute/nginx.conf", nginx("x"))
    assert repo.new("absolute", "--diff-base", "HEAD") == ["absolute/nginx.conf:11:NGX402"]


def test_pointers_of_git_lfs(repo: Sandbox) -> None:
    from hashlib import sha256

    content = nginx("x").encode()
    digest = sha256(content).hexdigest()
    pointer = (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    )
    repo.write("large/nginx.conf", pointer)
    repo.commit()
    # Without Git LFS the pointer itself is in the work tree; it does not parse, as before.
    for option in (["--changed-only"], ["--diff-base", "HEAD"]):
        assert repo.run("check", "large", *option).code == 0
    repo.write("large/nginx.conf", content)
    assert repo.new("large", "--diff-base", "HEAD") == []
    assert repo.new("--changed-only") == []
    repo.write("large/nginx.conf", nginx("x", "y"))
    assert len(repo.new("large", "--diff-base", "HEAD")) == 2  # what was there cannot be known
    store = repo.top / ".git/lfs/objects" / digest[:2] / digest[2:4]
    store.mkdir(parents=True)
    (store / digest).write_bytes(content)
    assert repo.new("large", "--diff-base", "HEAD") == ["large/nginx.conf:23:NGX402"]


def test_what_is_ignored_or_outside(repo: Sandbox, tmp_path: Path) -> None:
    """An included file outside of the repository is as it was; .gitignore of today hides nothing
    that was tracked."""
    repo.write(".gitignore", "haproxy.cfg\n")
    assert repo.new("--diff-base", "HEAD") == []
    (tmp_path / "shared").mkdir()
    site = nginx("s").removeprefix("events {}\nhttp {\n").removesuffix("}\n")
    (tmp_path / "shared/site.conf").write_text(site)
    repo.write("nginx.conf", "events {}\nhttp {\n    include ../shared/site.conf;\n}\n")
    repo.commit()
    assert repo.new("nginx.conf", "--diff-base", "HEAD") == []


# What it costs


def test_one_process_reads_all_files_and_nothing_is_written(repo: Sandbox, tmp_path: Path) -> None:
    for number in range(200):
        repo.write(f"sites/{number}/nginx.conf", nginx(f"app{number}"))
    repo.commit()
    (repo.top / "sites").rename(repo.top / "moved")
    repo.write("moved/7/nginx.conf", nginx("app7", "more"))
    log = tmp_path / "log"
    wrapper = tmp_path / "bin/git"
    wrapper.parent.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, check=True, timeout=60).stdout
    wrapper.write_text(f'#!/bin/sh\necho "$*" >>{log}\nexec {real.decode().strip()} "$@"\n')
    wrapper.chmod(0o755)
    before = _state(repo.top / ".git")
    path = f"{wrapper.parent}{os.pathsep}{CLEAN['PATH']}"
    assert repo.new("--diff-base", "HEAD", PATH=path) == ["moved/7/nginx.conf:23:NGX402"]
    commands = log.read_text().splitlines()
    assert sum("cat-file --batch" in one for one in commands) == 1
    assert len(commands) < 10
    assert _state(repo.top / ".git") == before


def _state(folder: Path) -> dict[str, int]:
    return {str(one): one.stat().st_mtime_ns for one in folder.rglob("*") if one.is_file()}


def test_lines_are_aligned_around_changes() -> None:
    assert aligned_lines(b"a\nb\nc\n", b"a\r\nx\r\nb\r\nc\r\n") == {1: 1, 3: 2, 4: 3, 5: 4}
    assert aligned_lines(b"a\nb\nc", b"b\nz\nc") == {1: 2, 3: 3}
    assert aligned_lines(b"", b"a") == {}
    one, other = (b"".join(b"%d\n" % (n * sign) for n in range(1, 900)) for sign in (1, -1))
    assert aligned_lines(b"a\n" + one + b"z", b"a\nb\n" + other + b"z") == {1: 1, 902: 901}
