"""Finding files, telling what they are, and joining them into roots: on a real file system."""

from __future__ import annotations

import csv
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gwlint.project import (
    ConfigFile,
    Include,
    NginxRoot,
    NoInput,
    Overlay,
    Project,
    Status,
    load_project,
)
from gwlint.project.dialect import dialect_of
from gwlint.project.discovery import nginx_share
from gwlint.project.templates import first_mark
from gwlint.settings import Settings

MAIN = "events {}\nhttp {\n    include conf.d/*.conf;\n}\n"
SITE = "server {\n    listen 80;\n}\n"
HAPROXY = "global\n    maxconn 10\ndefaults\n    mode http\nlisten a\n    bind :80\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def load(*paths: str, settings: Settings | None = None) -> Project:
    return load_project(paths or (".",), settings or Settings())


def paths(project: Project) -> list[str]:
    return [file.path for file in project.files]


def only_root(project: Project) -> NginxRoot:
    assert len(project.nginx_roots) == 1
    return project.nginx_roots[0]


def includes(root: NginxRoot) -> list[tuple[str, list[str], str | None]]:
    return [
        (one.pattern, [file.path for file in one.files], one.problem)
        for one in root.includes.values()
    ]


def only_include(root: NginxRoot) -> Include:
    assert len(root.includes) == 1
    return next(iter(root.includes.values()))


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, timeout=20)


# Finding files


def test_a_folder_is_searched_by_name_and_content(folder: Path) -> None:
    write(
        folder,
        {
            "nginx.conf": MAIN,
            "conf.d/a.conf": SITE,
            "nginx/sites-enabled/example.org": SITE,
            "haproxy.cfg": HAPROXY,
            "lb/edge.cfg": HAPROXY,
            "setup.cfg": "[metadata]\nname = x\n",
            "supervisord.conf": "[program:x]\ncommand = y; z\n",
            "named.conf": 'options { directory "/x"; recursion no; };\nzone "." { type hint; };\n',
            "readme.md": SITE,
            "nginx/notes.txt": SITE,
            "node_modules/x/nginx.conf": MAIN,
            "vendor/nginx.conf": MAIN,
            ".hidden/nginx.conf": MAIN,
        },
    )
    assert paths(load()) == [
        "conf.d/a.conf",
        "haproxy.cfg",
        "lb/edge.cfg",
        "nginx.conf",
        "nginx/sites-enabled/example.org",
    ]


def test_a_named_file_is_read_whatever_it_is(folder: Path) -> None:
    write(folder, {".hidden/x.txt": SITE})
    project = load(".hidden/x.txt")
    assert [(file.path, file.status, file.named) for file in project.files] == [
        (".hidden/x.txt", Status.OK, True)
    ]


def test_a_path_that_does_not_exist_is_no_input(folder: Path) -> None:
    with pytest.raises(NoInput, match=r"gone\.conf"):
        load("gone.conf")


def test_a_folder_without_configurations_is_no_input(folder: Path) -> None:
    write(folder, {"readme.md": "nothing"})
    with pytest.raises(NoInput, match="no nginx or HAProxy configuration"):
        load()


@pytest.mark.parametrize("with_git", [True, False])
def test_what_gitignore_names_is_left_out(folder: Path, with_git: bool) -> None:
    write(
        folder,
        {
            ".gitignore": "build/\n*.local.conf\n!keep.local.conf\n",
            "nginx.conf": MAIN,
            "build/nginx.conf": MAIN,
            "conf.d/a.local.conf": SITE,
            "conf.d/keep.local.conf": SITE,
            "sub/.gitignore": "/nginx.conf\n",
            "sub/nginx.conf": MAIN,
            "sub/deep/nginx.conf": MAIN,
        },
    )
    if with_git:
        git(folder, "init", "-q")
    found = load_project(["."], Settings())
    # a.local.conf is not found, but nginx.conf includes it.
    assert paths(found) == [
        "conf.d/a.local.conf",
        "conf.d/keep.local.conf",
        "nginx.conf",
        "sub/deep/nginx.conf",
    ]


