"""From options to what a command works on: settings, the project, the rules that run."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gwlint.cli.failure import Defect, Failure
from gwlint.cli.output import note
from gwlint.syntax.nearest import nearest

if TYPE_CHECKING:
    from gwlint.engine import Report
    from gwlint.project import Project
    from gwlint.project.reading import Reader
    from gwlint.registry import RuleFile
    from gwlint.rule import Finding
    from gwlint.settings import Settings

STDIN = "-"
STDIN_FILENAME = "<stdin>"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a command reads, and the options that decide how it is read and judged.

    None and () mean that an option was not given, so gwlint.yaml or the default counts.
    """

    paths: tuple[str, ...]
    stdin_filename: str = STDIN_FILENAME
    config: str | None = None
    targets: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    profile: str | None = None
    fail_on: str | None = None
    dialect: str | None = None

    @property
    def names(self) -> list[str]:
        """The paths, with the name of standard input in place of `-`."""
        return [self.stdin_filename if path == STDIN else path for path in self.paths]


def require_one_of(option: str, value: str, allowed: Collection[str]) -> None:
    """Raise Failure when an option has a value that does not exist."""
    if value not in allowed:
        near = nearest(value, allowed)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise Failure(f"{option}: {value!r} is not one of {', '.join(allowed)}{hint}")


def read_settings(inputs: Inputs) -> Settings:
    """The options over gwlint.yaml. Raises Failure with everything that is wrong with them."""
    from gwlint.settings import SettingsError, load_settings

    if "" in inputs.paths:
        raise Failure("a PATH is empty, as an unset shell variable leaves it")
    try:
        settings = load_settings(
            "." if inputs.paths[0] == STDIN else inputs.paths[0],
            config=inputs.config,
            targets=inputs.targets,
            select=inputs.select,
            ignore=inputs.ignore,
            profile=inputs.profile,
            fail_on=inputs.fail_on,
            dialect=inputs.dialect,
        )
        if settings.services:
            from gwlint.model.facts import facts_of

            # What is wrong with the facts is said before anything is read.
            facts_of(settings)
        if settings.rules:
            from gwlint.registry import require_usable_options

            require_usable_options(settings)
        return settings
    except SettingsError as error:
        raise Failure(str(error)) from error


def reader_for(inputs: Inputs) -> Reader:
    """Where contents come from: the disk, with standard input laid over it under its name."""
    from gwlint.project.reading import Disk, Overlay, absolute_path

    if STDIN not in inputs.paths:
        return Disk()
    if sys.stdin is None:
        raise Failure("standard input is closed")
    return Overlay({absolute_path(inputs.stdin_filename): sys.stdin.buffer.read()})


def chosen_rules(settings: Settings) -> list[RuleFile]:
    """The rules that the settings ask for. Raises Failure for a selector that means none."""
    from gwlint.registry import SelectorError, require_known, selected

    named: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("select",), settings.select),
        (("ignore",), settings.ignore),
        *((("per_file_ignores", key), words) for key, words in settings.per_file_ignores.items()),
    ]
    problems = []
    for keys, words in named:
        for word in words:
            try:
                require_known(word)
            except SelectorError as error:
                problems.append(f"{settings.place_of(*keys, word)}: {error}")
    if problems:
        raise Failure("\n".join(problems))
    return selected(settings.profile, settings.select, settings.ignore)


class Judge:
    """Finds faults in a project, with the rules that the settings ask for."""

    def __init__(self, settings: Settings) -> None:
        """Raises Failure for a selector that means no rule."""
        self._settings = settings
        self._rules = chosen_rules(settings)
        self.unread: dict[str, bool] = {}
        """Files that could not be read, and so not judged; whether the user named them."""

    def report(self, project: Project) -> Report:
        """What a check of the project says. Raises Defect."""
        from gwlint.engine import RuleError, check
        from gwlint.registry import RuleFileError

        self._note_unreadable(project)
        dialects = {file.dialect for file in project.files} | {"gateway"}
        try:
            # The rules of other dialects have nothing to read here and stay unimported.
            rules = [file.load() for file in self._rules if file.dialect in dialects]
            return check(project, self._settings, rules)
        except (RuleError, RuleFileError) as error:
            raise Defect(str(error)) from error

    def find(self, project: Project) -> list[Finding]:
        """The findings that text lists: what is hidden is not fixed behind the user's back."""
        from gwlint.rule import Severity

        least = Severity.INFO if lists_info(self._settings) else Severity.WARNING
        return [one for one in self.report(project).findings if one.severity >= least]

    def _note_unreadable(self, project: Project) -> None:
        for file in project.files:
            if file.status == "unreadable" and file.path not in self.unread:
                self.unread[file.path] = file.named
                note(f"gwlint: {file.path}: cannot be read: {file.reason}")


def lists_info(settings: Settings) -> bool:
    """Whether text lists info findings: where asked for by strict, --fail-on info or --select."""
    asked = settings.profile == "strict" or settings.fail_on == "info"
    return asked or bool(settings.select)
