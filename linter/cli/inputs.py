"""From options to what a command works on: settings, the project, the rules that run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gwlint.cli.failure import Defect, Failure

if TYPE_CHECKING:
    from gwlint.project import Project
    from gwlint.registry import RuleFile
    from gwlint.rule import Rule
    from gwlint.settings import Settings

STDIN = "-"


def read_settings(
    paths: list[str],
    *,
    config: str | None,
    targets: list[str] | None,
    select: list[str] | None,
    ignore: list[str] | None,
    profile: str | None,
    fail_on: str | None,
    dialect: str | None,
) -> Settings:
    """The options over gwlint.yaml. Raises Failure with everything that is wrong with them."""
    from gwlint.settings import SettingsError, load_settings

    try:
        return load_settings(
            "." if paths[0] == STDIN else paths[0],
            config=config,
            targets=targets or (),
            select=select or (),
            ignore=ignore or (),
            profile=profile,
            fail_on=fail_on,
            dialect=dialect,
        )
    except SettingsError as error:
        raise Failure(str(error)) from error


def read_project(paths: list[str], settings: Settings, stdin_filename: str) -> Project:
    """Everything that the paths lead to; `-` is standard input under the given name.

    Raises Failure when a path does not exist, or nothing under the paths is a configuration.
    """
    from gwlint.project import NoInput, load_project
    from gwlint.project.reading import Disk, Overlay, Reader, absolute_path

    reader: Reader = Disk()
    if STDIN in paths:
        if sys.stdin is None:
            raise Failure("standard input is closed")
        reader = Overlay({absolute_path(stdin_filename): sys.stdin.buffer.read()})
        paths = [stdin_filename if path == STDIN else path for path in paths]
    try:
        return load_project(paths, settings, reader)
    except NoInput as error:
        raise Failure(str(error)) from error


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


def load_rules(files: list[RuleFile], project: Project) -> list[type[Rule]]:
    """The classes of the rules that have something to read: other dialects stay unimported."""
    from gwlint.registry import RuleFileError

    dialects = {file.dialect for file in project.files} | {"gateway"}
    try:
        return [file.load() for file in files if file.dialect in dialects]
    except RuleFileError as error:
        raise Defect(str(error)) from error