def test_git_knows_excludes_and_tracked_files(folder: Path) -> None:
    write(folder, {"a/nginx.conf": MAIN, "b/nginx.conf": MAIN, ".gitignore": "b\n"})
    git(folder, "init", "-q")
    (folder / ".git/info/exclude").write_text("a\n")
    git(folder, "add", "-f", "b/nginx.conf")
    assert paths(load()) == ["b/nginx.conf"]


def test_an_ignored_clone_inside_is_left_out_and_a_hook_environment_is_no_matter(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, {"nginx.conf": MAIN, "clone/nginx.conf": MAIN, ".gitignore": "clone\n"})
    git(folder, "init", "-q")
    git(folder / "clone", "init", "-q")
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    assert paths(load()) == ["nginx.conf"]


def test_links_to_folders_are_followed_once(folder: Path) -> None:
    write(folder, {"real/nginx.conf": MAIN})
    (folder / "real/loop").symlink_to(folder)
    (folder / "alias").symlink_to(folder / "real")
    (folder / "self").symlink_to("self")
    assert paths(load()) == ["real/nginx.conf"]


def test_a_site_and_the_link_that_enables_it_are_one_file(folder: Path) -> None:
    write(
        folder,
        {
            "nginx.conf": "events {}\nhttp { include sites-enabled/*; }\n",
            "sites-available/a": SITE,
            "sites-enabled/.keep": "",
        },
    )
    (folder / "sites-enabled/a").symlink_to("../sites-available/a")
    project = load()
    assert paths(project) == ["nginx.conf", "sites-available/a"]
    assert includes(only_root(project)) == [("sites-enabled/*", ["sites-available/a"], None)]


# What cannot be read


def test_special_files_are_never_opened(folder: Path) -> None:
    os.mkfifo(folder / "fifo.conf")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("socket.conf")
    (folder / "device.conf").symlink_to("/dev/zero")
    project = load("fifo.conf", "socket.conf", "device.conf")
    listener.close()
    assert [(file.path, file.status, file.reason) for file in project.files] == [
        ("device.conf", Status.UNREADABLE, "a device, not a regular file"),
        ("fifo.conf", Status.UNREADABLE, "a FIFO, not a regular file"),
        ("socket.conf", Status.UNREADABLE, "a socket, not a regular file"),
    ]
    assert project.nginx_roots == []


def test_a_fifo_in_a_folder_is_passed_by(folder: Path) -> None:
    write(folder, {"nginx.conf": MAIN})
    os.mkfifo(folder / "haproxy.cfg")
    assert paths(load()) == ["nginx.conf"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"\x7fELF\0\0\1" * 100, "the first at offset 4"), ("events {}".encode("utf-16"), "UTF-16")],
)
def test_binary_data_is_unreadable(folder: Path, data: bytes, reason: str) -> None:
    (folder / "nginx.conf").write_bytes(data)
    [file] = load().files
    assert file.status is Status.UNREADABLE
    assert reason in file.reason


