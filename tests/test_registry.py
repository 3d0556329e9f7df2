"""Finding rules by their files, and beginning new ones."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gwlint import registry
from gwlint.engine import check
from gwlint.project import load_project
from gwlint.rule import TOPICS, Rule
from gwlint.rules.new_rule import write_rule
from gwlint.settings import Settings

ROOT = Path(__file__).parent.parent


def test_every_rule_is_what_its_file_says() -> None:
    files = registry.rule_files()
    assert [file.load().code for file in files] == [file.code for file in files]
    assert len({file.code for file in files}) == len(files)


def test_every_file_with_a_code_is_a_rule() -> None:
    named = {path.stem for path in (ROOT / "rules").glob("*/*.py") if path.stem[3:6].isdigit()}
    assert named == {file.module.rpartition(".")[2] for file in registry.rule_files()}


def test_rules_about_neighbours_are_left_out_without_any(tmp_path: Path) -> None:
    files = registry.rule_files()
    conf = tmp_path / "nginx.conf"
    conf.write_text("events {}\n")
    alone = load_project([str(conf)], Settings())
    topics = {f.topic for f in registry.relevant(files, alone, Settings()) if f.code[:3] == "GTW"}
    assert topics == {"syntax"}
    described = Settings(services={"app": {}})
    told = registry.relevant(files, alone, described)
    other = tmp_path / "haproxy.cfg"
    other.write_text("global\n    maxconn 10\n")
    both = load_project([str(tmp_path)], Settings())
    for found in (told, registry.relevant(files, both, Settings())):
        assert {f.code for f in files if f.code[:3] == "GTW"} <= {f.code for f in found}


def test_rules_of_one_dialect_leave_the_others_unimported() -> None:
    code = (
        "import sys; from gwlint import registry; registry.rules_for(['nginx']);"
        "print([name for name in sys.modules if '.hap' in name and 'gwlint.rules' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("selector", ["NGX", "hap8", "GTW0", *TOPICS.values(), "NGX402"])
def test_known_selectors(selector: str) -> None:
    registry.require_known(selector)


@pytest.mark.parametrize("selector", ["", "N", "NG", "NGX4021", "XYZ401", "keepaliv", "*"])
def test_unknown_selectors(selector: str) -> None:
    with pytest.raises(registry.SelectorError):
        registry.require_known(selector)


def test_a_selected_rule_runs_whatever_its_topic() -> None:
    in_profile = registry.selected("reliability", [], [])
    assert all(file.topic != "security" for file in in_profile)
    assert registry.selected("strict", [], []) == list(registry.rule_files())
    assert {file.code for file in registry.selected("reliability", ["NGX402"], [])} == {"NGX402"}
    assert registry.selected("reliability", ["NGX402"], ["keepalive"]) == []


def test_every_package_is_installed() -> None:
    """A folder that pyproject.toml does not list would be missing from the wheel."""
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {"linter": "gwlint", "rules": "gwlint.rules", "templates": "gwlint.templates"}
    found = {
        ".".join([package, *path.parent.relative_to(ROOT / folder).parts])
        for folder, package in folders.items()
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert found == set(setup["packages"])


@pytest.mark.parametrize(
    ("code", "name", "place"),
    [
        ("NGX999", "made-for-a-test", "hygiene/ngx999_made_for_a_test.py"),
        ("HAP499", "made-for-a-test", "keepalive/hap499_made_for_a_test.py"),
    ],
)
def test_a_new_rule_works_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, name: str, place: str
) -> None:
    path = write_rule(code, name, tmp_path)
    assert path == tmp_path / place
    rule = _load(path)
    assert (rule.code, rule.name, f"{rule.topic()}") == (code, name, path.parent.name)
    monkeypatch.chdir(tmp_path)
    for examples, faulty in ((rule.bad, True), (rule.good, False)):
        for file, text in examples[0].files.items():
            Path(file).write_text(text)
            findings = check(load_project([file], Settings()), Settings(), [rule]).findings
            assert bool(findings) is faulty
    with pytest.raises(FileExistsError):
        write_rule(code, "another-name", tmp_path)
    ruff = [Path(sys.executable).with_name("ruff"), "--config", ROOT / "pyproject.toml"]
    subprocess.run([ruff[0], "check", *ruff[1:], path], check=True, timeout=60)
    subprocess.run([ruff[0], "format", "--check", *ruff[1:], path], check=True, timeout=60)


def _load(path: Path) -> type[Rule]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (rule,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == path.stem
    )
    return rule


@pytest.mark.parametrize(
    ("code", "name"),
    [("NGX1", "a-name"), ("ngx999", "a-name"), ("GTW999", "a-name"), ("NGX999", "A_Name")],
)
def test_a_new_rule_needs_a_code_and_a_name(tmp_path: Path, code: str, name: str) -> None:
    with pytest.raises(ValueError, match="is no "):
        write_rule(code, name, tmp_path)
