"""The engine: what gwlint.yaml hides, and how a defect in a rule is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gwlint.engine import RuleError, check
from gwlint.model.nginx.config import NginxConfig
from gwlint.project import load_project
from gwlint.registry import all_rules
from gwlint.rule import Finding, NginxRule, Severity
from gwlint.settings import Settings

CONFIG = "events {}\nhttp { upstream app { server 127.0.0.1:1 down; } server { location / { " + (
    "proxy_pass http://app; } } }\n"
)


class Defective(NginxRule):
    """A rule with a defect."""

    code = "NGX999"
    name = "defective"
    severity = Severity.ERROR

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        raise KeyError(config.root.main.path)


def test_a_defect_names_rule_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nginx.conf").write_text(CONFIG)
    project = load_project(["."], Settings())
    with pytest.raises(RuleError, match=r"NGX999 defective failed on nginx\.conf"):
        check(project, Settings(), [Defective])


def test_rules_bear_a_file_of_an_upstream_s_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by fuzzing: such a file is a fragment whose upstream has its name elsewhere."""
    monkeypatch.chdir(tmp_path)
    Path("servers.conf").write_text("keepalive 0;\nserver 127.0.0.1:3000;\nserver 127.0.0.1:1;\n")
    project = load_project(["servers.conf"], Settings())
    assert project.nginx_roots[0].is_fragment
    check(project, Settings(), all_rules())


def test_ignores_hold_for_the_files_they_name(tmp_path: Path, gwlint: Callable[..., Any]) -> None:
    for folder in ("old", "new"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "nginx.conf").write_text(CONFIG)
    (tmp_path / "gwlint.yaml").write_text("per_file_ignores: {'old/**': [all-servers-down]}\n")
    found = gwlint("check", "--format", "json", "--select", "NGX109", ".").json["findings"]
    assert [one["path"] for one in found] == ["new/nginx.conf"]
