"""Fixes in files that have several readers or several names."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fix_contract import Combination, Servers, Subject

SLOW = "proxy_connect_timeout 300s;\n"
"""What NGX302 shortens wherever it stands."""

IDLE = "proxy_read_timeout 20s;\n"
"""What NGX304 lengthens where web sockets pass, and nothing objects to elsewhere."""

SOCKETS = (
    "proxy_http_version 1.1;",
    "proxy_set_header Upgrade $http_upgrade;",
    'proxy_set_header Connection "upgrade";',
)


def main_file(*servers: str) -> str:
    return "events { }\nhttp {\n" + "".join(servers) + "}\n"


def server(port: int, location: str, *lines: str) -> str:
    body = "".join(f"            {line}\n" for line in lines)
    return (
        f"    server {{\n        listen {port};\n        location {location} {{\n"
        f"            proxy_pass http://127.0.0.1:9{port};\n{body}        }}\n    }}\n"
    )


INCLUDE = "include snippets/proxy.conf;"


@pytest.fixture
def snippet(tmp_path: Path) -> Path:
    folder = tmp_path / "snippets"
    folder.mkdir()
    return folder / "proxy.conf"


def apply_both_ways(folder: Path, patch: bytes, path: Path) -> list[bytes]:
    """The file as `git apply` and `patch` make it; afterwards it is as it was."""
    before = path.read_bytes()
    results = []
    for command in (["git", "apply", "--whitespace=nowarn"], ["patch", "-p1", "--binary", "-s"]):
        subprocess.run(command, input=patch, cwd=folder, check=True, timeout=30)
        results.append(path.read_bytes())
        path.write_bytes(before)
    return results


class TestSharedFiles:
    """One snippet, several includers."""

    def test_a_fix_that_suits_all_servers_is_made_once(
        self, tmp_path: Path, snippet: Path, gwlint: Callable[..., Any]
    ) -> None:
        snippet.write_text(SLOW)
        (tmp_path / "nginx.conf").write_text(
            main_file(server(81, "/", INCLUDE), server(82, "/", INCLUDE))
        )
        done = gwlint("fix", "--write", "--unsafe", "--select", "NGX302", "nginx.conf")
        assert "snippets/proxy.conf: fixed" in done.stderr
        assert snippet.read_text().count("proxy_connect_timeout") == 1
        assert snippet.read_text() != SLOW
        assert gwlint("fix", "--unsafe", "--select", "NGX302", "nginx.conf").stdout == b""

    def test_a_fix_that_suits_one_server_only_is_not_offered(
        self, tmp_path: Path, snippet: Path, gwlint: Callable[..., Any]
    ) -> None:
        """Web sockets need a longer timeout than what stands beside them."""
        snippet.write_text(IDLE)
        sockets = server(81, "/socket.io/", INCLUDE, *SOCKETS)
        options = ("fix", "--unsafe", "--select", "NGX304", "nginx.conf")

        (tmp_path / "nginx.conf").write_text(main_file(sockets))
        assert b"snippets/proxy.conf" in gwlint(*options).stdout

        (tmp_path / "nginx.conf").write_text(main_file(sockets, server(82, "/", INCLUDE)))
        done = gwlint(*options)
        assert done.stdout == b""
        assert "NGX304 websocket-read-timeout: not fixed" in done.stderr

    @pytest.mark.parametrize("lines", [SOCKETS, ()], ids=["suits", "does not suit"])
    def test_two_main_files_are_asked_as_well(
        self,
        tmp_path: Path,
        snippet: Path,
        gwlint: Callable[..., Any],
        lines: tuple[str, ...],
    ) -> None:
        snippet.write_text(IDLE)
        for name, added in (("nginx.conf", SOCKETS), ("nginx-other.conf", lines)):
            (tmp_path / name).write_text(main_file(server(81, "/socket.io/", INCLUDE, *added)))
        done = gwlint("fix", "--unsafe", "--select", "NGX304", ".")
        if lines:
            assert done.stdout.count(b"+proxy_read_timeout 3600s;") == 1, done.stderr
        else:
            assert done.stdout == b""
            assert (
                "NGX304 websocket-read-timeout: not fixed: its fix changes snippets/proxy.conf,"
                " and does not suit the place where nginx-other.conf:7 includes it"
            ) in done.stderr

    def test_each_main_file_may_need_more_than_the_shared_one(
        self, tmp_path: Path, snippet: Path, gwlint: Callable[..., Any]
    ) -> None:
        """NGX405 puts a map beside the snippet's line: into which main file?"""
        snippet.write_text("\n".join(SOCKETS) + "\n")
        for name in ("nginx.conf", "nginx-other.conf"):
            (tmp_path / name).write_text(main_file(server(81, "/", INCLUDE)))
        options = ("--unsafe", "--select", "NGX405")
        assert b"map $http_upgrade" in gwlint("fix", *options, "nginx.conf").stdout
        done = gwlint("fix", *options, ".")
        assert done.stdout == b""
        assert "does not suit the place where nginx" in done.stderr

    def test_the_includer_of_an_includer_counts(
        self, tmp_path: Path, snippet: Path, gwlint: Callable[..., Any]
    ) -> None:
        """Two main files include one file, which alone includes the snippet."""
        snippet.write_text(IDLE)
        (snippet.parent / "outer.conf").write_text(INCLUDE + "\n")
        outer = "include snippets/outer.conf;"
        for name, lines in (("nginx.conf", SOCKETS), ("nginx-other.conf", ())):
            (tmp_path / name).write_text(main_file(server(81, "/socket.io/", outer, *lines)))
        done = gwlint("fix", "--unsafe", "--select", "NGX304", ".")
        assert done.stdout == b""
        place = "snippets/outer.conf:1 (read by nginx-other.conf)"
        assert f"does not suit the place where {place} includes it" in done.stderr

    def test_a_file_that_one_block_includes_twice_is_fixed_once(
        self, tmp_path: Path, snippet: Path, gwlint: Callable[..., Any]
    ) -> None:
        """Two upstreams of one block share their server lines."""
        snippet.write_text("server 10.0.0.1:80 max_fails=0;\nserver 10.0.0.2:80;\n")
        upstreams = "".join(
            f"    upstream {name} {{\n        {INCLUDE}\n    }}\n" for name in ("one", "two")
        )
        passes = "".join(
            f"    server {{ listen {port}; location / {{ proxy_pass http://{name}; }} }}\n"
            for port, name in ((81, "one"), (82, "two"))
        )
        (tmp_path / "nginx.conf").write_text(main_file(upstreams, passes))
        options = ("--unsafe", "--select", "NGX501", "nginx.conf")
        patch = gwlint("fix", *options).stdout
        changed = [line for line in patch.splitlines() if line[:1] in b"+-"][2:]
        assert len(changed) == 2, patch.decode()
        gwlint("fix", "--write", *options)
        assert "max_fails=0" not in snippet.read_text()
        assert gwlint("fix", *options).stdout == b""


