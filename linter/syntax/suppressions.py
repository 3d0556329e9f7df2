"""The comments that ask gwlint to keep a finding to itself, as they stand in a tree.

    # gwlint: ignore[NGX401] reason         the same line; the next one when alone on its line
    # gwlint: ignore-file[NGX401] reason    the whole file
    # gwlint: ignore-start[NGX401] reason   from here ...
    # gwlint: ignore-end[NGX401]            ... to here

They are read from the trees' comments, so a `#` inside of quotes is none. What they mean is told by
`gwlint.suppress`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gwlint.source import UTF8_BOM, Source, Span, decode

if TYPE_CHECKING:
    from gwlint.syntax.haproxy.tree import HaproxyFile
    from gwlint.syntax.nginx.tree import NginxFile

_COMMENT = re.compile(
    rb"\#[ \t]*gwlint:[ \t]*([A-Za-z-]+)[ \t]*(?:\[([^\]]*)\])?(.*)", re.VERBOSE | re.DOTALL
)
_BLANKS = re.compile(rb"[ \t\r\n]*")


class Kind(StrEnum):
    """What a suppression holds for, by its word."""

    LINE = "ignore"
    FILE = "ignore-file"
    START = "ignore-start"
    END = "ignore-end"


_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True, eq=False)
class SuppressionComment:
    """One comment that is meant to suppress something, well-formed or not.

    `kind` is None when `word` is none that exists. `listed` is what stands between the brackets,
    None without them; `selectors` are its parts, as written. `own_line` is where the comment
    stands and `line` what `ignore` holds for, both from 1; `line` is None when nothing follows.
    `removal` is what to delete to be rid of it: a whole line when nothing else stands there.
    """

    span: Span
    word: str
    kind: Kind | None
    listed: Span | None
    selectors: tuple[str, ...]
    has_reason: bool
    own_line: int
    line: int | None
    removal: Span

    @property
    def key(self) -> frozenset[str]:
        """By what `ignore-end` finds its `ignore-start`."""
        return frozenset(selector.lower() for selector in self.selectors)


def suppression_comments(tree: NginxFile | HaproxyFile) -> list[SuppressionComment]:
    """All of a file, in order."""
    source = tree.source
    spans = sorted(_comments(tree), key=lambda span: span.start)
    lines = _lines_held(source, spans)
    found = (_read(span, lines[span.start]) for span in spans)
    return [comment for comment in found if comment is not None]


def _comments(tree: NginxFile | HaproxyFile) -> Iterator[Span]:
    from gwlint.syntax.haproxy.tree import HaproxyFile
    from gwlint.syntax.nginx.tree import Comment, Stray

    if isinstance(tree, HaproxyFile):
        yield from tree.comments
        return
    groups = [tree.children]
    for directive in tree.walk():
        groups.append([*directive.comments])
        if directive.block is not None:
            groups.append(directive.block.children)
    for group in groups:
        for node in group:
            if isinstance(node, Comment) and not isinstance(node, Stray):
                yield node.span


def _lines_held(source: Source, comments: list[Span]) -> dict[int, int | None]:
    """For each comment, by its offset: its own line, or the next with a statement if it is alone.

    From the last comment to the first, so that a hundred comments in a row are passed once.
    """
    held: dict[int, int | None] = {}
    for comment in reversed(comments):
        if not _is_alone(comment):
            held[comment.start] = source.line_of(comment.start)
            continue
        blanks = _BLANKS.match(source.data, comment.end)
        after = comment.end if blanks is None else blanks.end()
        if after in held:
            held[comment.start] = held[after]
        else:
            held[comment.start] = source.line_of(after) if after < len(source.data) else None
    return held


def _line_start(comment: Span) -> int:
    """Where its line begins, after a byte order mark."""
    source = comment.source
    start = source.line_starts[source.line_of(comment.start) - 1]
    if start == 0 and source.data.startswith(UTF8_BOM):
        return len(UTF8_BOM)
    return start


def _is_alone(comment: Span) -> bool:
    return not comment.source.data[_line_start(comment) : comment.start].strip(b" \t\r")


def _read(comment: Span, held: int | None) -> SuppressionComment | None:
    """The suppression that a comment is; None for other comments.

    `# gwlint: context=http` and sentences after `gwlint:` are other comments: a suppression begins
    with `ignore`, or has a list in brackets after its first word.
    """
    source = comment.source
    match = _COMMENT.fullmatch(source.data, comment.start, comment.end)
    if match is None:
        return None
    word = decode(match[1])
    if match[2] is None and not word.lower().startswith("ignore"):
        return None
    line = source.line_of(comment.start)
    return SuppressionComment(
        span=Span(source, comment.start, source.line_span(line).end),
        word=word,
        kind=_KINDS.get(word),
        listed=None if match[2] is None else Span(source, match.start(2), match.end(2)),
        selectors=tuple(
            part.strip() for part in decode(match[2] or b"").split(",") if part.strip()
        ),
        has_reason=any(char.isalnum() for char in decode(match[3])),
        own_line=line,
        line=held,
        removal=_removal(comment, line),
    )


def _removal(comment: Span, line: int) -> Span:
    source = comment.source
    start = _line_start(comment)
    if _is_alone(comment):
        is_last = line == len(source.line_starts)
        return Span(source, start, len(source.data) if is_last else source.line_starts[line])
    before = source.data[start : comment.start]
    return Span(source, start + len(before.rstrip(b" \t")), source.line_span(line).end)
