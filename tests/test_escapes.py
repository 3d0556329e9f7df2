"""A stranger's commit makes gwlint read, show, write and run nothing but what is in the project."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]

SECRET = "root-of-all-evil"
OUTSIDE = f"proxy_read_timeout 5; # {SECRET}\n{SECRET} on;\n"
MAIN = "events {{}}\nhttp {{ server {{ location / {{ proxy_pass http://127.0.0.1:1; {} }} }} }}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository, with a folder beside it that is none of its business."""
    folder = tmp_path / "project"
    (tmp_path / "outside" / "deep").mkdir(parents=True)
    (tmp_path / "outside" / "nginx.conf").write_text(OUTSIDE)
    (tmp_path / "outside" / "deep" / "x.conf").write_text(OUTSIDE)
    subprocess.run(["git", "init", "-q", folder], check=True)
    return folder


def seen(gwlint: Command, project: Path, *arguments: str) -> str:
    """All that a check of the project shows."""
    run = gwlint("check", "--profile", "strict", *arguments, cwd=project)
    return str(run.text + run.stderr)


INCLUDES = {
    "relative": "include ../outside/nginx.conf;",
    "relative glob": "include ../outside/*.conf;",
    "glob on the way": "include */../../outside/*.conf;",
    "glob of the parent": "include ../*/nginx.conf;",
    "absolute": "include {outside}/nginx.conf;",
    "absolute glob": "include {outside}/*;",
    "absolute by way of the project": "include {project}/../outside/nginx.conf;",
    "quoted": 'include "../outside/nginx.conf";',
    "in a map": "} } map $uri $x { include ../outside/nginx.conf; } server { location /b {",
    "as if deployed": "include /etc/nginx/../../../{outside}/nginx.conf;",
}


@pytest.mark.parametrize("include", INCLUDES.values(), ids=INCLUDES)
@pytest.mark.parametrize("argument", [".", "nginx.conf"])
def test_an_include_does_not_lead_out(
    gwlint: Command, project: Path, include: str, argument: str
) -> None:
    text = include.replace("{outside}", str(project.parent / "outside"))
    text = text.replace("{project}", str(project))
    (project / "nginx.conf").write_text(MAIN.format(text))
    shown = seen(gwlint, project, argument)
    assert "nginx.conf" in shown
    assert SECRET not in shown
    assert "outside/nginx.conf" not in seen(gwlint, project, argument, "--format=json").replace(
        text.strip(";"), ""
    )


@pytest.mark.parametrize("target", ["../outside/nginx.conf", "{outside}/nginx.conf"])
@pytest.mark.parametrize("name", ["nginx.conf", "nginx/sites-enabled/app", "haproxy.cfg"])
def test_a_link_out_of_the_project_is_told_and_neither_read_nor_fixed(
    gwlint: Command, project: Path, name: str, target: str
) -> None:
    link = project / name
    link.parent.mkdir(parents=True, exist_ok=True)
    target = target.replace("{outside}", str(project.parent / "outside"))
    link.symlink_to(target if target[0] == "/" else "../" * name.count("/") + target)
    run = gwlint("check", "--profile", "strict", "--format", "json", cwd=project)
    assert [file["status"] for file in run.json["files"]] == ["unreadable"]
    assert run.code == 1
    assert f"{name}: cannot be read: it leads out of the project, to " in run.stderr
    assert SECRET not in run.text + run.stderr
    fixed = gwlint("fix", "--write", "--unsafe", cwd=project)
    assert SECRET not in fixed.text + fixed.stderr
    assert (project.parent / "outside" / "nginx.conf").read_text() == OUTSIDE


def test_an_included_link_out_of_the_project_is_told(gwlint: Command, project: Path) -> None:
    (project / "nginx.conf").write_text(MAIN.format("include sites/*;"))
    (project / "sites").mkdir()
    (project / "sites" / "environment").symlink_to("/proc/self/environ")
    (project / "sites" / "app").symlink_to("../../outside/nginx.conf")
    shown = seen(gwlint, project)
    assert "sites/app: cannot be read: it leads out of the project, to " in shown
    assert "sites/environment: cannot be read: it leads out of the project, to /proc/" in shown
    assert SECRET not in shown
    assert "PATH=" not in shown


