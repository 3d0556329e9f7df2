"""Whether one condition holds whenever another does, as far as that can be proved.

A condition is brought into terms, one of which must match; a term into tests, all of which must.
What is not understood implies only what is written the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gwlint.model.haproxy.proxy import Proxy
from gwlint.syntax.haproxy.keywords import acl_keyword
from gwlint.syntax.haproxy.tree import Word
from gwlint.syntax.values.conditions import (
    AclExpression,
    Condition,
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
_HOSTS = frozenset({"hdr(host)", "req.hdr(host)"})


@dataclass(frozen=True)
class Match:
    """One expression: the sample, the way of matching (`str`, `beg`, ...) and its patterns.

    `is_exact_text` is False when the patterns come from files or are compared in a way that is
    not understood here; then only the same patterns imply each other.
    """

    sample: str
    method: str
    options: str
    ignores_case: bool
    patterns: frozenset[str]
    is_exact_text: bool

    def implies(self, other: Match) -> bool:
        """Whether what this matches is certainly matched by `other`."""
        if self.sample != other.sample or self.options != other.options:
            return False
        if self.ignores_case and not other.ignores_case:
            return False
        if not (self.is_exact_text and other.is_exact_text):
            is_same = self.method == other.method and self.ignores_case == other.ignores_case
            return is_same and self.patterns <= other.patterns
        return bool(self.patterns) and all(
            any(_covers(other, pattern, self.method) for pattern in other.patterns_as_compared)
            if False
            else other.covers(pattern, self.method)
            for pattern in self.patterns
        )
