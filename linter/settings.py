"""What the user asked for: options of the command line over the keys of gwlint.yaml."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gwlint.patterns import path_matches
from gwlint.syntax.nearest import nearest
from gwlint.syntax.version import Version

FILE_NAMES = ("gwlint.yaml", ".gwlint.yaml")
PROFILES = ("reliability", "security", "strict")
FAIL_ON = ("error", "warning", "info", "never")
DIALECTS = ("nginx", "haproxy")

CONTEXTS = (
    "main",
    "events",
    "http",
    "http server",
    "http server if",
    "http upstream",
    "location",
    "location if",
    "limit_except",
    "stream",
    "stream server",
    "stream upstream",
    "mail",
    "mail server",
)
"""The nginx contexts that a fragment may be said to belong to."""


@dataclass(frozen=True, slots=True, order=True)
class SettingsProblem:
    """One fault: line and column count from 1, both 0 where an option of the command is meant."""

    path: str
    line: int
    column: int
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        """`gwlint.yaml:3:1: unknown key "profil" (did you mean "profile"?)`."""
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        meant = f' (did you mean "{self.suggestion}"?)' if self.suggestion else ""
        return f"{place}: {self.message}{meant}"


class SettingsError(ValueError):
    """Options or a gwlint.yaml that cannot be used; `problems` has all of them, in order."""

    def __init__(self, problems: Sequence[SettingsProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda one: (one.path, one.line, one.column)))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Settings:
    """All options, merged.

    `select`, `ignore` and the values of `per_file_ignores` hold codes, prefixes, names or topics
    as written; who knows the rules checks them (`place_of` says where they stand). `path_map` maps
    an absolute prefix, as include directives write it, to an absolute local folder. `folder` is
    absolute: that of gwlint.yaml, or the working directory; patterns count from it. `rules`,
    `services` and `layers` are plain data: dict, list, str, int, float, bool, None.
    """

    target_nginx: Version | None = None
    target_haproxy: Version | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    profile: str = "reliability"
    fail_on: str = "warning"
    dialect: str | None = None
    path_map: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    services: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[Any, ...] = ()
    folder: str = field(default_factory=os.getcwd)
    file: str | None = None
    """gwlint.yaml as shown to users; None when there is none."""
    is_named: bool = False
    """Whether the user named that file, so that what it says is the user's word."""
    places: Mapping[tuple[str | int, ...], tuple[int, int]] = field(default_factory=dict)
    """Where each key and value of gwlint.yaml stands: ("rules", "NGX303") -> (line, column)."""
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What options of the command line set: the field, and the values that they brought to it."""

    def ignored_in(self, absolute: str) -> tuple[str, ...]:
        """The selectors that `per_file_ignores` ignores in a file."""
        relative = self._relative(absolute)
        return tuple(
            selector
            for pattern, selectors in self.per_file_ignores.items()
            if path_matches(pattern, relative)
            for selector in selectors
        )

    def context_of(self, absolute: str) -> str | None:
        """The context that `contexts` gives a file: that of the last pattern that fits."""
        relative = self._relative(absolute)
        found = [
            context for pattern, context in self.contexts.items() if path_matches(pattern, relative)
        ]
        return found[-1] if found else None

    def mapped(self, absolute: str) -> str | None:
        """The local path for an absolute path of the deployed machine, by the longest prefix.

        `..` is resolved first, so that `/etc/nginx/../secret` lies outside of what `/etc/nginx`
        maps: a configuration leads only to the folders that path_map names.
        """
        absolute = posixpath.normpath(absolute)
        for prefix in sorted(self.path_map, key=len, reverse=True):
            rest = absolute[len(prefix) :]
            if absolute.startswith(prefix) and (not rest or rest.startswith("/")):
                return os.path.normpath(self.path_map[prefix] + rest)
        return None

    def place_of(self, *keys: str | int) -> str:
        """Where a key of gwlint.yaml stands, `gwlint.yaml:3:5`; the command line if nowhere."""
        line, column = self.places.get(keys, (0, 0))
        return f"{self.file}:{line}:{column}" if self.file and line else "command line"

    def problem(
        self, keys: tuple[str | int, ...], message: str, suggestion: str | None = None
    ) -> SettingsProblem:
        """A problem with what stands at `keys` in gwlint.yaml, or with what an option says."""
        line, column = self.places.get(keys, (0, 0))
        path = self.file if line else None
        if keys[-1] in self.options.get(str(keys[0]), ()) or path is None:
            return SettingsProblem(f"--{keys[0]}", 0, 0, message, suggestion)
        return SettingsProblem(path, line, column, message, suggestion)

    def _relative(self, absolute: str) -> str:
        return os.path.relpath(absolute, self.folder).replace(os.sep, "/")


Check = Callable[[Settings], object]
"""Something that raises SettingsError for what it cannot use."""


def load_settings(
    first_path: str = ".",
    *,
    config: str | None = None,
    targets: Sequence[str] = (),
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    profile: str | None = None,
    fail_on: str | None = None,
    dialect: str | None = None,
    checks: Sequence[Check] = (),
) -> Settings:
    """Settings from gwlint.yaml with the options of the command line on top.

    The file is `config`, or the nearest gwlint.yaml or .gwlint.yaml from the folder of
    `first_path` upwards. An option that is given replaces the key, of `target` only that server's;
    `ignore` is added to it. `select` and `ignore` may hold lists with commas.

    Raises SettingsError with everything that is wrong, what `checks` find included.
    """
    problems: list[SettingsProblem] = []
    path = config if config is not None else _nearest_file(first_path, problems)
    settings = Settings() if path is None else _read_file(path, problems)
    found: dict[str, Any] = {}
    given: dict[str, tuple[str, ...]] = {}
    for text in targets:
        try:
            name, version = parse_target(text)
        except BadValueError as bad:
            problems.append(SettingsProblem("--target", 0, 0, bad.message, bad.suggestion))
        else:
            found[f"target_{name}"] = version
            given[f"target_{name}"] = (str(version),)
    for option, value, allowed in (
        ("profile", profile, PROFILES),
        ("fail_on", fail_on, FAIL_ON),
        ("dialect", dialect, DIALECTS),
    ):
        if value is None:
            continue
        try:
            found[option] = one_of(value, allowed)
        except BadValueError as bad:
            name = "--" + option.replace("_", "-")
            problems.append(SettingsProblem(name, 0, 0, bad.message, bad.suggestion))
        else:
            given[option] = (value,)
    if select:
        found["select"] = given["select"] = selector_words(select)
    if ignore:
        given["ignore"] = selector_words(ignore)
        found["ignore"] = (*settings.ignore, *given["ignore"])
    settings = replace(
        settings, **found, options=MappingProxyType(given), is_named=config is not None
    )
    for check in checks:
        try:
            check(settings)
        except SettingsError as error:
            problems.extend(error.problems)
    if problems:
        raise SettingsError(problems)
    return settings


def find_settings_file(first_path: str) -> str | None:
    """The nearest gwlint.yaml, or .gwlint.yaml, from a file or folder upwards.

    Raises SettingsError when both stand in one folder.
    """
    problems: list[SettingsProblem] = []
    found = _nearest_file(first_path, problems)
    if problems:
        raise SettingsError(problems)
    return found


def _nearest_file(first_path: str, problems: list[SettingsProblem]) -> str | None:
    # The `..` of ../other/nginx.conf must not lead through the working folder.
    start = Path(os.path.abspath(first_path))  # noqa: PTH100 - Path.absolute keeps `..`
    for folder in (start, *start.parents):
        found = settings_files_in(str(folder))
        if len(found) > 1:
            message = f"{FILE_NAMES[0]} stands in the same folder: which one counts?"
            problems.append(SettingsProblem(_shown(found[1]), 1, 1, message))
        if found:
            return _shown(found[0])
    return None


def settings_files_in(folder: str) -> list[str]:
    """The gwlint.yaml and .gwlint.yaml of one folder, dangling links too: reading them fails."""
    paths = [Path(folder) / name for name in FILE_NAMES]
    return [str(path) for path in paths if path.is_file() or path.is_symlink()]


def unused_settings_files(settings: Settings, absolute: Iterable[str]) -> list[str]:
    """Each gwlint.yaml that stands nearer to one of the files than that of `settings`, as shown."""
    used = None if settings.file is None else Path(settings.folder)
    found: set[str] = set()
    seen: set[Path] = {used} if used else set()
    for path in absolute:
        parents = Path(path).parents
        if used is not None and used not in parents:
            continue
        for folder in parents:
            if folder in seen:
                break
            seen.add(folder)
            found.update(map(_shown, settings_files_in(str(folder))))
    return sorted(found)


class BadValueError(Exception):
    """A value that does not fit; its place is added by who knows it."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion


