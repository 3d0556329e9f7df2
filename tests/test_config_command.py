"""`gwlint config`: what is in force, and a first gwlint.yaml."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from ruamel.yaml import YAML

from gwlint.cli.config_init import SCHEMA_NAME
from gwlint.model.facts import facts_of
from gwlint.registry import require_known_selectors, require_usable_options
from gwlint.settings import Settings, load_settings
from gwlint.settings_file import KEYS

Command = Callable[..., Run]

SETTINGS = """\
target: {nginx: 1.22.1}
profile: strict
ignore: [NGX401, keepalive]
per_file_ignores: {"legacy/**": "NGX6, NGX7"}
path_map: {/etc/nginx/: ./nginx}
contexts: {"snippets/*.conf": http server}
rules: {NGX303: {budget: 30s}}
services:
  api: {addresses: ["10.0.0.1:8080"], idle_timeout: 5s, tls_name: "on"}
layers:
  - {preset: aws-alb, idle_timeout: 2m}
"""


def checked(folder: Path) -> Settings:
    checks = (facts_of, require_known_selectors, require_usable_options)
    return load_settings(str(folder), checks=checks)


def shown(run: Run) -> dict[str, tuple[Any, str]]:
    """Key -> value and origin, of the JSON format."""
    assert run.code == 0, run.stderr
    return {
        ".".join(map(str, one["key"])): (one["value"], one["origin"])
        for one in run.json["settings"]
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "nginx").mkdir()
    (tmp_path / "gwlint.yaml").write_text(SETTINGS)
    return tmp_path


def test_each_setting_is_shown_with_its_origin(gwlint: Command, folder: Path) -> None:
    options = ("--profile", "security", "--ignore", "NGX9,HAP9", "--target", "haproxy=2.8")
    found = shown(gwlint("config", "show", "--format", "json", *options))
    assert found["target.nginx"] == ("1.22.1", "gwlint.yaml:1:10")
    assert found["target.haproxy"] == ("2.8", "--target")
    assert found["profile"] == ("security", "--profile")
    assert found["fail_on"] == ("warning", "default")
    assert found["select"] == (None, "default")
    assert found["ignore.0"] == ("NGX401", "gwlint.yaml:3:10")
    assert found["ignore.1"] == ("keepalive", "gwlint.yaml:3:18")
    assert found["ignore.2"] == ("NGX9", "--ignore")
    assert found["ignore.3"] == ("HAP9", "--ignore")
    assert found["per_file_ignores.legacy/**.1"] == ("NGX7", "gwlint.yaml:4:33")
    assert found["path_map./etc/nginx"] == ("nginx", "gwlint.yaml:5:12")
    assert found["contexts.snippets/*.conf"] == ("http server", "gwlint.yaml:6:12")
    assert found["rules.NGX303.budget"] == ("30s", "gwlint.yaml:7:18")
    assert found["rules.NGX207.budget"] == ("4g", "default")
    assert found["services.api.addresses.0"] == ("10.0.0.1:8080", "gwlint.yaml:9:21")
    assert found["layers.0.idle_timeout"] == ("2m", "gwlint.yaml:11:23")
    assert found["layers.0.response_timeout"] == ("120s", "preset aws-alb")
    assert found["layers.0.name"] == ("aws-alb", "preset aws-alb")


def test_text_has_a_line_for_each(gwlint: Command, folder: Path) -> None:
    run = gwlint("config", "show", "--fail-on", "error")
    lines = run.text.splitlines()
    assert lines[:2] == ["gwlint.yaml: gwlint.yaml", ""]
    assert any(re.fullmatch(r"profile +strict +gwlint\.yaml:2:1", line) for line in lines)
    assert any(re.fullmatch(r"fail_on +error +--fail-on", line) for line in lines)
    listed = shown(gwlint("config", "show", "--format", "json"))
    assert len(lines) == len(listed) + 2


def test_yaml_sets_the_same_again(gwlint: Command, folder: Path) -> None:
    options = ("--fail-on", "error", "--target", "haproxy=2.10", "--ignore", "NGX9")
    printed = gwlint("config", "show", "--format", "yaml", *options)
    assert printed.code == 0
    before = shown(gwlint("config", "show", "--format", "json", *options))
    (folder / "gwlint.yaml").write_bytes(printed.stdout)
    after = shown(gwlint("config", "show", "--format", "json"))
    assert {key: str(value) for key, (value, _) in after.items()} == {
        key: str(value) for key, (value, _) in before.items()
    }
    assert after["layers.0.request_header"][1] != "preset aws-alb", "a preset is written out"
    assert checked(folder).services["api"]["tls_name"] == "on"


def test_without_a_file_all_is_default(gwlint: Command, tmp_path: Path) -> None:
    run = gwlint("config", "show")
    assert run.text.startswith("gwlint.yaml: none found\n")
    assert {
        origin for _, origin in shown(gwlint("config", "show", "--format", "json")).values()
    } == {"default"}
    assert YAML(typ="safe").load(gwlint("config", "show", "--format", "yaml").stdout)


def test_the_file_is_that_of_the_path(gwlint: Command, folder: Path) -> None:
    (folder / "nginx" / ".gwlint.yaml").write_text("fail_on: never\n")
    found = shown(gwlint("config", "show", "--format", "json", "nginx"))
    assert found["fail_on"] == ("never", "nginx/.gwlint.yaml:1:1")
    assert found["profile"] == ("reliability", "default"), "files are not merged"


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "no-such-folder"),
        ("show", "--format", "toml"),
        ("show", "--config", "none.yaml"),
        ("show", "--select", "NGX999"),
        ("init", "no-such-folder"),
        ("shw",),
    ],
)
def test_wrong_usage_is_2(gwlint: Command, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    run = gwlint("config", *arguments)
    assert (run.code, run.stdout) == (2, b"")
    assert run.stderr.strip()
    assert not list(tmp_path.iterdir())


def test_a_wrong_file_is_told_and_not_shown(gwlint: Command, folder: Path) -> None:
    (folder / "gwlint.yaml").write_text("profil: strict\nselect: NGX999\nlayers: [{}]\n")
    run = gwlint("config", "show")
    assert (run.code, run.stdout) == (2, b"")
    assert [line.split(": ")[1] for line in run.stderr.splitlines()] == [
        "gwlint.yaml:1:1",
        "gwlint.yaml:2:9",
        "gwlint.yaml:3:10",
    ]


# --------------------------------------------------------------------------- init

NGINX = """\
events {}
http {
    include /srv/shared/tls.conf;
    upstream app { server 10.0.0.1:8080; server unix:/run/app.sock; }
    server { listen 80; location / { proxy_pass http://app; proxy_connect_timeout 90s; } }
}
"""
HAPROXY = """\
global
defaults
    mode http
    timeout connect 5s
frontend web
    bind :81
    default_backend app
backend app
    server one app.internal:3000
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "nginx.conf").write_text(NGINX)
    (tmp_path / "haproxy.cfg").write_text(HAPROXY)
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets" / "headers [x].conf").write_text("proxy_set_header Host $host;\n")
    return tmp_path


def test_the_first_file_changes_nothing(gwlint: Command, project: Path) -> None:
    before = gwlint("check", ".", "--format", "json")
    run = gwlint("config", "init")
    assert (run.code, run.stdout, run.stderr) == (0, b"", "gwlint: wrote gwlint.yaml\n")
    after = gwlint("check", ".", "--format", "json")
    assert (after.code, after.stdout, after.stderr) == (before.code, before.stdout, before.stderr)
    assert before.code == 1
    assert shown(gwlint("config", "show", "--format", "json"))["profile"][1] == "default"


def test_the_first_file_names_what_was_found(gwlint: Command, project: Path) -> None:
    gwlint("config", "init")
    lines = (project / "gwlint.yaml").read_text().splitlines()
    for line in (
        "# - nginx.conf",
        "# - haproxy.cfg",
        '#  "/srv/shared": .',
        '#    addresses: ["10.0.0.1:8080"]',
        '#    addresses: ["unix:/run/app.sock"]',
        '#    addresses: ["app.internal:3000"]',
        '#  "/snippets/headers [[]x].conf": http',
    ):
        assert line in lines
    assert all(line.startswith("#") or not line for line in lines)
    assert max(map(len, lines)) <= 100


def test_every_line_of_the_first_file_can_be_used(gwlint: Command, project: Path) -> None:
    gwlint("config", "init")
    path = project / "gwlint.yaml"
    text = path.read_text()
    # Two blanks after the # are inner lines of a setting.
    used = re.sub(r"(?m)^#(?! [^ ])", "", text)
    path.write_text(used)
    settings = checked(project)
    tops = {str(keys[0]) for keys in settings.places}
    assert tops == set(KEYS)
    assert settings.context_of(str(project / "snippets" / "headers [x].conf")) == "http"
    assert gwlint("check", ".").code in (0, 1)


def test_the_versions_are_those_of_installed_servers(
    gwlint: Command, project: Path, tmp_path: Path
) -> None:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    server = bin_folder / "nginx"
    server.write_text("#!/bin/sh\necho 'nginx version: nginx/1.27.3' >&2\n")
    server.chmod(0o755)
    gwlint("config", "init", GWLINT_NGINX=str(server), GWLINT_HAPROXY="")
    text = (project / "gwlint.yaml").read_text()
    assert "#  nginx: 1.27.3  # installed here" in text
    assert re.search(r"(?m)^#  haproxy: [0-9.]+$", text), "a sample where none is installed"


def test_nothing_is_overwritten(gwlint: Command, project: Path) -> None:
    inner = project / "snippets"
    for name in ("gwlint.yaml", ".gwlint.yaml"):
        (project / name).write_text("profile: strict\n")
        for folder in (".", "snippets"):
            run = gwlint("config", "init", folder)
            assert run.code == 2
            assert f"{name} counts there already" in run.stderr
        assert not (inner / "gwlint.yaml").exists()
        assert (project / name).read_text() == "profile: strict\n"
        (project / name).unlink()
    (project / "gwlint.yaml").symlink_to("gone.yaml")
    assert gwlint("config", "init").code == 2
    assert not (project / "gone.yaml").exists()


def test_a_folder_without_configurations_gets_a_file_too(gwlint: Command, tmp_path: Path) -> None:
    assert gwlint("config", "init", "-q").stderr == ""
    text = (tmp_path / "gwlint.yaml").read_text()
    assert "Found for" not in text
    assert checked(tmp_path).profile == "reliability"


def test_editors_are_pointed_at_a_schema_only_where_there_is_one(
    gwlint: Command, tmp_path: Path
) -> None:
    gwlint("config", "init")
    path = tmp_path / "gwlint.yaml"
    assert "yaml-language-server" not in path.read_text()
    path.unlink()
    assert gwlint("config", "schema", "-o", SCHEMA_NAME).code == 0
    gwlint("config", "init")
    first = path.read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA_NAME}"


# --------------------------------------------------------------------------- environment


def test_force_color_colours_pipes_and_no_color_forbids(gwlint: Command, project: Path) -> None:
    assert b"\x1b[" in gwlint("check", ".", FORCE_COLOR="1").stdout
    assert b"\x1b[" not in gwlint("check", ".", FORCE_COLOR="0").stdout
    assert b"\x1b[" not in gwlint("check", ".", FORCE_COLOR="").stdout
    assert b"\x1b[" not in gwlint("check", ".", FORCE_COLOR="1", NO_COLOR="1").stdout
    assert b"\x1b[" not in gwlint("check", ".", "--no-color", FORCE_COLOR="1").stdout
    assert gwlint("check", ".", "-o", "report.txt", FORCE_COLOR="1").code == 1
    assert b"\x1b[" not in (project / "report.txt").read_bytes()