def test_a_link_to_a_folder_outside_is_told_and_not_searched(
    gwlint: Command, project: Path
) -> None:
    (project / "nginx.conf").write_text(MAIN.format("include linked/*.conf;"))
    (project / "linked").symlink_to("../outside")
    shown = seen(gwlint, project)
    assert "gwlint: linked: not read: it leads out of the project, to " in shown
    assert SECRET not in shown


def test_what_is_named_is_read(gwlint: Command, project: Path) -> None:
    (project / "nginx.conf").symlink_to("../outside/nginx.conf")
    assert SECRET in seen(gwlint, project, "nginx.conf")
    assert SECRET in seen(gwlint, project, "../outside")
    assert SECRET in seen(gwlint, project, ".", "../outside")


def test_links_within_the_project_are_read(gwlint: Command, project: Path) -> None:
    for folder in ("sites-available", "sites-enabled", "snippets"):
        (project / "nginx" / folder).mkdir(parents=True)
    (project / "nginx" / "nginx.conf").write_text(MAIN.format("include sites-enabled/*;"))
    (project / "shared").mkdir()
    (project / "shared" / "a").write_text("proxy_read_timeout 5;\n")
    (project / "nginx" / "sites-available" / "a").symlink_to("../../shared/a")
    (project / "nginx" / "sites-enabled" / "a").symlink_to("../sites-available/a")
    outer = project.parent / "by-link"
    outer.symlink_to(project)
    for place, argument in ((project, "."), (project / "nginx", "."), (outer, "nginx/nginx.conf")):
        run = gwlint("check", argument, "--format", "json", cwd=place)
        files = {Path(file["path"]).name: file["status"] for file in run.json["files"]}
        assert files == {"nginx.conf": "ok", "a": "ok"}, (place, argument)
    run = gwlint("check", outer, "--format", "json", cwd=project.parent)
    assert {file["status"] for file in run.json["files"]} == {"ok"}
    assert len(run.json["files"]) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes in /etc")
def test_folders_of_the_machine_may_link_to_others(gwlint: Command, tmp_path: Path) -> None:
    machine = Path("/etc/gwlint-test-nginx")
    (tmp_path / "50-x.conf").write_text("env HOME;\n")
    try:
        (machine / "modules-enabled").mkdir(parents=True)
        (machine / "modules-enabled" / "50-x.conf").symlink_to(tmp_path / "50-x.conf")
        (machine / "nginx.conf").write_text("include modules-enabled/*.conf;\nevents {}\n")
        run = gwlint("check", "--format", "json", machine)
        assert {file["status"] for file in run.json["files"]} == {"ok"}
        assert len(run.json["files"]) == 2
        assert "cannot be read" not in run.stderr
    finally:
        shutil.rmtree(machine)


@pytest.mark.parametrize("local", ["../outside", "{outside}", "./linked"])
def test_path_map_leads_out_only_where_its_file_is_named(
    gwlint: Command, project: Path, local: str
) -> None:
    local = local.replace("{outside}", str(project.parent / "outside"))
    (project / "linked").symlink_to("../outside")
    (project / "nginx.conf").write_text(MAIN.format("include /srv/nginx.conf;"))
    (project / "gwlint.yaml").write_text(f"path_map: {{/srv: {local}}}\n")
    run = gwlint("check", cwd=project)
    assert run.code == 2
    assert "gwlint.yaml:1:12: leads out of the project, to " in run.stderr
    assert "--config" in run.stderr
    if local != "./linked":  # the link is still one
        assert SECRET in seen(gwlint, project, "--config", "gwlint.yaml")


def test_settings_that_are_a_link_out_of_the_project_are_not_quoted(
    gwlint: Command, project: Path
) -> None:
    (project / "nginx.conf").write_text(MAIN.format(""))
    for target in ("../outside/nginx.conf", "/proc/self/environ", "/dev/zero"):
        (project / "gwlint.yaml").unlink(missing_ok=True)
        (project / "gwlint.yaml").symlink_to(target)
        run = gwlint("check", cwd=project)
        assert run.code == 2
        assert "gwlint.yaml" in run.stderr
        assert SECRET not in run.stderr
        assert "PATH" not in run.stderr