def test_a_lone_nul_is_a_fault_in_a_text(folder: Path) -> None:
    text = b"global\n    maxconn 100\n\ndefaults\n    mode http\n" + b"    # padding\n" * 20
    (folder / "haproxy.cfg").write_bytes(text + b"\0\n")
    [file] = load().files
    assert file.status is Status.SYNTAX_ERROR
    assert file.tree is not None
    assert [problem.kind for problem in file.tree.errors] == ["nul"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_unreadable(folder: Path) -> None:
    write(folder, {"nginx.conf": MAIN})
    (folder / "nginx.conf").chmod(0)
    [file] = load().files
    assert (file.status, file.reason) == (Status.UNREADABLE, "Permission denied")


def test_latin_1_bytes_are_kept(folder: Path) -> None:
    data = b"# caf\xe9\nevents {}\n"
    (folder / "nginx.conf").write_bytes(data)
    [file] = load().files
    assert file.status is Status.OK
    assert file.source is not None
    assert file.source.data == data


@pytest.mark.parametrize(
    "piece",
    [
        b"%AA%",
        b"a {{ ",
        b"a '{{ b ",
        b"{#",
        b"{# }",
        b"set ",
        b"map $a ",
        b"${A:-",
        b"$AB ",
        b"__A",
        b"@A",
        b"a ; ; ; ;",
        b"a  ",
        b"backend x ",
        b"<%",
        b"'\\",
        b"\n",
    ],
)
def test_telling_what_a_hostile_file_is_comes_to_an_end(piece: bytes) -> None:
    """With half a megabyte, anything quadratic would take many minutes."""
    data = b"a " + piece * (500_000 // len(piece))
    for dialect in ("nginx", "haproxy"):
        first_mark(data, dialect)
    assert dialect_of(data, "x") in ("nginx", "haproxy")
    assert 0.0 <= nginx_share(data) <= 1.0


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"events {" + b" " * 10_000_000 + b"}\n", Status.OK),
        (b"http {\n" * 100_000 + b"}\n" * 100_000, Status.SYNTAX_ERROR),
        (b"events {}\n" + b"include x*;\n" * 2_000, Status.OK),
        (b"# gwlint: context=a" + b" " * 3_000_000 + b"!\ngzip on;\n", Status.OK),
    ],
    ids=["long line", "deep", "many includes", "long comment"],
)
def test_hostile_files_are_loaded(folder: Path, data: bytes, status: Status) -> None:
    (folder / "nginx.conf").write_bytes(data)
    [file] = load().files
    assert file.status is status


# Dialects and templates


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (MAIN, "x.cfg", "nginx"),
        (HAPROXY, "x.conf", "haproxy"),
        ("backend b\n    server a 1:1\n", "x", "haproxy"),
        ("upstream backend {\n    server a;\n}\n", "x.cfg", "nginx"),
        ("", "haproxy.cfg", "haproxy"),
        ("", "a.cfg.j2", "haproxy"),
        ("", "a.conf", "nginx"),
        ("\ufeffglobal\n", "a.conf", "haproxy"),
    ],
)
def test_the_content_tells_the_dialect_and_the_name_only_when_it_does_not(
    data: str, name: str, expected: str
) -> None:
    assert dialect_of(data.encode(), name) == expected


def test_the_option_overrides_the_dialect(folder: Path) -> None:
    write(folder, {"a.cfg": SITE})
    assert load("a.cfg", settings=Settings(dialect="haproxy")).files[0].dialect == "haproxy"


@pytest.mark.parametrize(
    ("text", "dialect", "mark"),
    [
        ("server_name {{ name }};", "nginx", "{{ name }}"),
        ('root "{{ path }}/x";', "nginx", "{{ path }}"),
        ("{% if tls %}\nlisten 443;\n{% endif %}", "nginx", "{% "),
        ("{{- if .Cfg }}", "haproxy", "{{- if .Cfg }}"),
        ("{{- /*\nlong\n*/ -}}", "nginx", "{{"),
        ("user <%= @user %>;", "nginx", "<%= @user %>;"),
        ("listen ${PORT};", "nginx", "${PORT}"),
        ("set $url ${API_URL};", "nginx", "${API_URL}"),
        ("server_name ${HOST};", "nginx", "${HOST}"),
        ("listen %ip%:%web_port%;", "nginx", "%ip%"),
        ("server_name __DOMAIN__;", "nginx", "__DOMAIN__"),
        ("pidfile @PREFIX@/run", "haproxy", "@PREFIX@"),
        # What the servers could have meant.
        ("# server_name {{ name }};", "nginx", None),
        ("listen 80; # {{ port }}", "nginx", None),
        ('log_format j \'{"a":{{"b":1}}\';', "nginx", None),
        ("proxy_set_header Host $HOST;", "nginx", None),
        ("set $MINE 1;\nreturn 200 $MINE;", "nginx", None),
        ("map $uri $TO {\n default 1;\n}\nreturn 200 ${TO};", "nginx", None),
        ("location ~ (?<ID>x) { return 200 $ID; }", "nginx", None),
        ("rewrite ^ /%AA%BB last;", "nginx", None),
        ("try_files $uri @named;", "nginx", None),
        ("content_by_lua_block { local t = {{1, 2}, {a, b}} }", "nginx", None),
        ('bind "${ADDRESS}:80"', "haproxy", None),
        ("log-format %ci:%cp%ci%cp%{+Q}o", "haproxy", None),
        ("http-request deny if { path_beg /a } { src 10.0.0.0/8 }", "haproxy", None),
    ],
)
def test_template_marks(text: str, dialect: str, mark: str | None) -> None:
    data = f"x;\n{text}\n".encode()
    found = first_mark(data, dialect)
    assert (found and data[found[0] : found[1]].decode().partition("\n")[0]) == mark


