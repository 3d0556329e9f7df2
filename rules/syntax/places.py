"""Where directives stand for certain, as far as the table of directives tells contexts apart."""

from __future__ import annotations

import re
from bisect import bisect_left

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.project import UNKNOWN_CONTEXT
from gwlint.syntax.nginx.directives import child_context, lookup
from gwlint.syntax.nginx.tree import Directive, NginxFile

CONTEXT_NAMES = {
    "main": "the main context",
    "http server": "server",
    "http server if": "if in server",
    "http upstream": "upstream",
    "location if": "if in location",
    "stream server": "server of stream",
    "stream upstream": "upstream of stream",
    "mail server": "server of mail",
}
"""How a context is called in messages where its own name would not do."""

_QUANTIFIER = re.compile(rb"\{[0-9]+(?:,[0-9]*)?\}")


def context_name(kind: str) -> str:
    return CONTEXT_NAMES.get(kind, kind)


def known_contexts(config: NginxConfig) -> list[Context]:
    """The contexts in which it is known which directives may stand.

    Blocks of data, blocks of modules that are not known and whatever stands in them are left out,
    and so is all of a fragment that fits nowhere.
    """
    return config.once(_known_contexts)


def _known_contexts(config: NginxConfig) -> list[Context]:
    found: list[Context] = []
    stack = [] if config.main.kind == UNKNOWN_CONTEXT else [config.main]
    while stack:
        context = stack.pop()
        found.append(context)
        stack.extend(
            inner
            for inner in reversed(context.children)
            if inner.directive is not None
            and child_context(context.kind, inner.directive.name) is not None
        )
    return found


def known_directives(config: NginxConfig) -> list[tuple[Context, Directive]]:
    """Every directive in a known context; entries of data blocks are none."""
    return config.once(_known_directives)


def _known_directives(config: NginxConfig) -> list[tuple[Context, Directive]]:
    return [
        (context, directive)
        for context in known_contexts(config)
        for directive in context.directives
        if directive.words and not directive.is_entry
    ]


def ends_wrongly(directive: Directive, context: Context) -> bool:
    """Whether it has a block although it takes none, or has none although it needs one."""
    spec = lookup(directive.name)
    form = None if spec is None else spec.form(context.kind)
    return form is not None and form.block not in (None, directive.block is not None)


def quantifier_braces(tree: NginxFile) -> list[int]:
    """Offsets of braces that were meant as `{2,4}` of a regular expression without quotes.

    nginx takes them for the beginning of a block, after which nothing is what it seems.
    """
    if not tree.errors:
        return []
    data = tree.source.data
    return [
        directive.block.open
        for directive in tree.walk()
        if directive.block is not None
        and directive.words
        and directive.words[-1].end == directive.block.open
        and _QUANTIFIER.match(data, directive.block.open)
    ]


class Damage:
    """The directives whose words a syntax problem puts in doubt."""

    def __init__(self, config: NginxConfig) -> None:
        self._starts = {
            file.tree.source: _doubtful_offsets(file.tree)
            for file in config.root.files
            if isinstance(file.tree, NginxFile)
        }

    def touches(self, directive: Directive) -> bool:
        starts = self._starts.get(directive.source)
        if not starts:
            return False
        index = bisect_left(starts, directive.start)
        return index < len(starts) and starts[index] <= directive.words[-1].end


def _doubtful_offsets(tree: NginxFile) -> list[int]:
    found = [problem.span.start for problem in tree.errors if problem.kind != "missing-semicolon"]
    for brace in quantifier_braces(tree):
        found += [brace, brace + 1]
    return sorted(found)
