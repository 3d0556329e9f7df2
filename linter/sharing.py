"""Whether a fix suits every place where nginx reads the file that it changes.

A file may be included by several servers and by several main files, and a fix that one of them
needs changes it for all. So each place is looked at as if it were the only one: a fix is offered
only if the rule asks for the same edits at every place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from gwlint.edits import Edit
from gwlint.engine import RuleError
from gwlint.model.facts import Facts, facts_of
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.options import options_of
from gwlint.project.files import ConfigFile, Include, NginxRoot, Project
from gwlint.rule import Finding, NginxRule, Rule, SuppressionRule
from gwlint.settings import Settings
from gwlint.syntax.nginx.tree import Comment, Directive
from gwlint.syntax.version import Version

MAX_PLACES = 200
"""How many places of one file are looked at; each takes reading the configuration once."""

UNSUITED = "its fix changes {path}, and does not suit the place where {place} includes it"
TOO_MANY = f"its fix changes {{path}}, which is included in more than {MAX_PLACES} places"


class Sharing:
    """The shared files of a project, and which edits the rules of `findings` ask for in them."""

    def __init__(self, project: Project, findings: Iterable[Finding], settings: Settings) -> None:
        self._project = project
        self._settings = settings
        self._shared = _shared_files(project.nginx_roots)
        self._rules: dict[str, dict[type[Rule], None]] = {}
        self._places: dict[str, list[_Place]] = {}
        if self._shared:
            for finding in findings:
                for path in self._shared_paths(finding):
                    self._rules.setdefault(path, {})[finding.rule] = None

    def obstacle(self, finding: Finding) -> str | None:
        """Why the fix of a finding must not be made; None when it changes no shared file."""
        for path in self._shared_paths(finding):
            if path not in self._places:
                self._places[path] = list(self._looked_at(path))
            places = self._places[path]
            if len(places) > MAX_PLACES:
                return TOO_MANY.format(path=path)
            for place in places:
                if not place.suits(finding, path):
                    return UNSUITED.format(path=path, place=place.name)
        return None

    def _shared_paths(self, finding: Finding) -> set[str]:
        # What is wrong with a comment is wrong wherever it is read.
        if finding.fix is None or issubclass(finding.rule, SuppressionRule):
            return set()
        return {edit.path for edit in finding.fix.edits if edit.path in self._shared}

    def _looked_at(self, path: str) -> Iterator[_Place]:
        """The places of a file, one more than MAX_PLACES at most.

        Rules over the whole deployment ask for nothing at a single place.
        """
        file = self._shared[path]
        rules = [
            rule(options_of(rule.code, rule.options, self._settings))
            for rule in self._rules[path]
            if issubclass(rule, NginxRule)
        ]
        seen = 0
        for root in self._project.nginx_roots:
            if file not in root.files:
                continue
            number, last = 0, 1
            while number < last and seen <= MAX_PLACES:
                config = _AtOnePlace(
                    root, self._settings.target_nginx, facts_of(self._settings), file, number
                )
                last = config.places
                number += 1
                seen += 1
                yield _Place(config.place, {type(rule): _asked(rule, config) for rule in rules})


@dataclass(frozen=True, slots=True)
class _Place:
    """`asked`: the edits that each finding of a rule calls for, were there no other place."""

    name: str
    asked: dict[type[Rule], list[frozenset[Edit]]]

    def suits(self, finding: Finding, path: str) -> bool:
        """Whether the rule asks for the same change of the shared file here, and for nothing that
        the fix does not bring."""
        edits = _edits(finding)
        shared = {edit for edit in edits if edit.path == path}
        return any(shared <= asked <= edits for asked in self.asked.get(finding.rule, ()))


def _asked(rule: NginxRule, config: NginxConfig) -> list[frozenset[Edit]]:
    try:
        return [_edits(finding) for finding in rule.check(config) if finding.fix is not None]
    except Exception as cause:
        raise RuleError(type(rule), config.root.main.path, cause) from cause


def _edits(finding: Finding) -> frozenset[Edit]:
    assert finding.fix is not None
    return frozenset(finding.fix.edits)


class _AtOnePlace(NginxConfig):
    """A configuration in which `file` is included at one place only, the others left empty."""

    def __init__(
        self,
        root: NginxRoot,
        target: Version | None,
        facts: Facts,
        file: ConfigFile,
        number: int,
    ) -> None:
        self._file = file
        self._number = number
        self.places = 0
        self.place = root.main.path
        super().__init__(root, target, facts)

    def _follow(
        self,
        include: Include,
        context: Context,
        pending: list[tuple[Iterator[Directive | Comment], Context]],
    ) -> None:
        if self._file in include.files:
            if self.places == self._number:
                self.place = _named(include, self.root)
            else:
                others = tuple(file for file in include.files if file is not self._file)
                include = replace(include, files=others)
            self.places += 1
        super()._follow(include, context, pending)


def _named(include: Include, root: NginxRoot) -> str:
    span = include.directive.span
    line = f"{span.path}:{span.begin_position.line}"
    return line if span.path == root.main.path else f"{line} (read by {root.main.path})"


def _shared_files(roots: Sequence[NginxRoot]) -> dict[str, ConfigFile]:
    """By path, the files that stand in several places: included more than once, or from a file
    that is."""
    found: dict[str, ConfigFile] = {}
    known: set[ConfigFile] = set()
    for root in roots:
        included: set[ConfigFile] = set()
        for file in chain((root.main,), *(one.files for one in root.includes.values())):
            if file in included:
                found[file.path] = file
            included.add(file)
        for file in root.files:
            if file in known:
                found[file.path] = file
        known.update(root.files)
        _spread(found, root)
    return found


def _spread(found: dict[str, ConfigFile], root: NginxRoot) -> None:
    """Add what shared files include."""
    below: dict[str, list[ConfigFile]] = {}
    for directive, include in root.includes.items():
        below.setdefault(directive.source.path, []).extend(include.files)
    waiting = list(found)
    while waiting:
        for file in below.get(waiting.pop(), ()):
            if file.path not in found:
                found[file.path] = file
                waiting.append(file.path)