def test_a_template_is_skipped_with_the_place_of_its_mark(folder: Path) -> None:
    write(folder, {"nginx.conf.j2": "events {}\nhttp {\n  {% if x %}\n}\n"})
    project = load()
    [file] = project.files
    assert (file.status, file.tree) == (Status.SKIPPED_TEMPLATE, None)
    assert file.marker is not None
    assert file.marker.begin_position.line == 3
    assert "line 3" in file.reason
    assert project.nginx_roots == []


# nginx roots


def test_includes_count_from_the_main_file_and_are_sorted(folder: Path) -> None:
    write(
        folder,
        {
            "nginx.conf": MAIN,
            "conf.d/b.conf": "include snippets/x.conf;\n",
            "conf.d/B.conf": SITE,
            "conf.d/.hidden.conf": SITE,
            "snippets/x.conf": SITE,
            "conf.d/snippets/x.conf": "wrong;\n",
        },
    )
    project = load("nginx.conf")
    root = only_root(project)
    assert includes(root) == [
        ("conf.d/*.conf", ["conf.d/B.conf", "conf.d/b.conf"], None),
        ("snippets/x.conf", ["snippets/x.conf"], None),
    ]
    assert (root.context, root.is_fragment) == ("main", False)
    assert [file.path for file in root.files] == [
        "nginx.conf",
        "conf.d/B.conf",
        "conf.d/b.conf",
        "snippets/x.conf",
    ]


def test_a_file_included_twice_is_read_once(folder: Path) -> None:
    write(folder, {"nginx.conf": "events {}\nhttp { include a; include a; }\n", "a": SITE})
    project = load("nginx.conf")
    first, second = only_root(project).includes.values()
    assert first.files == second.files
    assert paths(project) == ["a", "nginx.conf"]


def test_problems_of_includes(folder: Path) -> None:
    write(
        folder,
        {
            "nginx.conf": "events {}\ninclude gone.conf;\ninclude none/*.conf;\n"
            "include /usr/share/none.conf;\ninclude dir;\n",
            "dir/x": "",
        },
    )
    assert includes(only_root(load("nginx.conf"))) == [
        ("gone.conf", [], "not-found"),
        ("none/*.conf", [], None),
        ("/usr/share/none.conf", [], "outside"),
        ("dir", ["dir"], "unreadable"),
    ]


def test_cycles_are_cut_and_reported(folder: Path) -> None:
    write(
        folder,
        {
            "nginx.conf": "events {}\ninclude a;\n",
            "a": "include b;\n",
            "b": "include a;\ninclude *;\n",
        },
    )
    root = only_root(load("nginx.conf"))
    found = {(one.directive.source.path, one.pattern): one for one in root.includes.values()}
    assert found["b", "a"].problem == "cycle"
    assert found["b", "*"].problem == "cycle"
    assert found["b", "*"].files == ()
    assert found["nginx.conf", "a"].problem is None


def test_includes_that_double_at_each_step_are_cut(folder: Path) -> None:
    steps = {f"s{n}": f"include s{n + 1};\ninclude s{n + 1};\n" for n in range(40)}
    write(folder, {"nginx.conf": "events {}\ninclude s0;\n", **steps, "s40": "user x;\n"})
    root = only_root(load("nginx.conf"))
    assert "too-many" in {one.problem for one in root.includes.values()}
    expanded: dict[str, int] = {}

    def count(file: ConfigFile) -> int:
        if file.path not in expanded:
            own = [one for one in root.includes.values() if one.directive.source is file.source]
            expanded[file.path] = 1 + sum(count(inner) for one in own for inner in one.files)
        return expanded[file.path]

    assert count(root.main) <= 50_000


