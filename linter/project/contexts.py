"""The context that an nginx fragment needs: what it says itself, or what its content fits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from gwlint.project.files import UNKNOWN_CONTEXT
from gwlint.settings import CONTEXTS
from gwlint.syntax.nginx.directives import child_context, lookup
from gwlint.syntax.nginx.tree import Comment, Directive, NginxFile

_COMMENT = re.compile(r"#\s*gwlint:\s*context\s*=\s*([a-z_ ]+?)\s*")

_PREFERENCE = (
    "http",
    "http server",
    "location",
    "stream",
    "stream server",
    "http upstream",
    "stream upstream",
    "http server if",
    "location if",
    "main",
    "mail",
    "mail server",
    "events",
)
"""Where a directive fits in several contexts, people keep it in a file for the first of these."""

_ENOUGH_DIRECTIVES = 2_000
_LONGEST_COMMENT = 200


def context_comment(tree: NginxFile) -> str | None:
    """The context of the first `# gwlint: context=...` at the top level of the file."""
    for child in tree.children:
        if isinstance(child, Comment):
            match = _COMMENT.fullmatch(child.span.text[:_LONGEST_COMMENT].rstrip())
            if match and match[1] in CONTEXTS:
                return match[1]
    return None


def context_of_content(tree: NginxFile) -> str:
    """The context that allows all directives at the file's top level, or "unknown".

    Where several do, the one counts in whose blocks least is misplaced: a `server` with
    `proxy_pass` right inside is one of stream.
    """
    top = [one for one in islice(tree.directives, _ENOUGH_DIRECTIVES) if not one.is_entry]
    found = [
        (_misplaced(top, context), rank, context)
        for rank, context in enumerate(_PREFERENCE)
        if _fits(top, context)
    ]
    return min(found)[2] if found else UNKNOWN_CONTEXT


def _fits(top: list[Directive], context: str) -> bool:
    verdicts = [_allowed(directive, context) for directive in top if directive.name != "include"]
    return True in verdicts and False not in verdicts


def _allowed(directive: Directive, context: str | None) -> bool | None:
    """Whether a directive may stand in a context; None when that is not known."""
    spec = lookup(directive.name)
    if spec is None or context is None:
        return None
    form = spec.form(context)
    if form is None:
        return False
    has_block = directive.block is not None
    return form.block is None or form.block == has_block


def _misplaced(top: list[Directive], context: str) -> int:
    """How many directives below the top level stand where they cannot."""
    inner = (
        _allowed(directive, where)
        for directive, where in _below(top, context)
        if not directive.is_entry
    )
    return sum(verdict is False for verdict in islice(inner, _ENOUGH_DIRECTIVES))


def _below(
    directives: list[Directive], context: str | None
) -> Iterator[tuple[Directive, str | None]]:
    """Everything inside of the blocks of `directives`, with its context, outer before inner."""
    level: list[tuple[Directive, str | None]] = [(one, context) for one in directives]
    while level:
        inner = [
            (child, child_context(where, directive.name))
            for directive, where in level
            if directive.block is not None
            for child in directive.block.directives
        ]
        yield from inner
        level = inner
