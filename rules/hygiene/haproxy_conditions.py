"""Whether one condition holds whenever another does, as far as that can be proved.

A condition is brought into terms, one of which must match; a term into tests, all of which must.
What is not understood implies only what is written the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gwlint.model.haproxy.proxy import Proxy
from gwlint.syntax.haproxy.keywords import acl_keyword
from gwlint.syntax.haproxy.tree import Word
from gwlint.syntax.values.conditions import (
    AclExpression,
    Operand,
    WordProblem,
    parse_acl,
    parse_condition,
)
from gwlint.syntax.values.sample_words import leading_name

_ALWAYS = frozenset({"always_true", "bool(true)", "bool(1)"})
_CHANGING = ("date", "rand", "uuid", "lua.")
"""Sample fetches that may differ from one line to the next."""
_COUNTING = ("_inc_", "_clr_")
_OTHER_NAMES = {"req.hdr": "hdr", "hdr": "hdr"}

_COVERS: dict[tuple[str, str], Callable[[str, str], bool]] = {
    ("str", "str"): str.__eq__,
    ("str", "beg"): str.startswith,
    ("beg", "beg"): str.startswith,
    ("str", "end"): str.endswith,
    ("end", "end"): str.endswith,
}
"""(method of the pattern, method of the one that may cover it) -> test of the two patterns."""


@dataclass(frozen=True, slots=True)
class Match:
    """One expression: the sample, how it is compared (`str`, `beg`, ...) and with what.

    rest: options other than the method and `-i`. is_text: the patterns are texts to compare by
    the methods above; else only the same expression with more patterns covers another.
    """

    sample: str
    method: str
    rest: tuple[str, ...]
    ignores_case: bool
    patterns: frozenset[str]
    is_text: bool

    def implies(self, other: Match) -> bool:
        """Whether `other` certainly matches whatever this matches."""
        if other.sample in _ALWAYS:
            return True
        if (self.sample, self.rest) != (other.sample, other.rest):
            return False
        same_case = self.ignores_case == other.ignores_case
        if self.method == other.method and same_case and self.patterns <= other.patterns:
            return True
        if not (self.is_text and other.is_text and (same_case or other.ignores_case)):
            return False
        covers = _COVERS.get((self.method, other.method))
        if covers is None or not self.patterns:
            return False
        theirs = [other.folded(pattern) for pattern in other.patterns]
        return all(
            any(covers(other.folded(mine), their) for their in theirs) for mine in self.patterns
        )

    def folded(self, pattern: str) -> str:
        return pattern.lower() if self.ignores_case else pattern


@dataclass(frozen=True, slots=True)
class Test:
    """An ACL of a condition: it matches when one of `matches` does, or not, when negated.

    Without `matches` it is known by its name only: a predefined ACL.
    """

    name: str
    matches: tuple[Match, ...]
    negated: bool

    def implies(self, other: Test) -> bool:
        if self.negated != other.negated:
            return False
        if self.negated:
            return other._positively(self)
        return self._positively(other)

    def _positively(self, other: Test) -> bool:
        if not self.matches or not other.matches:
            return bool(self.name) and self.name == other.name
        return all(any(mine.implies(their) for their in other.matches) for mine in self.matches)

    @property
    def is_always(self) -> bool:
        return not self.negated and (
            self.name == "TRUE" or any(match.sample in _ALWAYS for match in self.matches)
        )


Terms = tuple[tuple[Test, ...], ...]

EVERY_REQUEST: Terms = ((),)


class Conditions:
    """The conditions of one section, whose ACLs they may name."""

    def __init__(self, proxy: Proxy) -> None:
        self._acls: dict[str, list[Match] | None] = {}
        for line in proxy.own("acl"):
            if not line.arguments:
                continue
            name = line.arguments[0].value
            try:
                match = _match(parse_acl(line.arguments).expression)
            except WordProblem:
                match = None
            known = self._acls.setdefault(name, [])
            if match is None or line.conditions:
                self._acls[name] = None
            elif known is not None:
                known.append(match)

    def terms(self, words: Sequence[Word]) -> Terms | None:
        """The terms of a condition, EVERY_REQUEST for none; None when it is not understood."""
        if not words:
            return EVERY_REQUEST
        try:
            condition = parse_condition(words)
        except WordProblem:
            return None
        terms: list[tuple[Test, ...]] = []
        for operands in condition.terms:
            tests = [self._test(operand) for operand in operands]
            known = [test for test in tests if test is not None]
            if len(known) < len(tests):
                return None
            terms.append(tuple(test for test in known if not test.is_always))
        found = _opposite(terms) if condition.is_negated else tuple(terms)
        return found or None

    def _test(self, operand: Operand) -> Test | None:
        if operand.anonymous is not None:
            match = _match(operand.anonymous)
            return None if match is None else Test("", (match,), operand.negated)
        if operand.name is None or operand.name.references:
            return None
        name = operand.name.value.lstrip("!")
        if name not in self._acls:
            return Test(name, (), operand.negated)
        matches = self._acls[name]
        return None if matches is None else Test(name, tuple(matches), operand.negated)


def implies(one: Terms, other: Terms) -> bool:
    """Whether `other` certainly holds for all that `one` holds for."""
    return all(
        any(all(any(mine.implies(their) for mine in term) for their in wanted) for wanted in other)
        for term in one
    )


def _opposite(terms: list[tuple[Test, ...]]) -> Terms | None:
    """`unless`: not (a b) is "not a or not b", and not (a or b) is "not a and not b"."""
    if len(terms) == 1:
        return tuple((_negated(test),) for test in terms[0])
    if all(len(term) == 1 for term in terms):
        return (tuple(_negated(term[0]) for term in terms),)
    return None


def _negated(test: Test) -> Test:
    return Test(test.name, test.matches, not test.negated)


def _match(expression: AclExpression) -> Match | None:
    """None for what may change between two lines, or comes from the environment."""
    words = [expression.sample, *expression.more, *expression.patterns]
    if any(word.references for word in words):
        return None
    sample = ",".join(word.value for word in (expression.sample, *expression.more))
    name = leading_name(sample)
    if name.startswith(_CHANGING) or any(part in sample for part in _COUNTING):
        return None
    rest = sample[len(name) :]
    method = expression.flag("-m")
    if method is not None and method.value is not None:
        how = method.value.value
    else:
        how = "str" if acl_keyword(name) is None else ""
    base, _, suffix = name.rpartition("_")
    if acl_keyword(name) is not None and suffix in ("beg", "end") and method is None:
        name, how = base, suffix
    elif method is None and acl_keyword(name) is not None:
        how = "str" if name in ("hdr", "path", "url", "base") else f"keyword {name}"
    name = _OTHER_NAMES.get(name, name)
    rest = rest.lower() if name == "hdr" else rest
    options = [
        f"{flag.word.value} {'' if flag.value is None else flag.value.value}"
        for flag in expression.flags
        if flag.word.value not in ("-i", "-m")
    ]
    if expression.operator is not None:
        options.append(expression.operator.value)
    is_text = how in ("str", "beg", "end") and not options and name in ("hdr", "path", "url")
    return Match(
        name + rest,
        how,
        tuple(options),
        expression.flag("-i") is not None,
        frozenset(word.value for word in expression.patterns),
        is_text,
    )