def test_a_long_chain_of_includes_is_followed(folder: Path) -> None:
    write(folder, {f"c{n}": f"include c{n + 1};\n" for n in range(600)})
    write(folder, {"nginx.conf": "events {}\ninclude c0;\n", "c600": "user x;\n"})
    assert len(only_root(load("nginx.conf")).files) == 602


def test_path_map_brings_absolute_includes_home(folder: Path) -> None:
    write(folder, {"main.conf": "events {}\nhttp { include /srv/web/*.conf; }\n", "w/a.conf": SITE})
    settings = Settings(path_map={"/srv/web": str(folder / "w")})
    include = only_include(only_root(load("main.conf", settings=settings)))
    assert ([file.path for file in include.files], include.assumed) == (["w/a.conf"], False)


def test_etc_nginx_is_assumed_to_be_the_folder_of_nginx_conf(folder: Path) -> None:
    text = "events {}\nhttp { include /etc/nginx/conf.d/*.conf; }\n"
    write(folder, {"nginx.conf": text, "other.conf": text, "conf.d/gw-a.conf": SITE})
    include = only_include(only_root(load("nginx.conf")))
    assert ([file.path for file in include.files], include.assumed) == (["conf.d/gw-a.conf"], True)
    assert only_include(only_root(load("other.conf"))).problem == "outside"


def test_absolute_includes_inside_of_the_project_are_read(folder: Path) -> None:
    write(
        folder,
        {"n/main.conf": f"events {{}}\ninclude {folder}/n/a.conf;\n", "n/a.conf": "user x;\n"},
    )
    assert [file.path for file in only_root(load("n/main.conf")).files] == [
        "n/main.conf",
        "n/a.conf",
    ]


def test_entries_included_into_a_map_are_entries(folder: Path) -> None:
    write(
        folder,
        {
            "nginx.conf": "events {}\nhttp { map $uri $x { include m.map; } }\n",
            "m.map": "/a 1;\n/b 2;\n",
        },
    )
    [included] = only_include(only_root(load("nginx.conf"))).files
    assert included.tree is not None
    assert [one.is_entry for one in included.tree.directives] == [True, True]  # type: ignore[union-attr]


def test_a_fragment_s_includes_are_looked_for_upwards(folder: Path) -> None:
    write(
        folder,
        {
            "etc/sites-enabled/a.conf": "include snippets/s.conf;\ninclude fastcgi_params;\n",
            "etc/snippets/s.conf": "listen 80;\n",
        },
    )
    project = load("etc")
    found, missing = only_root(project).includes.values()
    assert ([file.path for file in found.files], found.assumed) == (["etc/snippets/s.conf"], True)
    assert missing.problem == "outside"


def test_fragments_that_include_each_other_have_one_root(folder: Path) -> None:
    write(folder, {"a.conf": "include b.conf;\n" + SITE, "b.conf": "include a.conf;\n" + SITE})
    root = only_root(load("a.conf", "b.conf"))
    assert root.main.path == "a.conf"


def test_a_main_file_may_hold_nothing_but_includes(folder: Path) -> None:
    write(
        folder, {"top.conf": "user x;\ninclude inner.conf;\n", "inner.conf": "events {}\nhttp {}\n"}
    )
    root = only_root(load("top.conf"))
    assert (root.context, root.is_fragment) == ("main", False)


