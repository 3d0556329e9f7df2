"""`--diff-base` and `--changed-only`: what a check says of a git revision."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from gwlint.cli.failure import Failure
from gwlint.cli.inputs import Inputs, Judge
from gwlint.git.changes import changed_paths, moved_since
from gwlint.git.comparison import Before
from gwlint.git.process import GitError
from gwlint.git.repository import repository_of
from gwlint.git.revision import Revision, revision_of
from gwlint.project import NoInput, Project, Reader, absolute_path, load_project
from gwlint.project.reading import is_inside
from gwlint.settings import Settings


@dataclass(frozen=True)
class Past:
    """A revision, judged as the files are judged now: with the settings of today, so that changing
    those makes nothing new."""

    revision: Revision
    inputs: Inputs
    settings: Settings
    judge: Judge

    def findings(self, project: Project) -> Before:
        """What was found at the revision in the files of a project, and in what they were before
        they were moved. Raises GitError and Defect."""
        moved = moved_since(project, self.revision)
        paths = self._paths(moved)
        try:
            then = load_project(paths, self.settings, self.revision, self.revision)
        except NoInput:
            return Before({})
        return Before.of(self.judge.report_in_silence(then), self.revision, moved)

    def changed(self, project: Project, reader: Reader) -> frozenset[str]:
        """The paths of files of a project that differ from the revision."""
        return frozenset(changed_paths(project, self.revision, reader))

    def _paths(self, moved: Mapping[str, str]) -> list[str]:
        """The paths that the command was given, as far as they were there, and in place of the
        others those from where files were moved."""
        sources = {now: before for before, now in moved.items()}
        paths: list[str] = []
        folders: list[str] = []
        for path in self.inputs.names:
            absolute = absolute_path(path)
            if self.revision.is_folder(absolute):
                folders.append(self.revision.real_path(absolute))
                paths.append(path)
            elif self.revision.is_file(absolute):
                paths.append(path)
            elif (before := sources.pop(os.path.realpath(absolute), None)) is not None:
                paths.append(before)
        # What lies in a folder that is searched is found there, among its neighbours.
        elsewhere = [
            before
            for before in sources.values()
            if not any(is_inside(before, folder) for folder in folders)
        ]
        return paths + sorted(elsewhere)


@contextmanager
def opened_past(
    option: str, revision: str, inputs: Inputs, settings: Settings, judge: Judge
) -> Iterator[Past]:
    """A revision of the repository in which the paths lie, for as long as the context lasts.

    Raises Failure, which names the option, when git fails here or later in the context.
    """
    try:
        with revision_of(repository_of(inputs.names), revision) as found:
            yield Past(found, inputs, settings, judge)
    except GitError as error:
        raise Failure(f"{option}: {error}") from error
