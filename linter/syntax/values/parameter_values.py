"""Values of the parameters of `server` and `bind` lines (manual, 5.1 and 5.2; measured on 2.6
and 2.8)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.syntax.haproxy.tree import Word
from gwlint.syntax.values.bind_line import BindLine
from gwlint.syntax.values.conditions import WordProblem
from gwlint.syntax.values.keyword_arguments import choice_problems, misread_number, refused
from gwlint.syntax.values.parameters import Parameter
from gwlint.syntax.values.server_line import ServerLine, parse_template_range
from gwlint.syntax.values.times import parse_time

_NAME = re.compile(r"[A-Za-z0-9_.:-]+")
_OCTAL = re.compile(r"[0-7]+")
_LEADING_DIGITS = re.compile(r"[0-9]+")

_TIMES = frozenset(
    {"inter", "fastinter", "downinter", "agent-inter", "slowstart", "pool-purge-delay"}
)
_ABOVE_ZERO = frozenset({"rise", "fall", "error-limit", "id"})
_COUNTS = frozenset({"maxconn", "minconn", "maxqueue"})
_MAY_LACK_VALUES = frozenset(
    {"init-addr", "maxconn", "maxqueue", "minconn", "resolve-opts", "resolvers", "weight"}
)
"""Server parameters that HAProxy reads as 0 or as nothing when their value is missing."""

_VERSIONS = ("SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_SERVER_CHOICES: dict[str, tuple[str, ...]] = {
    "observe": ("none", "layer4", "layer7"),
    "on-error": ("fastinter", "fail-check", "sudden-death", "mark-down"),
    "on-marked-down": ("shutdown-sessions",),
    "on-marked-up": ("shutdown-backup-sessions",),
    "resolve-prefer": ("ipv4", "ipv6"),
    "ssl-max-ver": _VERSIONS,
    "ssl-min-ver": _VERSIONS,
    "verify": ("none", "required"),
}
_BIND_CHOICES: dict[str, tuple[str, ...]] = {
    "level": ("user", "operator", "admin"),
    "ssl-max-ver": _VERSIONS,
    "ssl-min-ver": _VERSIONS,
    "verify": ("none", "optional", "required"),
}

LARGEST_WEIGHT = 256


def server_problems(server: ServerLine) -> Iterator[WordProblem]:
    """What HAProxy refuses in a `server`, `default-server` or `server-template` line."""
    name = server.name
    if name is not None and not name.references and not _NAME.fullmatch(name.value):
        yield WordProblem("the name of a server has letters, digits, '_', '-', '.', ':' only", name)
    count = server.count
    if count is not None and not count.references:
        span = parse_template_range(count.value)
        if span is None or span.size == 0:
            yield WordProblem(f'"{count.value}" is no number and no range of servers', count)
    for parameter in server.parameters:
        if parameter.missing:
            if parameter.name not in _MAY_LACK_VALUES:
                yield _missing(parameter)
        elif parameter.value is not None and not parameter.negated:
            yield from _server_value(parameter.name, parameter.value)


def _server_value(name: str, value: Word) -> Iterator[WordProblem]:
    if value.references:
        return
    if name in _TIMES:
        yield from refused(value, parse_time)
        if name == "inter" and re.fullmatch("0+(?:us|ms|[smhd])?", value.value):
            yield WordProblem("inter must be above 0", value)
    elif name in _ABOVE_ZERO:
        if not _is_above_zero(value.value):
            yield WordProblem(f"{name} must be a number above 0", value)
    elif name == "weight":
        match = re.match("-?[0-9]+", value.value)
        if match is not None and not 0 <= int(match[0][:9]) <= LARGEST_WEIGHT:
            yield WordProblem(f"a weight lies between 0 and {LARGEST_WEIGHT}", value)
    elif name in _SERVER_CHOICES:
        yield from choice_problems(value, _SERVER_CHOICES[name])


def misread_server_numbers(server: ServerLine) -> Iterator[WordProblem]:
    """Limits of which HAProxy reads only the leading digits, without a word."""
    for parameter in server.parameters:
        value = parameter.value
        if parameter.name in (*_COUNTS, "weight") and value is not None and not value.references:
            yield from misread_number(value)


def bind_problems(bind: BindLine) -> Iterator[WordProblem]:
    """What HAProxy refuses among the parameters of a `bind` line."""
    for parameter in bind.parameters:
        if parameter.missing:
            if parameter.name != "thread":
                yield _missing(parameter)
            continue
        value = parameter.value
        if value is None or value.references:
            continue
        if parameter.name in _BIND_CHOICES:
            yield from choice_problems(value, _BIND_CHOICES[parameter.name])
        elif parameter.name == "mode" and not _OCTAL.fullmatch(value.value):
            yield WordProblem(f'"{value.value}" is no octal file mode', value)
        elif parameter.name == "id" and not _is_above_zero(value.value):
            yield WordProblem("id must be a number above 0", value)


def _missing(parameter: Parameter) -> WordProblem:
    needed = "a value" if parameter.missing == 1 else f"{parameter.missing} more values"
    return WordProblem(f"{parameter.keyword.value} needs {needed}", parameter.keyword)


def _is_above_zero(text: str) -> bool:
    match = _LEADING_DIGITS.match(text)
    return match is not None and match[0].strip("0") != ""