@pytest.mark.parametrize(
    ("text", "context"),
    [
        (SITE, "http"),
        ("upstream a {\n server b;\n}\n", "http"),
        ("listen 80;\nserver_name a;\n", "http server"),
        ("location / {\n proxy_pass http://a;\n}\n", "http server"),
        ("proxy_pass http://a;\n", "location"),
        ("server {\n listen 53 udp;\n proxy_pass dns;\n}\n", "stream"),
        ("proxy_pass a;\nlisten 1;\n", "stream server"),
        ("server 10.0.0.1:80 weight=2;\n", "http upstream"),
        ("user x;\nworker_processes 2;\n", "main"),
        ("proxy_set_header Host $host;\n", "http"),
        ("server {\n}\nlocation / {\n}\n", "unknown"),
        ("nobody_knows_this on;\n", "unknown"),
        ("", "unknown"),
        ("# gwlint: context=http server\nproxy_set_header Host $host;\n", "http server"),
        ("# gwlint: context=nonsense\nproxy_set_header Host $host;\n", "http"),
    ],
)
def test_the_context_of_a_fragment(folder: Path, text: str, context: str) -> None:
    write(folder, {"x.conf": text})
    root = only_root(load("x.conf"))
    assert (root.context, root.is_fragment) == (context, True)


def test_settings_give_a_context_and_the_comment_goes_first(folder: Path) -> None:
    write(folder, {"a.conf": "gzip on;\n", "b.conf": "# gwlint: context=location\ngzip on;\n"})
    settings = Settings(contexts={"*.conf": "http server"})
    roots = load("a.conf", "b.conf", settings=settings).nginx_roots
    assert [(root.context, root.context_origin) for root in roots] == [
        ("http server", "settings"),
        ("location", "comment"),
    ]


# HAProxy roots


def haproxy_roots(project: Project) -> list[tuple[list[str], bool]]:
    return [
        ([file.path for file in root.files], root.is_fragment) for root in project.haproxy_roots
    ]


DEFAULTS = "defaults\n    mode http\n"
FRONTEND = "frontend f\n    bind :80\n    default_backend b\n"
BACKEND = "backend b\n    server s 127.0.0.1:1\n"


def test_a_folder_of_parts_is_loaded_together_in_byte_order(folder: Path) -> None:
    write(folder, {"b.cfg": FRONTEND, "a.cfg": "global\n" + DEFAULTS, "C.cfg": BACKEND})
    assert haproxy_roots(load()) == [(["C.cfg", "a.cfg", "b.cfg"], False)]


def test_whole_files_beside_each_other_are_roots_of_their_own(folder: Path) -> None:
    write(folder, {"a.cfg": HAPROXY, "b.cfg": HAPROXY})
    assert haproxy_roots(load()) == [(["a.cfg"], False), (["b.cfg"], False)]


def test_a_set_folder_is_loaded_after_the_main_file_beside_it(folder: Path) -> None:
    write(folder, {"haproxy.cfg": HAPROXY, "haproxy.d/2.cfg": BACKEND, "haproxy.d/1.cfg": FRONTEND})
    assert haproxy_roots(load()) == [(["haproxy.cfg", "haproxy.d/1.cfg", "haproxy.d/2.cfg"], False)]


def test_files_named_together_keep_their_order_and_need_one_global(folder: Path) -> None:
    write(folder, {"z.cfg": "global\n" + DEFAULTS, "a.cfg": FRONTEND, "b.cfg": BACKEND})
    assert haproxy_roots(load("z.cfg", "a.cfg")) == [(["z.cfg", "a.cfg"], False)]
    write(folder, {"a.cfg": "global\n" + FRONTEND})
    assert haproxy_roots(load("z.cfg", "a.cfg")) == [(["a.cfg"], False), (["z.cfg"], True)]


# What named files belong to


def test_a_named_fragment_is_read_in_its_main_file(folder: Path) -> None:
    write(folder, {"web/nginx.conf": MAIN, "web/conf.d/a.conf": SITE, "web/conf.d/b.conf": SITE})
    project = load("web/conf.d/a.conf")
    assert [file.path for file in project.files] == ["web/conf.d/a.conf"]
    root = only_root(project)
    assert (root.main.path, root.is_fragment) == ("web/nginx.conf", False)
    assert project.surroundings == {"web/nginx.conf", "web/conf.d/b.conf"}


def test_a_main_file_that_does_not_include_it_is_not_its_own(folder: Path) -> None:
    write(folder, {"nginx.conf": MAIN, "other/a.conf": SITE})
    project = load("other/a.conf")
    assert only_root(project).main.path == "other/a.conf"
    assert not project.surroundings


