"""Finding rules: one file of rules/<topic>/ holds one rule, and its file name says which.

`rules/keepalive/ngx402_keepalive_without_http11.py` is NGX402, keepalive-without-http11, of the
topic keepalive. So everything that selects rules works on file names, and only the modules of
rules that will run are imported: a check of one small file must start fast.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import gwlint.rules
from gwlint.model.options import options_of, problem_at
from gwlint.rule import DIALECTS, TOPICS, Rule
from gwlint.settings import Settings, SettingsError, SettingsProblem
from gwlint.syntax.nearest import nearest

if TYPE_CHECKING:
    from gwlint.project.files import Project

_FILE_NAME = re.compile(r"(ngx|hap|gtw)([0-9]{3})_([a-z0-9_]+)\.py")
_GROUP = re.compile(r"(ngx|hap|gtw)[0-9]?")

PROFILES: dict[str, frozenset[str]] = {
    "reliability": frozenset(TOPICS.values()) - {"security"},
    "security": frozenset(TOPICS.values()),
    "strict": frozenset(TOPICS.values()),
}
"""Profile -> the topics whose rules run. `strict` also shows what the others only count."""


class SelectorError(ValueError):
    """A selector, code or name that no rule answers to; `suggestion` is one that exists."""

    def __init__(self, text: str, suggestion: str | None) -> None:
        hint = f"; did you mean {suggestion}?" if suggestion else ""
        super().__init__(f"no rule or topic is called {text!r}{hint}")
        self.text = text
        self.suggestion = suggestion


class RuleFileError(Exception):
    """A file of rules/ that does not hold the one rule that its name promises."""


class RuleFile(NamedTuple):
    """A rule as its file name tells it, before its module is imported."""

    code: str
    name: str
    topic: str
    module: str

    @property
    def dialect(self) -> str:
        return DIALECTS[self.code[:3]]

    def answers_to(self, selector: str) -> bool:
        """Whether a selector means this rule: code or its beginning, name or topic."""
        word = selector.lower()
        is_prefix = word[:3].upper() in DIALECTS and self.code.startswith(word.upper())
        return is_prefix or word in (self.name, self.topic)

    def load(self) -> type[Rule]:
        """The rule's class.

        Raises RuleFileError when the module defines no rule, several, or another one than its
        file name and folder say.
        """
        module = import_module(self.module)
        found = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, Rule)
            and value.__module__ == module.__name__
        ]
        if len(found) != 1:
            raise RuleFileError(f"{self.module} defines {len(found)} rules; it must define one")
        rule = found[0]
        if (rule.code, rule.name, rule.topic()) != (self.code, self.name, self.topic):
            raise RuleFileError(
                f"{self.module} holds {rule.code} {rule.name} of the topic {rule.topic()};"
                f" its place says {self.code} {self.name} of the topic {self.topic}"
            )
        return rule


@cache
def rule_files() -> tuple[RuleFile, ...]:
    """All rules, by code; nothing is imported."""
    return tuple(sorted(_scan(gwlint.rules.__path__), key=lambda file: file.code))


def _scan(folders: Iterable[str]) -> Iterable[RuleFile]:
    for folder in folders:
        for topic in TOPICS.values():
            for path in Path(folder, topic).glob("*.py"):
                match = _FILE_NAME.fullmatch(path.name)
                if match:
                    prefix, number, name = match.groups()
                    module = f"{gwlint.rules.__name__}.{topic}.{path.stem}"
                    yield RuleFile(
                        code=prefix.upper() + number,
                        name=name.replace("_", "-"),
                        topic=topic,
                        module=module,
                    )


def all_rules() -> list[type[Rule]]:
    """Every rule's class, by code. Imports all of them."""
    return [file.load() for file in rule_files()]


def rules_for(dialects: Collection[str]) -> list[type[Rule]]:
    """The rules of some dialects ("nginx", "haproxy", "gateway"), by code."""
    return [file.load() for file in rule_files() if file.dialect in dialects]


