"""What tests of rules need: findings of a text, and the text after its fixes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gwlint.edits import apply, changes_for, compatible
from gwlint.engine import check
from gwlint.project import load_project
from gwlint.registry import find, relevant
from gwlint.rule import Finding
from gwlint.settings import Settings, load_settings
from gwlint.source import decode, encode
from gwlint.syntax.version import Version

Files = str | Mapping[str, str]

MAX_ROUNDS = 10


def as_files(files: Files, name: str = "nginx.conf") -> Mapping[str, str]:
    return {name: files} if isinstance(files, str) else files


def findings(files: Files, code: str, target: str | None = None) -> list[Finding]:
    """What rule `code` says of some files: a text is nginx.conf, or haproxy.cfg for HAP rules.

    `target` is a version of the rule's dialect; a gwlint.yaml among the files counts.
    """
    name = "haproxy.cfg" if code.startswith("HAP") else "nginx.conf"
    with tempfile.TemporaryDirectory() as folder:
        for path, text in as_files(files, name).items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(encode(text))
        before = Path.cwd()
        os.chdir(folder)
        try:
            settings = _settings(code, target)
            project = load_project(["."], settings)
            file = find(code)[0]
            found = check(project, settings, [file.load()]).findings
            # The command does not import rules that have nothing to read; none may be among them.
            assert not found or relevant([file], project, settings)
            return found
        finally:
            os.chdir(before)


def _settings(code: str, target: str | None) -> Settings:
    """The settings of a gwlint.yaml among the files, with the target on top."""
    settings = load_settings() if Path("gwlint.yaml").is_file() else Settings()
    if target is None:
        return settings
    version = Version.parse(target)
    if code.startswith("HAP"):
        return replace(settings, target_haproxy=version)
    return replace(settings, target_nginx=version)


def fixed(files: Files, code: str, target: str | None = None) -> dict[str, str]:
    """The files after all fixes of rule `code`, safe and unsafe, applied until none is left."""
    name = "haproxy.cfg" if code.startswith("HAP") else "nginx.conf"
    texts = dict(as_files(files, name))
    for _ in range(MAX_ROUNDS):
        fixes = [one.fix for one in findings(texts, code, target) if one.fix is not None]
        if not fixes:
            return texts
        chosen = compatible(fixes)
        texts = {
            path: decode(apply(encode(text), changes_for(path, chosen)))
            for path, text in texts.items()
        }
    raise AssertionError(f"the fixes of {code} do not come to an end")


def fixed_text(text: str, code: str, target: str | None = None) -> str:
    """`fixed` for one file."""
    (result,) = fixed(text, code, target).values()
    return result
