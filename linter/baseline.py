"""Baselines: the findings that were there when gwlint was adopted, so only new ones count.

A baseline is a JSON file that is kept beside the configuration. It names findings by fingerprint:
rule, path from the baseline's folder, enclosing blocks, statement and occurrence, never the line.
The statements themselves are not in it, since some hold passwords.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gwlint.engine import Report
from gwlint.rule import Finding, fingerprints

KIND = "gwlint-baseline"
VERSION = 1


class BaselineError(ValueError):
    """A baseline that cannot be used; the message begins with its path."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The fingerprints of known findings; the paths in them begin in `folder`."""

    folder: Path
    fingerprints: frozenset[str]

    def applied(self, report: Report) -> Report:
        """The report without known findings, which are counted in `baselined`."""
        new = [
            finding
            for finding, _, mark in _marked(report, self.folder)
            if mark not in self.fingerprints
        ]
        return replace(report, findings=new, baselined=len(report.findings) - len(new))


def read_baseline(path: Path) -> Baseline:
    """Raises BaselineError for a file that cannot be read, is broken, or is no baseline."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {error.strerror or error}") from error
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise BaselineError(f"{place}: not JSON, as baselines are: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"{path}: not JSON, as baselines are: {error}") from error
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise BaselineError(f"{path}: not a baseline that gwlint wrote")
    if document.get("version") != VERSION:
        found = document.get("version")
        raise BaselineError(
            f"{path}: a baseline of version {found!r}, and this gwlint reads {VERSION}"
        )
    return Baseline(path.parent, frozenset(_marks(path, document.get("findings"))))


def _marks(path: Path, findings: Any) -> Iterator[str]:
    if not isinstance(findings, list):
        raise BaselineError(f'{path}: the baseline is broken: "findings" is no list')
    for number, finding in enumerate(findings, 1):
        mark = finding.get("fingerprint") if isinstance(finding, dict) else None
        if not isinstance(mark, str):
            raise BaselineError(
                f"{path}: the baseline is broken: finding {number} has no fingerprint"
            )
        yield mark


def render_baseline(report: Report, folder: Path) -> str:
    """The findings of a report as a baseline that lies in `folder`.

    One finding a line, by path, code and fingerprint, so that a change moves no other line.
    """
    rows = sorted((path, finding.code, mark) for finding, path, mark in _marked(report, folder))
    lines = ",\n    ".join(
        json.dumps({"path": path, "code": code, "fingerprint": mark}) for path, code, mark in rows
    )
    findings = f"[\n    {lines}\n  ]" if lines else "[]"
    return f'{{\n  "kind": "{KIND}",\n  "version": {VERSION},\n  "findings": {findings}\n}}\n'


def _marked(report: Report, folder: Path) -> Iterator[tuple[Finding, str, str]]:
    """Each finding, its path from `folder`, and a fingerprint that is the same wherever gwlint
    is run."""
    paths = {file.path: _path_from(folder, file.absolute) for file in report.project.files}
    identities = [
        (finding.code, paths[finding.path], *finding.identity[2:]) for finding in report.findings
    ]
    for finding, identity, mark in zip(
        report.findings, identities, fingerprints(identities), strict=True
    ):
        yield finding, identity[1], mark


def _path_from(folder: Path, absolute: str) -> str:
    """With forward slashes; symbolic links are followed, so that all ways to a file are one."""
    return Path(os.path.relpath(os.path.realpath(absolute), os.path.realpath(folder))).as_posix()
