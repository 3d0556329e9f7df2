"""Options of rules in gwlint.yaml: what they change, and what is said of those that are wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gwlint.engine import check
from gwlint.project import load_project
from gwlint.registry import all_rules, find, require_usable_options
from gwlint.rule import Rule
from gwlint.settings import Settings, SettingsError, load_settings

TWO_SERVERS = """
events {}
http {
    upstream app { server 127.0.0.1:1; server 127.0.0.1:2; }
    server {
        listen 8080;
        location / {
            proxy_pass http://app;
            proxy_connect_timeout 5s;
            proxy_read_timeout 20s;
        }
    }
}
"""


def settings(folder: Path, text: str) -> Settings:
    file = folder / "gwlint.yaml"
    file.write_text(text)
    return load_settings(str(folder), config=str(file))


@pytest.mark.parametrize(
    ("option", "count"), [("{budget: 30s}", 1), ("{budget: 39}", 1), ("{budget: 1m}", 0), ("{}", 0)]
)
def test_an_option_reaches_its_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, count: int
) -> None:
    (tmp_path / "nginx.conf").write_text(TWO_SERVERS)
    monkeypatch.chdir(tmp_path)
    chosen = settings(tmp_path, f"rules: {{NGX303: {option}}}\n")
    project = load_project(["nginx.conf"], chosen)
    report = check(project, chosen, [find("NGX303")[0].load()])
    assert len(report.findings) == count


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("rules:\n  NGX303: {budged: 60s}\n", "2:12", 'did you mean "budget"'),
        ("rules:\n  NGX303: {budget: soon}\n", "2:12", "budget must be a time such as"),
        ("rules:\n  NGX303: {budget: [60s]}\n", "2:12", "budget must be a time such as"),
        ("rules:\n  NGX207: {budget: -1}\n", "2:12", "budget must be a size such as"),
        ("rules:\n  NGX203: {budget: 60s}\n", "2:12", 'NGX203 has no option "budget"'),
        ("rules:\n  retries-unbounded: {budget: 60s}\n", "2:3", 'did you mean "NGX303"'),
        ("rules:\n  ngx303: {budget: 60s}\n", "2:3", 'did you mean "NGX303"'),
        ("rules:\n  NGX3O3: {budget: 60s}\n", "2:3", 'no rule has the code "NGX3O3"'),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, text: str, place: str, message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        require_usable_options(settings(tmp_path, text))
    (problem,) = caught.value.problems
    assert f":{place}: " in str(problem)
    assert message in str(problem)


def test_all_problems_are_said(tmp_path: Path) -> None:
    text = "rules:\n  NGX303: {budged: 1s, depth: 3}\n  NGX999: {}\n"
    with pytest.raises(SettingsError) as caught:
        require_usable_options(settings(tmp_path, text))
    assert len(caught.value.problems) == 3


def test_the_command_ends_with_2_before_it_reads_anything(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text(TWO_SERVERS)
    (tmp_path / "gwlint.yaml").write_text("rules: {NGX303: {budged: 60s}}\n")
    done = subprocess.run(
        [Path(sys.executable).parent / "gwlint", "check", "--select", "NGX001", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    expected = 'gwlint.yaml:1:18: NGX303 has no option "budged" (did you mean "budget"?)'
    assert expected in done.stderr


def test_a_rule_that_is_made_without_options_has_the_defaults() -> None:
    rule = find("NGX303")[0].load()()
    assert rule.option == {"budget": 60.0}
    assert find("NGX207")[0].load()().option == {"budget": 4 * 1024**3}


@pytest.mark.parametrize("rule", [one for one in all_rules() if one.options], ids=lambda r: r.code)
def test_options_are_described(rule: type[Rule]) -> None:
    for option in rule.options:
        assert option.read(option.default) >= 0
        assert option.meaning
        assert not option.meaning.endswith(".")