def selected(profile: str, select: Sequence[str], ignore: Sequence[str]) -> list[RuleFile]:
    """The rules that options ask for, by code, not yet imported.

    `select` takes the place of the profile's topics: a rule that is named is run, whatever its
    topic. `ignore` then takes away. `require_known` tells selectors that mean nothing.
    """
    chosen = []
    for file in rule_files():
        wanted = any(map(file.answers_to, select)) if select else file.topic in PROFILES[profile]
        if wanted and not any(map(file.answers_to, ignore)):
            chosen.append(file)
    return chosen


def relevant(files: Iterable[RuleFile], project: Project, settings: Settings) -> list[RuleFile]:
    """Those that have something to read in a project. The others need not be imported, which
    takes half of the time that a small file takes.

    Rules of the gateway ask how neighbours agree: two configurations, or one and what gwlint.yaml
    says of the services and layers around it. Only those about files themselves need neither.
    """
    dialects = {file.dialect for file in project.files}
    configurations = len(project.nginx_roots) + len(project.haproxy_roots)
    has_neighbours = configurations > 1 or settings.services or settings.layers
    return [
        file
        for file in files
        if file.dialect in dialects
        or (file.dialect == "gateway" and (has_neighbours or file.topic == "syntax"))
    ]


MOST_SUGGESTIONS = 100
"""Of more unknown selectors in one run it is not said what they could mean."""


def find(text: str) -> list[RuleFile]:
    """The rules with a code or name, in any case. Both dialects may use one name.

    Raises SelectorError.
    """
    found = [file for file in rule_files() if text.lower() in (file.code.lower(), file.name)]
    if not found:
        raise SelectorError(text, _suggest(text))
    return found


def require_known(selector: str, *, suggests: bool = True) -> None:
    """Raise SelectorError when a selector means no rule, topic or group of codes.

    `suggests`: whether to look for what was meant, which takes a while.
    """
    word = selector.lower()
    if word in TOPICS.values() or _GROUP.fullmatch(word):
        return
    if not any(file.answers_to(selector) for file in rule_files()):
        meant = _suggest(selector, TOPICS.values()) if suggests else None
        raise SelectorError(selector, meant)


def require_known_selectors(settings: Settings) -> None:
    """Raise SettingsError with each selector of the settings that means no rule."""
    named: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("select",), settings.select),
        (("ignore",), settings.ignore),
        *((("per_file_ignores", key), words) for key, words in settings.per_file_ignores.items()),
    ]
    problems: list[SettingsProblem] = []
    for keys, words in named:
        for word in dict.fromkeys(words):
            try:
                require_known(word, suggests=len(problems) < MOST_SUGGESTIONS)
            except SelectorError as error:
                problems.append(settings.problem((*keys, word), str(error)))
    if problems:
        raise SettingsError(problems)


def require_usable_options(settings: Settings) -> None:
    """Raise SettingsError with all that is wrong with the options of rules in gwlint.yaml.

    Only the rules that have some there are imported.
    """
    problems: list[SettingsProblem] = []
    by_code = {file.code: file for file in rule_files()}
    for code in settings.rules:
        file = by_code.get(code)
        if file is None:
            message = f'no rule has the code "{code}"'
            problems.append(problem_at(settings, (code,), message, _code_for(code)))
            continue
        try:
            options_of(code, file.load().options, settings)
        except SettingsError as error:
            problems.extend(error.problems)
    if problems:
        raise SettingsError(problems)


def _code_for(text: str) -> str | None:
    """The code of the rule that was meant: by its name, or a code in small letters."""
    try:
        return find(text)[0].code
    except SelectorError as error:
        return error.suggestion


def _suggest(text: str, more: Iterable[str] = ()) -> str | None:
    """The nearest code, name or other word; a code is given in capitals."""
    codes = [file.code.lower() for file in rule_files()]
    names = [file.name for file in rule_files()]
    near = nearest(text.lower(), [*codes, *names, *more])
    if not near:
        return None
    return near[0].upper() if near[0] in codes else near[0]