def _shown(absolute: str) -> str:
    relative = os.path.relpath(absolute)
    return (absolute if relative.startswith("..") else relative).replace(os.sep, "/")


def selector_words(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def one_of(value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        near = nearest(value, allowed)
        raise BadValueError(
            f'"{value}" is not one of {", ".join(allowed)}', near[0] if near else None
        )
    return value


def parse_target(text: str) -> tuple[str, Version]:
    """The server and the version that `nginx=1.22.1` says."""
    name, equals, version = text.partition("=")
    if not equals:
        raise BadValueError(f'"{text}" is no target; write nginx=1.22.1 or haproxy=2.8')
    return one_of(name.strip(), DIALECTS), parse_version(version.strip())


def parse_version(text: str) -> Version:
    try:
        return Version.parse(text)
    except ValueError as error:
        raise BadValueError(str(error)) from None


def _read_file(path: str, problems: list[SettingsProblem]) -> Settings:
    """The settings of one file; what is wrong with it is added to `problems`."""
    folder = os.path.normpath(Path(path).absolute().parent)
    found = Settings(folder=folder, file=path)
    try:
        if not Path(path).is_file():
            raise FileNotFoundError("no such file")
        data = Path(path).read_bytes()
    except OSError as error:
        problems.append(SettingsProblem(path, 0, 0, f"cannot be read: {error.strerror or error}"))
        return found
    # YAML is imported only where there is a file to read: most runs have none.
    from gwlint.settings_file import SettingsFile

    reader = SettingsFile(path, folder, problems)
    root = reader.compose(data)
    if root is None:
        return found
    values = reader.settings(root)
    return replace(found, **values, places=MappingProxyType(reader.places))
