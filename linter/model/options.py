"""Options of rules: what gwlint.yaml says under `rules`, as in `NGX303: {budget: 60s}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gwlint.model.quantities import Kind, UnexpectedValue, shown
from gwlint.settings import Settings, SettingsError, SettingsProblem
from gwlint.syntax.nearest import nearest


@dataclass(frozen=True, slots=True)
class Option:
    """One thing about a rule that users may set.

    `read` turns what gwlint.yaml says into a number, seconds or bytes, and raises UnexpectedValue;
    it is a Kind, so that the JSON Schema of gwlint.yaml says what may be written. `default` is
    written as users would write it. `meaning` ends a sentence that begins with the
    name: "the longest time that all tries together may take".
    """

    name: str
    read: Kind[float]
    default: str
    meaning: str


Options = Mapping[str, float]
"""Option -> its value: seconds or bytes."""


def options_of(code: str, declared: Sequence[Option], settings: Settings) -> Options:
    """The values of a rule's options: those in `settings.rules`, else their defaults.

    Raises SettingsError with all that is unknown or cannot be used.
    """
    known = {option.name: option for option in declared}
    found = {option.name: option.read(option.default) for option in declared}
    problems: list[SettingsProblem] = []
    for name, value in settings.rules.get(code, {}).items():
        option = known.get(name)
        if option is None:
            near = nearest(name, known)
            message = f'{code} has no option "{name}"'
            problems.append(problem_at(settings, (code, name), message, *near[:1]))
            continue
        try:
            found[name] = option.read(value)
        except UnexpectedValue as bad:
            message = f"{name} must be {bad.expected}, not {shown(value)}"
            problems.append(problem_at(settings, (code, name), message, bad.suggestion))
    if problems:
        raise SettingsError(problems)
    return found


def problem_at(
    settings: Settings, keys: tuple[str, ...], message: str, suggestion: str | None = None
) -> SettingsProblem:
    """A problem with what stands below `rules` in gwlint.yaml."""
    line, column = settings.places.get(("rules", *keys), (0, 0))
    return SettingsProblem(settings.file or "rules", line, column, message, suggestion)
