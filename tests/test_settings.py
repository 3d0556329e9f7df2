"""gwlint.yaml and the options of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gwlint.patterns import path_matches
from gwlint.settings import (
    Settings,
    SettingsError,
    find_settings_file,
    load_settings,
    unused_settings_files,
)
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
    (tmp_path / "nginx").mkdir()
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
    assert settings.mapped("/etc/nginx/../secret.conf") is None, ".. leads out of what is mapped"
    assert settings.mapped("/etc/x/../nginx/a.conf") == str(tmp_path / "nginx/a.conf")
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
        b"services: &a {x: [*a]}\n",
        b"services: {x: &a {b: {<<: *a}}}\n",
        b"services: {x: {<<: 5}}\n",
        b"profile: strict\n---\nprofile: strict\n",
        b"profile:\tstrict\n\tx: 1\n",
        b"services: {a: *nowhere}\n",
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


def test_aliases_that_multiply_end_at_their_place(tmp_path: Path) -> None:
    lines = ["  a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 10):
        lines.append(f"  a{level}: &a{level} [" + ", ".join([f"*a{level - 1}"] * 10) + "]")
    path = write(tmp_path, "services:\n" + "\n".join(lines) + "\n")
    found = problems(path)
    assert "more than 100000 values" in found[0][2]
    assert found[0][0] > 1
    assert len(found) < 10


def test_anchors_and_merge_keys_are_read(tmp_path: Path) -> None:
    settings = load_settings(
        config=write(
            tmp_path,
            """\
services:
  api: &api {addresses: ["app:1"], idle_timeout: 5s}
  web:
    <<: *api
    addresses: &more ["app:2"]
  rest: {<<: [{websocket: true}, *api], idle_timeout: 9s, addresses: ["app:3"]}
""",
        )
    )
    assert settings.services == {
        "api": {"addresses": ["app:1"], "idle_timeout": "5s"},
        "web": {"addresses": ["app:2"], "idle_timeout": "5s"},
        "rest": {"websocket": True, "addresses": ["app:3"], "idle_timeout": "9s"},
    }
    assert settings.place_of("services", "web", "idle_timeout").endswith(":2:36")


def test_an_anchor_may_be_set_anew_without_a_word(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    text = "select: &a [NGX4]\nignore: &a [NGX401]\nper_file_ignores: {x: *a}\n"
    settings = load_settings(config=write(tmp_path, text))
    assert settings.per_file_ignores == {"x": ("NGX401",)}
    assert not recwarn.list


@pytest.mark.parametrize(
    ("text", "place", "message", "suggestion"),
    [
        ("select: 5", (1, 9), 'a code, prefix, name or topic must be a text, not "5"', None),
        ("ignore: [NGX4, ~]", (1, 16), "must be a text", None),
        ("profile: true", (1, 10), '"true" is not one of', None),
        ("profile:", (1, 1), "not nothing", None),
        ("profile: ~", (1, 10), "this must be one of", None),
        ("fail_on: [error]", (1, 10), "not a list", None),
        ("target: 1.22", (1, 9), "is no target", None),
        ("target: [nginx=1.22, nginx=1.23]", (1, 22), "is the target already", None),
        ("target: {nginx: 1}", (1, 17), "not a version", None),
        ("target: {nginks: 1.22}", (1, 10), "unknown server", "nginx"),
        ("path_map: {/etc/nginx: true}", (1, 24), "a local folder must be a text", None),
        ("path_map: {/etc/nginx: ./confg}", (1, 24), '"./confg" is not there', "./config"),
        ("path_map: {/etc/../x: .}", (1, 12), "must be an absolute path without ..", None),
        ("path_map: {etc: .}", (1, 12), "must be an absolute path", None),
        ("path_map: {/etc: ., /etc/: .}", (1, 21), "is repeated", None),
        ("contexts: {a: http servr}", (1, 15), "is not one of main", "http server"),
        ("per_file_ignores: [a]", (1, 19), "must be a mapping", None),
        ("per_file_ignores: {a: {b: c}}", (1, 23), "not a mapping", None),
        ("rules: {NGX303: 60s}", (1, 17), "the options of NGX303 must be a mapping", None),
        ("layers: {name: a}", (1, 9), "layers must be a list", None),
    ],
)
def test_each_wrong_value_is_told_at_its_place(
    tmp_path: Path, text: str, place: tuple[int, int], message: str, suggestion: str | None
) -> None:
    (tmp_path / "config").mkdir()
    ((line, column, said, near),) = problems(write(tmp_path, text + "\n"))
    assert (line, column) == place
    assert message in said
    assert near == suggestion


def test_what_checks_find_is_told_with_the_rest(tmp_path: Path) -> None:
    def refuse(settings: Settings) -> None:
        raise SettingsError([settings.problem(("profile",), "not this one")])

    path = write(tmp_path, "profile: strict\nselekt: NGX1\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(config=path, checks=[refuse])
    assert [one.message for one in caught.value.problems] == [
        "not this one",
        'unknown key "selekt"',
    ]


def test_two_files_in_one_folder_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, "profile: strict\n")
    write(tmp_path, "profile: security\n", ".gwlint.yaml")
    with pytest.raises(SettingsError, match=r"\.gwlint\.yaml:1:1: gwlint\.yaml stands in the same"):
        load_settings(str(tmp_path))


def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "gwlint.yaml").symlink_to("gone.yaml")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(str(tmp_path))


def test_a_path_through_the_folder_above_does_not_find_the_working_folders_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    write(tmp_path / "here", "profile: strict\n")
    monkeypatch.chdir(tmp_path / "here")
    assert find_settings_file("nginx.conf") == "gwlint.yaml"
    assert find_settings_file("../there/nginx.conf") is None


def test_files_nearer_to_what_is_read_are_told(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "a", tmp_path / "a" / "b"):
        write(folder, "")
    conf = str(inner / "nginx.conf")
    settings = load_settings(str(tmp_path))
    assert unused_settings_files(settings, [conf, conf]) == [
        str(tmp_path / "a" / "b" / "gwlint.yaml"),
        str(tmp_path / "a" / "gwlint.yaml"),
    ]
    assert unused_settings_files(load_settings(conf), [conf]) == []
    assert unused_settings_files(settings, ["/elsewhere/nginx.conf"]) == []


def test_options_are_remembered(tmp_path: Path) -> None:
    path = write(tmp_path, "ignore: NGX1\nprofile: strict\n")
    settings = load_settings(config=path, ignore=["NGX2,NGX3"], profile="security")
    assert settings.options == {"ignore": ("NGX2", "NGX3"), "profile": ("security",)}


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
