"""gwlint.yaml and the options of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gwlint.patterns import path_matches
from gwlint.settings import SettingsError, find_settings_file, load_settings
from gwlint.syntax.version import Version


def write(folder: Path, text: str, name: str = "gwlint.yaml") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def problems(path: str) -> list[tuple[int, int, str, str | None]]:
    with pytest.raises(SettingsError) as caught:
        load_settings(config=path)
    assert all(one.path == path for one in caught.value.problems)
    return [(one.line, one.column, one.message, one.suggestion) for one in caught.value.problems]


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings(str(tmp_path))
    assert settings.file is None
    assert (settings.profile, settings.fail_on, settings.select) == ("reliability", "warning", ())


def test_the_nearest_file_upwards_is_read(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    write(tmp_path, "profile: strict\n")
    assert load_settings(str(inner)).profile == "strict"
    write(tmp_path / "a", "profile: security\n", ".gwlint.yaml")
    assert load_settings(str(inner / "nginx.conf")).profile == "security"


def test_the_file_is_shown_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "profile: strict\n")
    monkeypatch.chdir(tmp_path)
    assert find_settings_file(".") == "gwlint.yaml"


def test_every_key_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """\
target: {nginx: 1.22.1, haproxy: 2.10}
profile: security
fail_on: error
select: NGX4, keepalive
ignore:
  - NGX401
per_file_ignores:
  "legacy/**": [NGX3]
path_map:
  /etc/nginx/: ./nginx
contexts:
  "sites/*.conf": http server
rules:
  NGX303: {budget: 60s, depth: 3}
services:
  api: {addresses: ["app:3000"], websocket: true}
layers:
  - {name: alb, preset: aws-alb}
""",
    )
    settings = load_settings(config=path)
    assert settings.target_nginx == Version((1, 22, 1))
    assert settings.target_haproxy == Version((2, 10)), "2.10 is no decimal number"
    assert settings.select == ("NGX4", "keepalive")
    assert settings.ignore == ("NGX401",)
    assert settings.path_map == {"/etc/nginx": str(tmp_path / "nginx")}
    assert settings.rules == {"NGX303": {"budget": "60s", "depth": 3}}
    assert settings.services == {"api": {"addresses": ["app:3000"], "websocket": True}}
    assert settings.layers == ({"name": "alb", "preset": "aws-alb"},)
    assert settings.context_of(str(tmp_path / "sites" / "a.conf")) == "http server"
    assert settings.context_of(str(tmp_path / "a.conf")) is None
    assert settings.ignored_in(str(tmp_path / "legacy" / "x" / "y.conf")) == ("NGX3",)
    assert settings.mapped("/etc/nginx/conf.d/a.conf") == str(tmp_path / "nginx/conf.d/a.conf")
    assert settings.mapped("/etc/nginx-old/a.conf") is None
    assert settings.place_of("rules", "NGX303") == f"{path}:14:3"
    assert settings.place_of("select") == f"{path}:4:1"


def test_the_command_line_goes_first(tmp_path: Path) -> None:
    path = write(
        tmp_path, "target: nginx=1.22.1\nprofile: strict\nselect: [NGX1]\nignore: [HAP1]\n"
    )
    settings = load_settings(
        config=path,
        targets=["nginx=1.29"],
        profile="security",
        select=["NGX4,keepalive"],
        ignore=["NGX9"],
        dialect="nginx",
    )
    assert settings.target_nginx == Version((1, 29))
    assert settings.profile == "security"
    assert settings.select == ("NGX4", "keepalive")
    assert settings.ignore == ("HAP1", "NGX9")
    assert settings.dialect == "nginx"


def test_all_problems_are_told_at_once_with_places(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "profil: strict\nfail_on: eror\ntarget: {nginx: newest}\ncontexts: [a]\n"
        "path_map: {etc: x}\nselect: {a: b}\nfail_on: error\n",
    )
    found = problems(path)
    assert found[0] == (1, 1, 'unknown key "profil"', "profile")
    assert found[1][:2] == (2, 10)
    assert found[1][3] == "error"
    assert found[2][:2] == (3, 17)
    assert found[3] == (4, 11, "contexts must be a mapping of keys to values, not a list", None)
    assert found[4][:2] == (5, 12)
    assert found[5][:2] == (6, 9)
    assert found[6] == (7, 1, 'the key "fail_on" is repeated', None)
    assert len(found) == 7


def test_the_message_names_path_line_column_and_suggestion(tmp_path: Path) -> None:
    path = write(tmp_path, "\n  profil: strict\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(config=path)
    assert str(caught.value) == f'{path}:2:3: unknown key "profil" (did you mean "profile"?)'


@pytest.mark.parametrize(
    "data",
    [
        b"a: [1, 2",
        b"\xff\xfe\x00",
        b"a: \x07",
        b"- 1\n",
        b"just text",
        b"services: &a {x: *a}\n",
        b"services: &a {x: 1}\nrules: {N: {o: *a, p: *a}}\n",
        b"[" * 50_000,
        b"a: " + b"x" * 2_000_000,
        b"profile: !!python/object/apply:os.system [id]\n",
        b"? [a, b]\n: c\n",
    ],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_no_settings_file_is_an_error_with_its_place(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "gwlint.yaml"
    path.write_bytes(data)
    for line, column, message, _ in problems(str(path)):
        assert line >= 1
        assert column >= 1
        assert message


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    assert load_settings(config=write(tmp_path, "# nothing\n")).profile == "reliability"


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        load_settings(config=str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"targets": ["nginx"]}, "no target"),
        ({"targets": ["ngnx=1.2"]}, "did you mean"),
        ({"targets": ["nginx=new"]}, "not a version"),
        ({"profile": "strickt"}, 'did you mean "strict"'),
        ({"fail_on": "x"}, "error, warning, info, never"),
        ({"dialect": "apache"}, "nginx, haproxy"),
    ],
)
def test_a_wrong_option_is_named(tmp_path: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings(str(tmp_path), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.conf", "a/b.conf", True),
        ("a/*.conf", "a/b.conf", True),
        ("a/*.conf", "a/b/c.conf", False),
        ("a/**/c.conf", "a/c.conf", True),
        ("a/**", "a/b/c.conf", True),
        ("build", "x/build/y/z.conf", True),
        ("/build", "x/build/y.conf", False),
        ("[ab].conf", "b.conf", True),
        ("[!ab].conf", "b.conf", False),
        ("[z-a].conf", "b.conf", False),
        ("a+b.conf", "a+b.conf", True),
        ("a?.conf", "a/.conf", False),
        ("", "a", False),
    ],
)
def test_patterns(pattern: str, path: str, expected: bool) -> None:
    assert path_matches(pattern, path) is expected
