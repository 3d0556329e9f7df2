"""Baselines: the findings that were there when gwlint was adopted, so only new ones count.

A baseline is a JSON file that is kept beside the configuration. It names findings by fingerprint:
rule, path from the baseline's folder, enclosing blocks, statement and occurrence, never the line.
The statements themselves are not in it, since some hold passwords.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from gwlint.engine import Report
from gwlint.project.files import Project
from gwlint.rule import Finding, fingerprints

KIND = "gwlint-baseline"
VERSION = 1

LEAST_ALIKE = 0.5
"""The share of findings that a file keeps when it is moved and changed."""

MOST_PAIRS = 10_000
"""How many pairs of a new file and one that is gone are compared."""


class BaselineError(ValueError):
    """A baseline that cannot be used; the message begins with its path."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """Known findings: by the path of their file, which begins in `folder`, the fingerprint of each
    and the code of its rule."""

    folder: Path
    fingerprints: Mapping[str, Mapping[str, str]]

    def known(self, findings: Sequence[Finding], project: Project) -> list[bool]:
        """For each finding of a project, whether it was known."""
        return [
            mark in self.fingerprints.get(path, ())
            for path, mark in _marked(findings, project, self.folder)
        ]

    def following(self, report: Report) -> Baseline:
        """The baseline with files under the names to which they were moved.

        A file that the baseline does not name is one that is no longer there, if at least half of
        the findings of both are the same.
        """
        paths = {file.path: _path_from(self.folder, file.absolute) for file in report.project.files}
        codes = {finding.code for finding in report.findings}
        gone = [path for path in self.fingerprints if self._is_gone(path)]
        new: dict[str, list[Finding]] = {}
        for finding in report.findings if gone else ():
            if paths[finding.path] not in self.fingerprints:
                new.setdefault(paths[finding.path], []).append(finding)
        if len(gone) * len(new) > MOST_PAIRS:
            return self
        moves = sorted(
            (-share, PurePath(before).name != PurePath(path).name, path, before)
            for path, findings in new.items()
            for before in gone
            if (share := self._share(before, findings, codes)) >= LEAST_ALIKE
        )
        found = dict(self.fingerprints)
        for _, _, path, before in moves:
            if path not in found and before in found:
                known = found.pop(before)
                here, there = _marks(new[path], path), _marks(new[path], before)
                found[path] = {
                    mark: known[old] for mark, old in zip(here, there, strict=True) if old in known
                }
        return Baseline(self.folder, found)

    def _is_gone(self, path: str) -> bool:
        """Whether a known file is no longer there, or only a link to where it went."""
        place = self.folder / path
        return not place.exists() or _path_from(self.folder, str(place)) != path

    def _share(self, before: str, findings: Sequence[Finding], codes: set[str]) -> float:
        """How much of a known file, and of the findings in another, is the same: from 0 to 1.

        Rules that found nothing anywhere may not have run, so only those with `codes` count.
        """
        known = {mark for mark, code in self.fingerprints[before].items() if code in codes}
        common = sum(mark in known for mark in _marks(findings, before))
        return common / max(len(known), len(findings))


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
    by_path: dict[str, dict[str, str]] = {}
    for file, code, mark in _rows(path, document.get("findings")):
        by_path.setdefault(file, {})[mark] = code
    return Baseline(path.parent, by_path)


def _rows(path: Path, findings: Any) -> Iterator[tuple[str, str, str]]:
    """Path, code and fingerprint of each finding in a baseline."""
    if not isinstance(findings, list):
        raise BaselineError(f'{path}: the baseline is broken: "findings" is no list')
    for number, finding in enumerate(findings, 1):
        row = finding if isinstance(finding, dict) else {}
        for key in ("path", "code", "fingerprint"):
            if not isinstance(row.get(key), str):
                what = f"finding {number} has no {key}"
                raise BaselineError(f"{path}: the baseline is broken: {what}")
        yield row["path"], row["code"], row["fingerprint"]


def render_baseline(report: Report, folder: Path) -> str:
    """The findings of a report as a baseline that lies in `folder`.

    One finding a line, by path, code and fingerprint, so that a change moves no other line.
    """
    marked = _marked(report.findings, report.project, folder)
    rows = sorted(
        (path, finding.code, mark)
        for finding, (path, mark) in zip(report.findings, marked, strict=True)
    )
    lines = ",\n    ".join(
        json.dumps({"path": path, "code": code, "fingerprint": mark}) for path, code, mark in rows
    )
    findings = f"[\n    {lines}\n  ]" if lines else "[]"
    return f'{{\n  "kind": "{KIND}",\n  "version": {VERSION},\n  "findings": {findings}\n}}\n'


def _marked(
    findings: Sequence[Finding], project: Project, folder: Path
) -> Iterator[tuple[str, str]]:
    """For each finding its path from `folder`, and a fingerprint that is the same wherever gwlint
    is run."""
    paths = {file.path: _path_from(folder, file.absolute) for file in project.files}
    identities = [_identity(finding, paths[finding.path]) for finding in findings]
    for identity, mark in zip(identities, fingerprints(identities), strict=True):
        yield identity[1], mark


def _marks(findings: Sequence[Finding], path: str) -> list[str]:
    """The fingerprints of one file's findings if it had a path."""
    return list(fingerprints(_identity(finding, path) for finding in findings))


def _identity(finding: Finding, path: str) -> tuple[str, ...]:
    return (finding.code, path, *finding.identity[2:])


def _path_from(folder: Path, absolute: str) -> str:
    """With forward slashes; symbolic links are followed, so that all ways to a file are one."""
    return Path(os.path.relpath(os.path.realpath(absolute), os.path.realpath(folder))).as_posix()