class TestNames:
    """One file, several names: the patch and --write change the file itself, once."""

    def check(self, gwlint: Callable[..., Any], folder: Path, target: Path, *paths: str) -> None:
        before = target.read_bytes()
        options = ("--unsafe", "--select", "NGX302", *paths)
        patch = gwlint("fix", *options).stdout
        assert patch.count(b"+++ ") == 1, patch.decode()
        by_tools = apply_both_ways(folder, patch, target)
        gwlint("fix", "--write", *options)
        assert target.read_bytes() != before
        assert by_tools == [target.read_bytes()] * 2
        assert gwlint("fix", *options).stdout == b""

    def test_a_linked_site_is_changed_where_it_lies(
        self, tmp_path: Path, gwlint: Callable[..., Any]
    ) -> None:
        for name in ("sites-available", "sites-enabled"):
            (tmp_path / name).mkdir()
        site = tmp_path / "sites-available" / "app"
        site.write_text(server(81, "/", SLOW.strip()))
        link = tmp_path / "sites-enabled" / "app"
        link.symlink_to("../sites-available/app")
        (tmp_path / "nginx.conf").write_text(main_file("    include sites-enabled/*;\n"))
        self.check(gwlint, tmp_path, site, "nginx.conf")
        assert link.readlink() == Path("../sites-available/app")

    def test_a_linked_folder_is_followed_too(
        self, tmp_path: Path, gwlint: Callable[..., Any]
    ) -> None:
        (tmp_path / "available").mkdir()
        site = tmp_path / "available" / "app.conf"
        site.write_text(server(81, "/", SLOW.strip()))
        (tmp_path / "enabled").symlink_to("available")
        (tmp_path / "nginx.conf").write_text(main_file("    include enabled/*.conf;\n"))
        self.check(gwlint, tmp_path, site, "nginx.conf")
        assert (tmp_path / "enabled").is_symlink()

    def test_two_paths_of_one_file_are_one_file(
        self, tmp_path: Path, gwlint: Callable[..., Any]
    ) -> None:
        file = tmp_path / "nginx.conf"
        file.write_text(main_file(server(81, "/", SLOW.strip())))
        (tmp_path / "link.conf").symlink_to("nginx.conf")
        (tmp_path / "below").mkdir()
        names = ("link.conf", "below/../nginx.conf", str(file))
        self.check(gwlint, tmp_path, file, *names)

    def test_a_link_that_leads_out_is_left_alone(
        self, tmp_path: Path, gwlint: Callable[..., Any]
    ) -> None:
        folder = tmp_path / "project"
        folder.mkdir()
        outside = tmp_path / "app.conf"
        outside.write_text(server(81, "/", SLOW.strip()))
        (folder / "app.conf").symlink_to(outside)
        (folder / "nginx.conf").write_text(main_file("    include app.conf;\n"))
        before = outside.read_bytes()
        done = gwlint("fix", "--write", "--unsafe", "--select", "NGX302", "nginx.conf", cwd=folder)
        assert f"app.conf: cannot be read: it leads out of the project, to {outside}" in done.stderr
        assert outside.read_bytes() == before


class TestCheckerItself:
    """The corpus run is worth what its checks see."""

    @pytest.fixture
    def subject(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
        folder = tmp_path / "project"
        folder.mkdir()
        (folder / "nginx.conf").write_text(main_file(server(81, "/", SLOW.strip())))
        monkeypatch.chdir(folder)
        return Subject(folder, "nginx.conf", "nginx", Servers(tmp_path))

    def test_a_right_patch_has_no_flaw(self, subject: Subject) -> None:
        outcome = subject.examine(Combination("NGX302", frozenset(("NGX302",))))
        assert outcome.result.patch
        assert outcome.flaws == []

    @pytest.mark.parametrize(
        ("kind", "spoil"),
        [
            ("not-applying", lambda new: new + b"# more\n"),
            ("words", lambda new: new.replace(b"listen 81", b"listen 82")),
            ("refused", lambda new: new.replace(b"listen 81", b"lisen 81")),
            ("lines", lambda new: new.replace(b"    listen 81;\n", b"")),
        ],
    )
    def test_a_spoilt_result_is_seen(
        self, subject: Subject, kind: str, spoil: Callable[[bytes], bytes]
    ) -> None:
        result = subject.fixed(Combination("all"), subject.original)
        new = spoil(result.changed["nginx.conf"])
        assert kind in {one for one, _ in subject.verify(result.patch, new)}
