"""What suppressions hide, and which of them do not do their work.

Everything is a matter of lines: a suppression holds from one line to another, a finding stands on
the lines of its span and of its statement, and is hidden where both meet. A finding that several
suppressions hold for makes all of them useful, so taking the useless ones away changes nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, chain

from gwlint.edits import Edit, Fix, Safety
from gwlint.project.files import ConfigFile, HaproxyRoot, NginxRoot, Project, Status
from gwlint.registry import rule_files
from gwlint.rule import DIALECTS, TOPICS, Finding, SuppressionFlaw
from gwlint.source import Span
from gwlint.syntax.suppressions import Kind, SuppressionComment, suppression_comments

NAMED_AT_MOST = 3
"""Of more selectors, a message only says how many they are."""

RanIn = Callable[[str], Collection[str]]
"""From the path of a file to the codes of the rules whose findings there would be listed."""


@dataclass(frozen=True)
class Resolution:
    """`listed` are the findings that no suppression holds for; `suppressed` is how many others
    there are; `flaws` are the suppressions that are malformed or hide nothing."""

    listed: list[Finding]
    suppressed: int
    flaws: list[SuppressionFlaw]


def resolve(project: Project, findings: Sequence[Finding], ran_in: RanIn) -> Resolution:
    """Tell what the suppressions of the project's files do to `findings`."""
    marked = [file for file in project.files if file.mentions_gwlint]
    fully_read = _fully_read(project)
    by_path: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_path[finding.path].append(finding)
    hidden: set[int] = set()
    flaws: list[SuppressionFlaw] = []
    for file in marked:
        found = by_path[file.path]
        suppressions = _Suppressions(file, found)
        hidden.update(id(finding) for finding in found if suppressions.hide(finding))
        flaws += suppressions.flaws(ran_in(file.path) if file.path in fully_read else ())
    listed = [finding for finding in findings if id(finding) not in hidden]
    return Resolution(listed, len(hidden), flaws)


def _fully_read(project: Project) -> set[str]:
    """The files of which rules say all that there is to say.

    Of a fragment and of files that do not parse they say less, so a suppression that hides nothing
    there may still be needed.
    """
    roots: list[NginxRoot | HaproxyRoot] = [*project.nginx_roots, *project.haproxy_roots]
    whole: set[str] = set()
    partly: set[str] = set()
    for root in roots:
        is_whole = not root.is_fragment and all(file.status is Status.OK for file in root.files)
        (whole if is_whole else partly).update(file.path for file in root.files)
    return whole - partly


