"""What a rule is, and what it says: `Rule`, `Example`, `Finding`.

A rule is one class in one file of rules/<topic>/. Its docstring is its documentation, its
examples are its first tests, and `check` yields what it finds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from gwlint.edits import Fix, Safety
from gwlint.model.options import Option, Options
from gwlint.source import Span, Statement

if TYPE_CHECKING:
    from gwlint.model.deployment import Deployment
    from gwlint.model.haproxy.config import HaproxyConfig
    from gwlint.model.nginx.config import NginxConfig


class Severity(IntEnum):
    """ERROR: no start, or requests fail for certain. WARNING: fails when one server dies, on an
    idle race, under load, on a deploy. INFO: costs connections, clarity, headroom."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        return self.name.lower()


TOPICS = {
    "0": "syntax",
    "1": "addresses",
    "2": "buffers",
    "3": "timeouts",
    "4": "keepalive",
    "5": "health",
    "6": "protocol",
    "7": "capacity",
    "8": "security",
    "9": "hygiene",
}
"""The hundreds digit of a code, and the folder of rules/ in which the rule stands."""

DIALECTS = {"NGX": "nginx", "HAP": "haproxy", "GTW": "gateway"}


class Label(NamedTuple):
    """A related place and what it has to do with the finding: "the shorter timeout is here"."""

    span: Span
    message: str


class Finding(NamedTuple):
    """One fault at one place.

    `statement` gives the finding its identity; `span` is what is underlined, at least a part of
    the statement. `advice` is one line that says what to do.
    """

    rule: type[Rule]
    severity: Severity
    message: str
    advice: str
    statement: Statement
    span: Span
    related: tuple[Label, ...] = ()
    fix: Fix | None = None

    @property
    def code(self) -> str:
        return self.rule.code

    @property
    def path(self) -> str:
        return self.span.path

    @property
    def identity(self) -> tuple[str, ...]:
        """What stays the same when lines move: rule, path, enclosing blocks, statement."""
        return (self.code, self.path, *self.statement.enclosing, self.statement.normalised)


def fingerprint(identity: tuple[str, ...], occurrence: int) -> str:
    """32 hexadecimal digits; `occurrence` counts findings of one identity, from 0."""
    import hashlib

    text = "\0".join([*identity, str(occurrence)])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def fingerprints(identities: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A fingerprint for each; equal identities are told apart by their order."""
    seen: dict[tuple[str, ...], int] = {}
    for identity in identities:
        occurrence = seen.get(identity, 0)
        seen[identity] = occurrence + 1
        yield fingerprint(identity, occurrence)


class Example(NamedTuple):
    """A configuration that a rule finds faulty, or sound: file name -> text, as indented here."""

    texts: Mapping[str, str]
    target: str | None = None

    @classmethod
    def nginx(cls, text: str, target: str | None = None) -> Example:
        return cls({"nginx.conf": text}, target)

    @classmethod
    def haproxy(cls, text: str, target: str | None = None) -> Example:
        return cls({"haproxy.cfg": text}, target)

    @property
    def files(self) -> dict[str, str]:
        """File name -> text, without the indentation that it has in the rule."""
        from textwrap import dedent

        return {name: dedent(text).lstrip("\n") for name, text in self.texts.items()}


class Rule(ABC):
    """Base of all rules; subclass NginxRule, HaproxyRule or DeploymentRule.

    The docstring begins with one line that says the fault, then has the headings that
    `gwlint explain` prints: Problem, Why, In the log, Silent when, Fix safety, References; and
    Versions where the version decides, Learnt for what reading real findings taught.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    """The highest severity at which the rule reports."""
    fix: ClassVar[Safety | None] = None
    """The safety of its fix; None when it only says what to decide."""
    warns_in_security: ClassVar[bool] = False
    """Whether what it reports as information is a warning in the profile security."""
    options: ClassVar[tuple[Option, ...]] = ()
    """What users may set for it in gwlint.yaml, under `rules`."""
    bad: ClassVar[tuple[Example, ...]]
    good: ClassVar[tuple[Example, ...]]

    def __init__(self, options: Options | None = None) -> None:
        """`options` has a value for each declared option; without it they have their defaults."""
        self.option: Options = (
            {one.name: one.read(one.default) for one in self.options}
            if options is None
            else options
        )

    @classmethod
    def topic(cls) -> str:
        return TOPICS[cls.code[3]]

    @classmethod
    def dialect(cls) -> str:
        return DIALECTS[cls.code[:3]]

    @classmethod
    def documentation(cls) -> str:
        from inspect import cleandoc

        return cleandoc(cls.__doc__ or "")

    @classmethod
    def summary(cls) -> str:
        return cls.documentation().partition("\n")[0]

    @classmethod
    def finding(
        cls,
        statement: Statement,
        message: str,
        *,
        advice: str,
        span: Span | None = None,
        severity: Severity | None = None,
        related: tuple[Label, ...] = (),
        fix: Fix | None = None,
    ) -> Finding:
        """A finding of this rule; the span is the statement's own unless given."""
        return Finding(
            rule=cls,
            severity=cls.severity if severity is None else severity,
            message=message,
            advice=advice,
            statement=statement,
            span=statement.span if span is None else span,
            related=related,
            fix=fix,
        )


class NginxRule(Rule):
    """A rule over one nginx configuration: a main file, or a fragment, with its includes."""

    @abstractmethod
    def check(self, config: NginxConfig) -> Iterator[Finding]: ...


class HaproxyRule(Rule):
    """A rule over one HAProxy configuration: the files that one process loads together."""

    @abstractmethod
    def check(self, config: HaproxyConfig) -> Iterator[Finding]: ...


class DeploymentRule(Rule):
    """A rule over everything that was read: files, and the hops from one proxy to the next."""

    @abstractmethod
    def check(self, deployment: Deployment) -> Iterator[Finding]: ...


class SuppressionFlaw(NamedTuple):
    """A comment that should suppress findings and is malformed, or hides nothing."""

    comment: Span
    problem: str
    advice: str
    fix: Fix


class SuppressionRule(Rule):
    """A rule over suppressions: it runs when all others have, and is told which were useless."""

    @abstractmethod
    def check(self, flaws: Iterable[SuppressionFlaw]) -> Iterator[Finding]: ...