def test_what_a_named_fragment_includes_was_asked_for(folder: Path) -> None:
    write(folder, {"nginx.conf": MAIN, "conf.d/a.conf": "include common.inc;\n"})
    write(folder, {"common.inc": "server { listen 82; }\n"})
    project = load("conf.d/a.conf")
    assert [file.path for file in project.files] == ["common.inc", "conf.d/a.conf"]


def test_findings_in_the_surroundings_are_not_reported(
    folder: Path, gwlint: Callable[..., Any]
) -> None:
    write(folder, {"nginx.conf": MAIN})
    for name in "ab":
        upstream = f"upstream {name} {{ server 127.0.0.1:1 down; }}\n"
        server = f"server {{ location / {{ proxy_pass http://{name}; }} }}\n"
        write(folder, {f"conf.d/{name}.conf": upstream + server})
    found = gwlint("check", "--format", "json", "--select", "NGX109", "conf.d/a.conf").json
    assert [one["path"] for one in found["findings"]] == ["conf.d/a.conf"]
    assert [one["path"] for one in found["files"]] == ["conf.d/a.conf"]


def test_haproxy_files_named_in_part_are_read_with_the_others(folder: Path) -> None:
    write(folder, {"a.cfg": "global\n" + DEFAULTS, "b.cfg": FRONTEND, "c.cfg": BACKEND})
    for names in (("b.cfg",), ("a.cfg", "b.cfg"), ("c.cfg",)):
        project = load(*names)
        assert haproxy_roots(project) == [(["a.cfg", "b.cfg", "c.cfg"], False)]
        assert [file.path for file in project.files] == list(names)
    assert haproxy_roots(load("b.cfg", "a.cfg")) == [(["b.cfg", "a.cfg"], False)]


# Contents in memory


def test_an_overlay_takes_the_place_of_the_disk(folder: Path) -> None:
    write(folder, {"nginx.conf": MAIN, "conf.d/a.conf": SITE})
    changed = {str(folder / "conf.d/a.conf"): b"server { listen 81; }\n"}
    project = load_project(["."], Settings(), Overlay(changed))
    sources = {file.path: file.source for file in project.files}
    source = sources["conf.d/a.conf"]
    assert source is not None
    assert source.data == b"server { listen 81; }\n"
    assert (folder / "conf.d/a.conf").read_text() == SITE


def test_standard_input_is_a_file_that_exists_only_in_memory(folder: Path) -> None:
    write(folder, {"conf.d/a.conf": SITE})
    stdin = Overlay({str(folder / "nginx.conf"): MAIN.encode()})
    project = load_project(["nginx.conf"], Settings(), stdin)
    assert [file.path for file in only_root(project).files] == ["nginx.conf", "conf.d/a.conf"]


# The corpus


def manifest() -> tuple[Path, list[dict[str, str]]]:
    corpus = os.environ.get("GWLINT_CORPUS")
    if not corpus:
        pytest.skip("GWLINT_CORPUS is not set")
    with (Path(corpus) / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        return Path(corpus), list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_every_file_of_the_corpus_has_a_status_and_the_right_dialect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    corpus, rows = manifest()
    monkeypatch.chdir(corpus)
    project = load_project([row["local"] for row in rows], Settings())
    files = {file.path: file for file in project.files}
    assert len(files) >= len(rows)
    wrong = [row["local"] for row in rows if files[row["local"]].dialect != row["dialect"]]
    assert wrong == []
    accepted = [
        row["local"]
        for row in rows
        if row["templating"] in ("", "envvar")
        and files[row["local"]].status is Status.SKIPPED_TEMPLATE
    ]
    assert accepted == [], "no template, but taken for one"
    templates = [row["local"] for row in rows if row["templating"] not in ("", "envvar")]
    found = [path for path in templates if files[path].status is Status.SKIPPED_TEMPLATE]
    # The others have their marks in comments only, or `<NAME>` in documentation.
    assert len(found) >= 0.98 * len(templates)
    assert all(file.status is not Status.UNREADABLE for file in project.files)
