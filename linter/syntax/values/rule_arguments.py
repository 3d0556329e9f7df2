"""What follows a rule: its own words, then maybe a condition (measured on 2.6 and 2.8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gwlint.syntax.haproxy.keywords import KeywordSpec, acl_keyword, sample_fetch
from gwlint.syntax.haproxy.tree import Word
from gwlint.syntax.values.conditions import (
    MATCH_METHODS,
    PREDEFINED_ACLS,
    AclExpression,
    WordProblem,
    parse_acl,
    parse_condition,
    split_condition,
)
from gwlint.syntax.values.keyword_arguments import choice_problems, until_empty
from gwlint.syntax.values.log_format import parse_log_format
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.samples import parse_sample, sample_problems

RULE_SETS = frozenset({"http-request", "http-response", "http-after-response"})

_WORDS_OF_ACTIONS = {
    "add-header": 2,
    "cache-use": 1,
    "early-hint": 2,
    "replace-header": 3,
    "replace-path": 2,
    "replace-pathq": 2,
    "replace-uri": 2,
    "replace-value": 3,
    "set-header": 2,
    "set-log-level": 1,
    "set-method": 1,
    "set-path": 1,
    "set-pathq": 1,
    "set-query": 1,
    "set-uri": 1,
}
"""Actions of http-request and its like: the words before the condition."""

_FORMATTED = frozenset(_WORDS_OF_ACTIONS) - {"cache-use", "set-log-level"}
"""Those of which the last word is a log-format string."""

_NEED_CONDITION = frozenset({"force-persist", "ignore-persist", "monitor fail", "stats admin"})
_CONDITIONAL = frozenset({"http-request", "http-response", "http-after-response", "redirect",
                          "stick", "tcp-request", "tcp-response"})  # fmt: skip


def rule_problems(
    spec: KeywordSpec, arguments: Sequence[Word], acls: set[str] | None
) -> Iterator[WordProblem]:
    """What HAProxy refuses in the words after a keyword that is a rule.

    `acls` are the names declared before it in its section, None when they are not all known.
    Nothing comes for other keywords.
    """
    words = until_empty(arguments)
    first, _, action = spec.name.partition(" ")
    if spec.name == "acl":
        yield from _acl_problems(words)
    elif spec.name in ("use_backend", "use-server") and words:
        yield from _switch_problems(spec.name, words, acls)
    elif spec.name in _NEED_CONDITION:
        if words and words[0].value not in ("if", "unless") and not words[0].references:
            yield WordProblem("needs 'if' or 'unless' and a condition", words[0])
        yield from _condition_problems(words, acls)
    elif first in _CONDITIONAL:
        own, condition = split_condition(words)
        if first in RULE_SETS and action in _WORDS_OF_ACTIONS:
            yield from _action_problems(action, own)
        yield from _condition_problems(condition, acls)


def _acl_problems(words: Sequence[Word]) -> Iterator[WordProblem]:
    if not words:
        return
    try:
        declaration = parse_acl(words)
    except WordProblem as problem:
        yield problem
        return
    yield from _expression_problems(declaration.expression)


def _switch_problems(
    name: str, words: Sequence[Word], acls: set[str] | None
) -> Iterator[WordProblem]:
    if len(words) > 1 and words[1].value not in ("if", "unless"):
        if not words[1].references:
            yield WordProblem("only 'if' or 'unless' may follow the name", words[1])
        return
    if len(words) == 1 and name == "use-server":
        yield WordProblem("needs 'if' or 'unless' and a condition", words[0])
    yield from _condition_problems(words[1:], acls)


def _action_problems(action: str, own: Sequence[Word]) -> Iterator[WordProblem]:
    if any(word.references for word in own):
        return
    needed = _WORDS_OF_ACTIONS[action]
    count = f"{needed} argument{'s' * (needed > 1)}"
    if len(own) < needed:
        yield WordProblem(f"{action} needs {count}", None)
    elif len(own) > needed:
        yield WordProblem(
            f"{action} takes {count} before a condition; put a value with blanks in quotes",
            own[needed],
        )
    elif action in _FORMATTED:
        word = own[-1]
        try:
            parsed = parse_log_format(word.value)
        except ValueProblem as problem:
            yield WordProblem(problem.message, word)
            return
        for expression in parsed.expressions:
            for fault, near in sample_problems(expression.sample):
                yield WordProblem(_with_suggestion(fault.message, near), word)


def _condition_problems(words: Sequence[Word], acls: set[str] | None) -> Iterator[WordProblem]:
    if not words or words[0].value not in ("if", "unless"):
        return
    try:
        condition = parse_condition(words)
    except WordProblem as problem:
        yield problem
        return
    for operand in condition.operands():
        if operand.anonymous is not None:
            yield from _expression_problems(operand.anonymous)
        elif operand.name is not None and not operand.name.references:
            name = operand.name.value.lstrip("!")
            if acls is not None and name not in acls and name not in PREDEFINED_ACLS:
                yield WordProblem(_unknown_acl(name), operand.name)
                return  # HAProxy stops here too; what follows was probably meant as a pattern


def _unknown_acl(name: str) -> str:
    if name.startswith("{") and len(name) > 1:
        return f'there is no ACL "{name}"; a blank must follow the brace'
    if sample_fetch(name) is not None or acl_keyword(name) is not None:
        return f'there is no ACL "{name}"; a test stands in braces, as in {{ {name} ... }}'
    return f'there is no ACL "{name}" above in this section'


def _expression_problems(expression: AclExpression) -> Iterator[WordProblem]:
    method = expression.flag("-m")
    if method is not None and method.value is not None:
        yield from choice_problems(method.value, sorted(MATCH_METHODS))
    if expression.sample.references:
        return
    try:
        sample = parse_sample(expression.sample.value)
    except ValueProblem as problem:
        yield WordProblem(problem.message, expression.sample)
        return
    for fault, near in sample_problems(sample, in_acl=True):
        yield WordProblem(_with_suggestion(fault.message, near), expression.sample)


def _with_suggestion(message: str, near: Sequence[str]) -> str:
    names = list(dict.fromkeys(near))
    return f"{message}; did you mean {' or '.join(names[:2])}?" if names else message
