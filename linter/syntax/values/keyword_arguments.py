"""What may follow a keyword: how many words, and of which form (measured on 2.6 and 2.8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from gwlint.syntax.haproxy.keywords import KeywordSpec
from gwlint.syntax.haproxy.tree import Word
from gwlint.syntax.values.conditions import WordProblem
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.times import parse_time

ALGORITHMS = (
    "roundrobin", "static-rr", "leastconn", "first", "source", "uri", "url_param", "random",
    "rdp-cookie", "hash", "log-hash", "log-sticky", "sticky",
)  # fmt: skip
"""What may follow `balance`; the last three came after 2.8."""

_BRACKETED = re.compile(r"(?:hdr\(.+\)?|random\(.*|rdp-cookie\(.*)", re.DOTALL)
_RETRY_WORDS = frozenset(
    {
        "none", "conn-failure", "empty-response", "junk-response", "response-timeout",
        "0rtt-rejected", "all-retryable-errors", "receive-window-overflow",
        "401", "403", "404", "408", "421", "425", "429", "500", "501", "502", "503", "504",
    }
)  # fmt: skip

_CHOICES: dict[str, tuple[str, ...]] = {
    # log, spop and haterm came after 2.8.
    "mode": ("http", "tcp", "log", "spop", "haterm"),
    "http-reuse": ("never", "safe", "aggressive", "always"),
    "hash-type": ("consistent", "map-based"),
    "load-server-state-from-file": ("global", "local", "none"),
    "option httplog": ("clf",),
}

_SECONDS = frozenset({"stats refresh"})
_TIMES = frozenset(
    {"hard-stop-after", "stats timeout", "tcp-request inspect-delay", "tcp-response inspect-delay"}
)
_COUNTS = frozenset({"maxconn", "retries", "fullconn", "backlog"})


def count_problem(
    spec: KeywordSpec, arguments: Sequence[Word], *, is_modified: bool
) -> WordProblem | None:
    """Whether too many or too few words follow the words of a keyword.

    `is_modified`: `no` or `default` stands before it, so that it may need nothing. HAProxy stops
    at an empty word, and so does this.
    """
    if any(word.references for word in arguments):
        return None
    words = until_empty(arguments)
    if len(words) < spec.fewest and not is_modified:
        needed = "an argument" if spec.fewest == 1 else f"{spec.fewest} arguments"
        return WordProblem(f"needs {needed}", None)
    if spec.most is not None and len(words) > spec.most:
        allowed = "no argument" if spec.most == 0 else f"at most {spec.most}"
        return WordProblem(f"takes {allowed}", words[spec.most])
    return None


def until_empty(words: Sequence[Word]) -> Sequence[Word]:
    """The words before the first empty one, at which HAProxy stops to read a line."""
    for index, word in enumerate(words):
        if not word.value:
            return words[:index]
    return words


def value_problems(spec: KeywordSpec, arguments: Sequence[Word]) -> Iterator[WordProblem]:
    """The arguments that HAProxy refuses for their form."""
    words = until_empty(arguments)
    name = spec.name
    if not words or words[0].references:
        return
    if name.startswith("timeout ") or name in _TIMES:
        yield from refused(words[0], parse_time)
    elif name in _SECONDS:
        yield from refused(words[0], lambda text: parse_time(text, "s"))
    elif name in _CHOICES:
        yield from choice_problems(words[0], _CHOICES[name])
    elif name == "balance":
        if not _BRACKETED.fullmatch(words[0].value):
            yield from choice_problems(words[0], ALGORITHMS)
    elif name == "retry-on":
        for word in words:
            if word.value not in _RETRY_WORDS and not word.references:
                yield WordProblem(f'retry-on knows no "{word.value}"', word)


def misread_numbers(spec: KeywordSpec, arguments: Sequence[Word]) -> Iterator[WordProblem]:
    """Numbers of which HAProxy reads only the leading digits, without a word.

    2.8 refuses them for the global `maxconn`; elsewhere `maxconn lots` is 0 to 2.6 and 2.8.
    """
    if spec.name not in _COUNTS or not arguments or arguments[0].references:
        return
    yield from misread_number(arguments[0])


def misread_number(word: Word) -> Iterator[WordProblem]:
    """`misread_numbers` for one word."""
    match = re.match(r"\s*[+-]?([0-9]*)", word.value)
    assert match is not None
    if match.end() < len(word.value) or not match[1]:
        yield WordProblem(f'is read as {match[1] or "0"}, not as "{word.value}"', word)


def choice_problems(word: Word, allowed: Sequence[str]) -> Iterator[WordProblem]:
    """A problem unless `word` is one of `allowed`, or comes from a variable."""
    if word.value not in allowed and not word.references:
        yield WordProblem(f'"{word.value}" is none of {", ".join(allowed)}', word)


def refused(word: Word, parse: Callable[[str], object]) -> Iterator[WordProblem]:
    """What `parse` says of a word that does not come from a variable."""
    if word.references:
        return
    try:
        parse(word.value)
    except ValueProblem as problem:
        yield WordProblem(problem.message, word)
