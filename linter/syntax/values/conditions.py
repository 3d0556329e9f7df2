"""Conditions (`if a !b or { path /x }`) and ACLs (`acl name path_beg -i /x`): manual, chapter 7.

A condition is a list of words: terms are joined by `or` (any case) or `||`; a term is a run of
ACL names and anonymous ACLs in braces, all of which must match; `!` may stand alone or be glued
and adds up. Braces are words of their own. All measured on 2.6 and 2.8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gwlint.syntax.haproxy.keywords import acl_keyword
from gwlint.syntax.haproxy.tree import Word
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.sample_words import leading_name, sample_length

# fmt: off
PREDEFINED_ACLS = frozenset({
    "FALSE", "HTTP", "HTTP_1.0", "HTTP_1.1", "HTTP_2.0", "HTTP_3.0", "HTTP_CONTENT",
    "HTTP_URL_ABS", "HTTP_URL_SLASH", "HTTP_URL_STAR", "LOCALHOST", "METH_CONNECT", "METH_DELETE",
    "METH_GET", "METH_HEAD", "METH_OPTIONS", "METH_POST", "METH_PUT", "METH_TRACE", "RDP_COOKIE",
    "REQ_CONTENT", "TRUE", "WAIT_END",
})
"""Manual, 7.4. HTTP_3.0 is unknown to 2.6 and 2.8, and stands here for later versions."""

MATCH_METHODS = frozenset({
    "beg", "bin", "bool", "dir", "dom", "end", "found", "int", "ip", "len", "reg", "regm", "str",
    "sub",
})
"""What may follow `-m` (manual, 7.1.3; `regm` measured)."""
# fmt: on

# Option -> whether a word belongs to it.
_FLAGS = {"-i": False, "-n": False, "-M": False, "-m": True, "-f": True, "-u": True}
_OPERATORS = frozenset({"eq", "ge", "gt", "le", "lt"})
_ACL_NAME = re.compile(r"[A-Za-z0-9_.:-]+")


@dataclass(frozen=True, slots=True)
class AclFlag:
    """`-i`, or `-m beg` with its value."""

    word: Word
    value: Word | None = None


@dataclass(frozen=True, slots=True)
class AclExpression:
    """What an ACL tests.

    sample: fetch or ACL keyword with arguments and converters, for `samples.parse_sample`.
    more: further words of the expression; HAProxy takes words that begin with a converter for it.
    operator: `gt` and the like before the first number.
    """

    sample: Word
    more: tuple[Word, ...]
    flags: tuple[AclFlag, ...]
    operator: Word | None
    patterns: tuple[Word, ...]

    def flag(self, name: str) -> AclFlag | None:
        """The last flag of this name, as `-m`."""
        return next((f for f in reversed(self.flags) if f.word.value == name), None)


@dataclass(frozen=True, slots=True)
class AclDeclaration:
    """`acl NAME EXPRESSION`."""

    name: Word
    expression: AclExpression


@dataclass(frozen=True, slots=True)
class Operand:
    """One ACL of a term: a name, or an anonymous ACL."""

    negated: bool
    name: Word | None
    anonymous: AclExpression | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """keyword: the word `if` or `unless`. terms: one of them must match, with all its operands."""

    keyword: Word
    terms: tuple[tuple[Operand, ...], ...]

    @property
    def is_negated(self) -> bool:
        return self.keyword.value == "unless"

    def operands(self) -> Iterator[Operand]:
        for term in self.terms:
            yield from term


class WordProblem(ValueProblem):
    """A ValueProblem at one word of several; `word` is None at the end of the line."""

    def __init__(self, message: str, word: Word | None) -> None:
        super().__init__(message)
        self.word = word


def split_condition(words: Sequence[Word]) -> tuple[Sequence[Word], Sequence[Word]]:
    """The words before `if` or `unless`, and those from it on (none without a condition)."""
    for index, word in enumerate(words):
        if word.value in ("if", "unless"):
            return words[:index], words[index:]
    return words, ()


def parse_condition(words: Sequence[Word]) -> Condition:
    """The condition that begins with `words[0]`, the word `if` or `unless`.

    Raises WordProblem for an open brace or an ACL without sample fetch. Names are not checked.
    """
    terms: list[list[Operand]] = [[]]
    negated = False
    index = 1
    while index < len(words) and words[index].value:
        word = words[index]
        index += 1
        name = word.value.lstrip("!")
        negated ^= (len(word.value) - len(name)) % 2 == 1
        if not name:
            continue
        if name.lower() == "or" or name == "||":
            terms.append([])
        elif name == "{":
            end = _closing_brace(words, index)
            if end is None:
                raise WordProblem("this brace is not closed", word)
            terms[-1].append(Operand(negated, None, parse_acl_expression(words[index:end], word)))
            index = end + 1
        else:
            terms[-1].append(Operand(negated, word))
        negated = False
    return Condition(words[0], tuple(tuple(term) for term in terms if term))


def _closing_brace(words: Sequence[Word], start: int) -> int | None:
    for index in range(start, len(words)):
        if not words[index].value:
            return None
        if words[index].value == "}":
            return index
    return None


def parse_acl(words: Sequence[Word]) -> AclDeclaration:
    """The ACL that the words after `acl` declare.

    Raises WordProblem: no name, a character that names cannot have, the name `or`, no expression.
    """
    if not words:
        raise WordProblem("acl needs a name and a sample fetch", None)
    name = words[0]
    if not name.references and not _ACL_NAME.fullmatch(name.value):
        raise WordProblem("an ACL's name has letters, digits, '_', '-', '.' and ':' only", name)
    if name.value.lower() == "or":
        raise WordProblem("an ACL of this name never matches: conditions read it as 'or'", name)
    return AclDeclaration(name, parse_acl_expression(words[1:], name))


def parse_acl_expression(words: Sequence[Word], before: Word) -> AclExpression:
    """What follows an ACL's name, or stands in braces; `before` is named when nothing does.

    Raises WordProblem for no sample fetch, an unknown option, or a match method that is missing.
    """
    if not words or not words[0].value:
        raise WordProblem("a sample fetch was expected here", before)
    index = 1
    if acl_keyword(leading_name(words[0].value)) is None:
        index = sample_length(words, 0)
    more = tuple(words[1:index])
    flags: list[AclFlag] = []
    while index < len(words) and words[index].value.startswith("-"):
        word = words[index]
        written = word.value
        index += 1
        if written == "--":
            break
        if written not in _FLAGS:
            raise WordProblem(f"{written!r} is no option of ACLs; '--' may precede patterns", word)
        value = None
        if _FLAGS[written]:
            if index >= len(words):
                raise WordProblem(f"{written} needs a value", word)
            value = words[index]
            index += 1
        flags.append(AclFlag(word, value))
    operator = None
    if index < len(words) and words[index].value in _OPERATORS:
        operator = words[index]
        index += 1
    return AclExpression(words[0], more, tuple(flags), operator, tuple(words[index:]))