class _Lines:
    """Ranges of lines, both ends included, that can be asked whether one meets another range."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(ranges)
        self._starts = [first for first, _ in ordered]
        self._furthest = list(accumulate((last for _, last in ordered), max))

    def meet(self, first: int, last: int) -> bool:
        index = bisect_right(self._starts, last) - 1
        return index >= 0 and self._furthest[index] >= first


@dataclass(frozen=True, slots=True, eq=False)
class _Scope:
    """A well-formed suppression: from line `first` to `last`; `end` is the comment that ends it."""

    comment: SuppressionComment
    first: int
    last: int
    end: SuppressionComment | None = None


class _Suppressions:
    """The suppressions of one file, and the findings there."""

    def __init__(self, file: ConfigFile, findings: Sequence[Finding]) -> None:
        assert file.tree is not None
        self._dialects = (file.dialect, "gateway")
        self._scopes, self._malformed = _scopes(suppression_comments(file.tree))
        lines: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for finding in findings:
            lines[finding.code] += _lines(finding)
        self._found = {code: _Lines(ranges) for code, ranges in lines.items()}
        held: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for scope in self._scopes:
            codes = chain.from_iterable(map(codes_of, scope.comment.selectors))
            for code in self._found.keys() & set(codes):
                held[code].append((scope.first, scope.last))
        self._held = {code: _Lines(ranges) for code, ranges in held.items()}

    def hide(self, finding: Finding) -> bool:
        held = self._held.get(finding.code)
        return held is not None and any(held.meet(*lines) for lines in _lines(finding))

    def flaws(self, ran: Collection[str]) -> list[SuppressionFlaw]:
        """What is wrong; a selector is unused only if all rules that it means `ran` here."""
        found = [_malformed(comment, problem) for comment, problem in self._malformed]
        for scope in self._scopes:
            unknown, unused = [], []
            for selector in dict.fromkeys(scope.comment.selectors):
                if not is_known(selector):
                    unknown.append(selector)
                elif self._is_unused(selector, scope, ran):
                    unused.append(selector)
            if unknown or unused:
                found.append(_useless(scope, unknown, unused))
        return found

    def _is_unused(self, selector: str, scope: _Scope, ran: Collection[str]) -> bool:
        codes = codes_of(selector)
        if any(
            self._found[code].meet(scope.first, scope.last) for code in codes & self._found.keys()
        ):
            return False
        here = [code for code in codes if DIALECTS[code[:3]] in self._dialects]
        return bool(here) and all(code in ran for code in here)


def _lines(finding: Finding) -> list[tuple[int, int]]:
    """The lines of a finding: what is underlined, and the statement that it is a part of."""
    spans = [finding.span]
    if finding.statement.span.source is finding.span.source:
        spans.append(finding.statement.span)
    return [_first_and_last(span) for span in spans]


def _first_and_last(span: Span) -> tuple[int, int]:
    source = span.source
    return source.line_of(span.start), source.line_of(max(span.start, span.end - 1))


@cache
def _meanings() -> dict[str, frozenset[str]]:
    """Every selector in small letters -> the codes of the rules that answer to it, if any do.

    The same as `RuleFile.answers_to`, turned round: a file may have very many suppressions.
    """
    meanings: dict[str, set[str]] = {topic: set() for topic in TOPICS.values()}
    for prefix in DIALECTS:
        for group in ("", *TOPICS):
            meanings[(prefix + group).lower()] = set()
    for file in rule_files():
        beginnings = (file.code[:length].lower() for length in range(3, len(file.code) + 1))
        for word in (*beginnings, file.name, file.topic):
            meanings.setdefault(word, set()).add(file.code)
    return {word: frozenset(codes) for word, codes in meanings.items()}


def codes_of(selector: str) -> frozenset[str]:
    """The codes of the rules that a code, its beginning, a name or a topic means."""
    return _meanings().get(selector.lower(), frozenset())


def is_known(selector: str) -> bool:
    """Whether a selector means a rule, or a topic or group of codes that may have none."""
    return selector.lower() in _meanings()


def _scopes(
    comments: Iterable[SuppressionComment],
) -> tuple[list[_Scope], list[tuple[SuppressionComment, str]]]:
    """The well-formed suppressions, and the other ones each with what is wrong."""
    scopes: list[_Scope] = []
    malformed: list[tuple[SuppressionComment, str]] = []
    opened: dict[frozenset[str], list[SuppressionComment]] = defaultdict(list)
    for comment in comments:
        problem = _problem(comment)
        if problem is not None:
            malformed.append((comment, problem))
        elif comment.kind is Kind.START:
            opened[comment.key].append(comment)
        elif comment.kind is Kind.END:
            if opened[comment.key]:
                start = opened[comment.key].pop()
                scopes.append(_Scope(start, start.own_line, comment.own_line, comment))
            else:
                same = f"ignore-start[{_named(comment.selectors)}]"
                malformed.append((comment, f"this ends no range: no open {same} stands before it"))
        elif comment.kind is Kind.FILE:
            scopes.append(_Scope(comment, 1, len(comment.span.source.line_starts)))
        elif comment.line is not None:
            scopes.append(_Scope(comment, comment.line, comment.line))
        else:
            malformed.append((comment, "no line follows that this suppression could hold for"))
    for start in chain.from_iterable(opened.values()):
        same = f"ignore-end[{_named(start.selectors)}]"
        malformed.append((start, f"no {same} follows, so this suppression hides nothing"))
    return scopes, malformed


def _problem(comment: SuppressionComment) -> str | None:
    """What is wrong with a comment as it stands."""
    if comment.kind is None:
        words = ", ".join(Kind)
        return f"{comment.word!r} is no suppression that gwlint knows: these are {words}"
    if not comment.selectors:
        return "this suppression names no rule, so it hides nothing"
    if comment.kind is not Kind.END and not comment.has_reason:
        return "this suppression gives no reason, so it hides nothing"
    return None


def _malformed(comment: SuppressionComment, problem: str) -> SuppressionFlaw:
    advice = "write # gwlint: ignore[CODE] and a reason, or remove the comment"
    fix = Fix("remove the comment", Safety.SAFE, (Edit.delete(comment.removal),))
    return SuppressionFlaw(comment.span, problem, advice, fix)


def _useless(scope: _Scope, unknown: Sequence[str], unused: Sequence[str]) -> SuppressionFlaw:
    """`unknown` selectors mean no rule, `unused` ones hide nothing; the others stay."""
    problems = []
    if unknown:
        problems.append(f"no rule or topic is called {_named(unknown)}")
    if unused:
        where = "in this file" if scope.comment.kind is Kind.FILE else "here"
        problems.append(f"{_named(unused)} finds nothing {where} that could be suppressed")
    comments = [scope.comment] if scope.end is None else [scope.comment, scope.end]
    useless = {selector.lower() for selector in (*unknown, *unused)}
    if useless >= scope.comment.key:
        advice, title = "remove the comment", "remove the comment"
        edits = [Edit.delete(comment.removal) for comment in comments]
    else:
        title = advice = f"remove {_named([*unknown, *unused])} from the list"
        edits = [_without(comment, useless) for comment in comments]
    fix = Fix(title, Safety.SAFE, tuple(edits))
    return SuppressionFlaw(scope.comment.span, "; ".join(problems), advice, fix)


def _without(comment: SuppressionComment, useless: Collection[str]) -> Edit:
    assert comment.listed is not None
    kept = [selector for selector in comment.selectors if selector.lower() not in useless]
    return Edit(comment.listed, ", ".join(kept))


def _named(selectors: Sequence[str]) -> str:
    more = len(selectors) - NAMED_AT_MOST
    named = ", ".join(selectors[:NAMED_AT_MOST])
    return f"{named} and {more} more" if more > 0 else named
