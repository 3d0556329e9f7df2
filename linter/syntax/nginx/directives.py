"""Which directives nginx has: where they may stand, what they take, since when, with which default.

The facts are in data/nginx_directives.json, made by data/build_nginx_directives.py from crossplane,
from the command tables inside of nginx 1.22.1 and 1.31.3, and from nginx.org's documentation. They
are joined so that nothing is forbidden that one of them allows.

A context is a string: "main", "events", "http", "http server", "http upstream", "location",
"http server if", "location if", "limit_except", "stream", "stream server", "stream upstream",
"mail", "mail server", and the blocks of single modules: "acme_issuer", "oidc_provider",
"otel_exporter", "match", "mgmt". `child_context` tells which one a block opens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from gwlint.syntax.nearest import nearest
from gwlint.syntax.values.nginx_units import TimeUnit, parse_offset, parse_size, parse_time
from gwlint.syntax.values.whole_numbers import whole_number
from gwlint.syntax.version import Version

ANY_CONTEXT = "any"
"""Stands in `DirectiveForm.contexts` where every context is allowed, or none is known."""

_DATA_FILE = Path(__file__).parents[2] / "data" / "nginx_directives.json"

_CHILD_CONTEXTS = {
    ("main", "events"): "events",
    ("main", "http"): "http",
    ("main", "stream"): "stream",
    ("main", "mail"): "mail",
    ("main", "mgmt"): "mgmt",
    ("http", "server"): "http server",
    ("http", "upstream"): "http upstream",
    ("http", "acme_issuer"): "acme_issuer",
    ("http", "oidc_provider"): "oidc_provider",
    ("http", "otel_exporter"): "otel_exporter",
    ("http", "match"): "match",
    ("http server", "location"): "location",
    ("http server", "if"): "http server if",
    ("location", "location"): "location",
    ("location", "if"): "location if",
    ("location", "limit_except"): "limit_except",
    ("stream", "server"): "stream server",
    ("stream", "upstream"): "stream upstream",
    ("stream", "match"): "match",
    ("mail", "server"): "mail server",
}

_HTTP = frozenset({"http"})
_ANY_SSL = frozenset({"http", "mail", "stream"})
_OLDEST = Version((0,))
_PROTOCOLS = (
    (Version((1, 27, 3)), "TLSv1.2 TLSv1.3"),
    (Version((1, 23, 4)), "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"),
    (Version((1, 9, 1)), "TLSv1 TLSv1.1 TLSv1.2"),
)
_KEEPALIVE_REQUESTS = ((Version((1, 19, 10)), "1000"), (_OLDEST, "100"))

# Defaults that changed, newest first: name -> (some contexts of the form, (since, value)...).
# Sources: nginx's CHANGES for the versions named, and the documentation of each directive.
_Changes = tuple[tuple[Version, str | None], ...]
_CHANGED_DEFAULTS: dict[str, tuple[tuple[frozenset[str], _Changes], ...]] = {
    "keepalive": (
        (frozenset({"http upstream"}), ((Version((1, 29, 7)), "32 local"), (_OLDEST, None))),
    ),
    "keepalive_requests": (
        (_HTTP, _KEEPALIVE_REQUESTS),
        (frozenset({"http upstream"}), _KEEPALIVE_REQUESTS),
    ),
    "proxy_http_version": ((_HTTP, ((Version((1, 29, 7)), "1.1"), (_OLDEST, "1.0"))),),
    "ssl_protocols": ((_ANY_SSL, _PROTOCOLS),),
    "proxy_ssl_protocols": ((_ANY_SSL, _PROTOCOLS),),
    "grpc_ssl_protocols": ((_HTTP, _PROTOCOLS),),
    "uwsgi_ssl_protocols": ((_HTTP, _PROTOCOLS),),
}

# Defaults that the documentation gives by platform, as on x86-64: pages of 4k, cache lines of 64
# bytes, pointers of 8 bytes.
_X86_DEFAULTS = {
    "4k|8k": "4k",
    "8k|16k": "8k",
    "8 4k|8k": "8 4k",
    "32 4k|16 8k": "32 4k",
    "32|64|128": "64",
    "256|512": "512",
}

_COUNT_BITS = 8  # counts 0 to 7 have a bit each, the next one stands for all above


def child_context(context: str | None, block: str) -> str | None:
    """The context inside of the block of a directive that stands in `context`.

    None when it is not known: in blocks of data, of modules that are not known, or in the wrong
    place. No directive can be said to be wrong in an unknown context.
    """
    return None if context is None else _CHILD_CONTEXTS.get((context, block))


class DirectiveForm(NamedTuple):
    """What a directive is in some contexts.

    `value_form` says how its values are read where that is certain: "flag", "number", "size",
    "offset", "seconds", "milliseconds", "buffers" (a number and a size), "word" (one of `words`),
    "words" (several of them); else it is empty. `bounds` are the least and greatest number.
    `since` is None for directives older than the documentation records. `default` is the
    documentation's text. `block` is None when the directive may or may not have a block.
    """

    contexts: frozenset[str]
    count_mask: int
    block: bool | None
    value_form: str
    words: frozenset[str]
    bounds: tuple[int, int] | None
    module: str
    since: Version | None
    commercial: bool
    default: str | None

    def allows(self, context: str) -> bool:
        return context in self.contexts or ANY_CONTEXT in self.contexts

    def accepts_count(self, count: int) -> bool:
        """Whether the directive may have so many arguments, its name not counted."""
        return bool(self.count_mask >> min(count, _COUNT_BITS) & 1)

    @property
    def minimum_count(self) -> int:
        return (self.count_mask & -self.count_mask).bit_length() - 1

    @property
    def maximum_count(self) -> int | None:
        """The most arguments it may have; None when there is no limit."""
        highest = self.count_mask.bit_length() - 1
        return None if highest >= _COUNT_BITS else highest

    @property
    def is_flag(self) -> bool:
        return self.value_form == "flag"


class DirectiveSpec(NamedTuple):
    """A directive and its forms. No context is in two forms, but "any" may stand beside others."""

    name: str
    forms: tuple[DirectiveForm, ...]

    @property
    def contexts(self) -> frozenset[str]:
        return frozenset().union(*(form.contexts for form in self.forms))

    def form(self, context: str) -> DirectiveForm | None:
        """The form in a context; None when the directive is not allowed there."""
        for form in self.forms:
            if context in form.contexts:
                return form
        for form in self.forms:
            if ANY_CONTEXT in form.contexts:
                return form
        return None

    def allowed_in(self, context: str | None) -> bool:
        """Whether it may stand in a context; always true in an unknown one."""
        return context is None or self.form(context) is not None


@dataclass(frozen=True, slots=True)
class ArgumentProblem:
    """What nginx would refuse: `index` is the wrong argument from 0, or None for their count."""

    message: str
    index: int | None = None


@cache
def _data() -> tuple[dict[str, list[list[Any]]], tuple[str, ...]]:
    data = json.loads(_DATA_FILE.read_text(encoding="utf-8"))
    return data["directives"], tuple(data["prefixes"])


def _form(row: list[Any]) -> DirectiveForm:
    """A form from its row: contexts, counts, block, form, detail, module, since, commercial,
    default; empty values at the end are left out."""
    full = row + [""] * (9 - len(row))
    contexts, counts, block, value_form, detail, module, since, commercial, default = full
    bounds = None
    words: frozenset[str] = frozenset()
    if value_form == "number" and detail:
        low, _, high = detail.partition("..")
        bounds = (int(low), int(high))
    elif detail:
        words = frozenset(detail.split(" "))
    return DirectiveForm(
        contexts=frozenset(contexts.split(",")),
        count_mask=counts,
        block=None if block == 2 else bool(block),
        value_form=value_form,
        words=words,
        bounds=bounds,
        module=module,
        since=Version.parse(since) if since else None,
        commercial=bool(commercial),
        default=default or None,
    )


@cache
def lookup(name: str) -> DirectiveSpec | None:
    """What is known about a directive; None when the name is unknown.

    Names of a few families of third-party modules (`passenger_...`) are known by how they begin:
    they have a form for any context that takes anything.
    """
    directives, prefixes = _data()
    rows = directives.get(name)
    if rows is None:
        if not name.startswith(prefixes):
            return None
        rows = [[ANY_CONTEXT, (1 << _COUNT_BITS + 1) - 1, 2]]
    return DirectiveSpec(name, tuple(_form(row) for row in rows))


def directive_names() -> list[str]:
    """All known names, sorted."""
    return list(_data()[0])


@cache
def _names_in(context: str | None) -> list[str]:
    """The names that are allowed in a context, or all; without building any form."""
    directives, _ = _data()
    if context is None:
        return list(directives)
    wanted = {context, ANY_CONTEXT}
    return [
        name
        for name, rows in directives.items()
        if any(not wanted.isdisjoint(row[0].split(",")) for row in rows)
    ]


def suggest(name: str, context: str | None = None) -> str | None:
    """The known name that a misspelt one probably stands for; None unless there is just one.

    Names that may stand in `context`, when it is known, go before all others.
    """
    folded = name.casefold()
    near = nearest(folded, _names_in(context)) or nearest(folded, _names_in(None))
    return near[0] if len(near) == 1 else None


@lru_cache(maxsize=4096)
def default_value(
    name: str, version: Version | None = None, context: str | None = None
) -> str | None:
    """What nginx of a version (the newest if None) uses where the directive is not written.

    The value is that of 64-bit x86, where a page has 4k. None when there is no default, the
    directive is not known, or the documentation does not say. Without a context, the directive's
    first form counts.
    """
    spec = lookup(name)
    if spec is None:
        return None
    form = spec.forms[0] if context is None else spec.form(context)
    if form is None:
        return None
    for contexts, changes in _CHANGED_DEFAULTS.get(name, ()):
        if not contexts.isdisjoint(form.contexts) and version is not None:
            return next((value for since, value in changes if version >= since), None)
    if form.default is None:
        return None
    return _X86_DEFAULTS.get(form.default, form.default)


def check_arguments(
    spec: DirectiveSpec, context: str | None, values: Sequence[str]
) -> ArgumentProblem | None:
    """What is certainly wrong with the arguments `values` (as nginx sees them); None if nothing.

    In an unknown context there is a problem only if every form of the directive has one. In a
    context where the directive is not allowed there is none: that is another fault.
    """
    if context is not None:
        form = spec.form(context)
        return None if form is None else _check_form(form, values)
    problems = [_check_form(form, values) for form in spec.forms]
    return problems[0] if all(problems) else None


def _check_form(form: DirectiveForm, values: Sequence[str]) -> ArgumentProblem | None:
    if not form.accepts_count(len(values)):
        return ArgumentProblem(f"takes {_counts_text(form)}, but {len(values)} given")
    if form.value_form == "words":
        checks = [("word", value) for value in values]
    elif form.value_form == "buffers":
        checks = list(zip(("count", "positive size"), values, strict=False))
    else:
        checks = [(form.value_form, value) for value in values[:1]]
    for index, (value_form, value) in enumerate(checks):
        message = _check_value(form, value_form, value)
        if message is not None:
            return ArgumentProblem(message, index)
    return None


def _counts_text(form: DirectiveForm) -> str:
    least, most = form.minimum_count, form.maximum_count
    if most is None:
        return f"at least {_arguments(least)}"
    counts = [count for count in range(most + 1) if form.accepts_count(count)]
    if len(counts) == 1:
        return "no arguments" if least == 0 else _arguments(least)
    return f"{', '.join(map(str, counts[:-1]))} or {most} arguments"


def _arguments(count: int) -> str:
    return "1 argument" if count == 1 else f"{count} arguments"


def _check_value(form: DirectiveForm, value_form: str, value: str) -> str | None:
    """What is wrong with one value; None when nothing is."""
    match value_form:
        case "flag":
            fine = value.casefold() in ("on", "off")
            expected = "on or off"
        case "word":
            fine = value.casefold() in {word.casefold() for word in form.words}
            expected = f"one of {', '.join(sorted(form.words))}"
        case "number":
            return _check_number(value, form.bounds)
        case "count":
            fine = _is_number(value) and whole_number(value) > 0
            expected = "a number of buffers"
        case "size" | "positive size":
            fine = _parses(parse_size, value) and (value_form == "size" or parse_size(value) > 0)
            expected = "a size such as 8k or 1m"
        case "offset":
            fine = _parses(parse_offset, value)
            expected = "a size such as 8k, 1m or 2g"
        case "milliseconds":
            fine = _parses(parse_time, value)
            expected = "a time such as 500ms, 60s or 1h30m"
        case "seconds":
            fine = _parses(lambda text: parse_time(text, TimeUnit.SECONDS), value)
            expected = "a time in whole seconds such as 60s, 10m or 1y"
        case _:
            return None
    return None if fine else f'"{value}" is not {expected}'


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit()


def _check_number(value: str, bounds: tuple[int, int] | None) -> str | None:
    if not _is_number(value):
        return f'"{value}" is not a number'
    if bounds is not None and not bounds[0] <= whole_number(value) <= bounds[1]:
        return f"{value} is not between {bounds[0]} and {bounds[1]}"
    return None


def _parses(parse: Callable[[str], float], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True