def test_special_files_do_not_block(gwlint: Command, project: Path) -> None:
    (project / "nginx.conf").write_text(MAIN.format("include snippets/*;"))
    (project / "snippets").mkdir()
    os.mkfifo(project / "snippets" / "pipe.conf")
    os.mkfifo(project / "haproxy.cfg")
    (project / "snippets" / "zero.conf").symlink_to("/dev/zero")
    (project / "snippets" / "itself.conf").symlink_to("itself.conf")
    (project / "snippets" / "upwards").symlink_to("..")
    shutil.rmtree(project / ".git")
    os.mkfifo(project / ".gitignore")
    (project / "snippets" / ".gitignore").symlink_to("/dev/zero")
    shown = seen(gwlint, project)
    assert "snippets/pipe.conf: cannot be read: a FIFO" in shown
    assert "snippets/zero.conf: cannot be read" in shown


def test_a_second_name_of_a_file_outside_is_not_written(gwlint: Command, project: Path) -> None:
    """A hard link cannot be told from a file of the project; nothing is lost by not writing it."""
    outside = project.parent / "outside" / "other.conf"
    outside.write_text(MAIN.format("proxy_http_version 1.0; proxy_read_timeout 30m m;"))
    (project / "nginx.conf").hardlink_to(outside)
    before = outside.read_bytes()
    gwlint("fix", "--write", "--unsafe", "--profile", "strict", cwd=project)
    assert outside.read_bytes() == before


def test_a_revision_of_git_leads_nowhere_else(gwlint: Command, project: Path) -> None:
    (project / "nginx.conf").write_text(MAIN.format("include a.conf; include ../outside/*;"))
    (project / "a.conf").symlink_to("../outside/nginx.conf")
    (project / "haproxy.cfg").symlink_to("../outside/nginx.conf")
    git = ["git", "-C", project, "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    assert SECRET not in seen(gwlint, project, "--diff-base", "HEAD")


def test_the_patch_stays_in_the_working_folder(gwlint: Command, project: Path) -> None:
    """A name is no path: whatever a file is called, the patch changes that file."""
    folder = project / "sites-enabled"
    folder.mkdir()
    names = ("a b.conf", "x..conf", "--x.conf", "+++ b", "é\n.conf", "a\tb.conf")
    for name in names:
        (folder / name).write_text("server {\n    # gwlint: ignore[NGX401]\n    listen 80;\n}\n")
    patch = gwlint("fix", cwd=project).stdout
    command = ["git", "apply", "--numstat", "-z"]
    listed = subprocess.run(command, input=patch, cwd=project, capture_output=True, check=True)
    paths = [line.split(b"\t", 2)[2] for line in listed.stdout.split(b"\0") if line]
    assert sorted(map(os.fsdecode, paths)) == sorted(f"sites-enabled/{name}" for name in names)


@pytest.mark.parametrize(
    "line",
    [
        "lua-load {script}",
        '"lua-load" {script}',
        "lua\\x2dload {script}",
        '"${{LOAD}}" {script}',
        '"${{NONE}}lua-load" {script}',
        '"${{NONE-lua-load}}" {script}',
        "lua-load-per-thread {script}",
    ],
)
def test_what_haproxy_would_run_while_it_tests_is_not_run(
    gwlint: Command, project: Path, line: str
) -> None:
    proof = project / "proof"
    script = project / "x.lua"
    script.write_text(f'io.open("{proof}", "w"):close()\n')
    haproxy = project / "haproxy.cfg"
    haproxy.write_text(
        f"global\n    setenv LOAD lua-load\n    {line.format(script=script)}\n"
        "defaults\n    mode http\n    timeout connect 5s\n    timeout client 30\n"
        "    timeout server 30\nfrontend f\n    bind :8080\n    default_backend b\n"
        "backend b\n    server s 127.0.0.1:80\n"
    )
    run = gwlint("fix", "--unsafe", "haproxy.cfg", cwd=project)
    assert "+    timeout client 30s" in run.text, run.stderr
    assert not proof.exists()


def test_a_filter_with_a_configuration_of_its_own_is_not_loaded(
    gwlint: Command, project: Path
) -> None:
    (project / "haproxy.cfg").write_text(
        "defaults\n    mode http\n    timeout connect 5s\n    timeout client 30\n"
        "    timeout server 30\nfrontend f\n    bind :8080\n"
        "    filter spoe engine x config /etc/passwd\n    default_backend b\n"
        "backend b\n    server s 127.0.0.1:80\n"
    )
    run = gwlint("fix", "--unsafe", "haproxy.cfg", cwd=project)
    assert "+    timeout client 30s" in run.text
    assert "root:" not in run.text + run.stderr
