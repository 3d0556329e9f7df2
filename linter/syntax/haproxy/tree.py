"""The lossless tree of a HAProxy file.

HAProxy reads one statement a physical line, and a section lasts until the next section keyword,
so the tree is flat: lines in order, and sections that share them. Nodes hold offsets; what lies
between two of them is blank, and `HaproxyFile.pieces` spells the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from gwlint.source import Source, Span
from gwlint.syntax.problem import SyntaxProblem
from gwlint.syntax.word import Word as PlainWord


class EnvironmentReference(NamedTuple):
    """`$NAME`, `${NAME}`, `${NAME-default}` or `${NAME[*]}` inside double quotes.

    `default` is used when the variable is unset, not when it is empty (section 2.3). `splits`
    tells `[*]`: the value becomes as many words as it has. Names with a leading dot are HAProxy's
    own: `.FILE`, `.LINE`, `.SECTION`.
    """

    name: str
    default: str | None
    span: Span
    splits: bool = False


class Word(PlainWord):
    """One word. Environment references stay in `value` as they are written."""

    __slots__ = ("references",)

    def __init__(
        self,
        source: Source,
        start: int,
        end: int,
        value: str,
        references: tuple[EnvironmentReference, ...] = (),
    ) -> None:
        # Not through super(): the second call would be a fifth of the time of parsing (measured).
        self.source = source
        self.start = start
        self.end = end
        self.value = value
        self.references = references

    @property
    def is_quoted_empty(self) -> bool:
        """Whether the word is empty, as `""` is: for HAProxy the arguments end here."""
        return not self.value


class Line:
    """One statement, or one preprocessor directive such as `.if`: never without a word."""

    __slots__ = (
        "branch",
        "comment",
        "keyword",
        "modifier",
        "section",
        "source",
        "start",
        "stop",
        "words",
    )

    def __init__(
        self, source: Source, start: int, stop: int, words: list[Word], comment: Span | None
    ) -> None:
        self.source = source
        self.start = start
        self.stop = stop
        self.words = words
        self.comment = comment
        self.branch: Branch | None = None
        self.section: Section | None = None
        self.modifier: Word | None = None
        self.keyword = words[0].value
        if self.keyword in ("no", "default"):
            self.modifier = words[0]
            self.keyword = words[1].value if len(words) > 1 else ""

    def __repr__(self) -> str:
        return f"Line({self.normalised!r})"

    @property
    def keyword_word(self) -> Word | None:
        """The word that `keyword` is the value of; None after a lone `no` or `default`."""
        if self.modifier is None:
            return self.words[0]
        return self.words[1] if len(self.words) > 1 else None

    @property
    def arguments(self) -> list[Word]:
        return self.words[1 if self.modifier is None else 2 :]

    @property
    def values(self) -> list[str]:
        return [word.value for word in self.arguments]

    @property
    def is_preprocessor(self) -> bool:
        """Whether it is `.if`, `.notice` or the like: it belongs to no section."""
        return self.words[0].value.startswith(".")

    @property
    def conditions(self) -> tuple[Branch, ...]:
        """The branches of `.if` blocks that it stands in, outermost first."""
        branch = self.branch
        if branch is None:
            return ()
        found: list[Branch] = []
        while branch is not None:
            found.append(branch)
            branch = branch.block.outer
        return tuple(reversed(found))

    @property
    def span(self) -> Span:
        """First word to last word."""
        return Span(self.source, self.words[0].start, self.words[-1].end)

    @property
    def full_span(self) -> Span:
        """The whole physical line with indentation, comment and line ending."""
        return Span(self.source, self.start, self.stop)

    @property
    def normalised(self) -> str:
        return " ".join([word.value for word in self.words])

    @property
    def enclosing(self) -> tuple[str, ...]:
        """The header of its section; nothing for a header, a directive, or outside of sections."""
        if self.section is None or self.section.header is self:
            return ()
        return (self.section.header.normalised,)


class Block:
    """One `.if` ... `.endif`. `outer` is the branch around it.

    `section` is the section that was open at the `.if`, `opened` the last one opened inside.
    """

    __slots__ = ("opened", "opening", "outer", "section")

    def __init__(self, opening: Line, outer: Branch | None, section: Section | None) -> None:
        self.opening = opening
        self.outer = outer
        self.section = section
        self.opened: Section | None = None


class Branch:
    """The lines from one `.if`, `.elif` or `.else` up to the next one of its block.

    `expression` is the text of the condition, its words joined by blanks; None for `.else`.
    """

    __slots__ = ("block", "expression", "line")

    def __init__(self, line: Line, expression: str | None, block: Block) -> None:
        self.line = line
        self.expression = expression
        self.block = block

    def __repr__(self) -> str:
        return f"Branch({self.line.normalised!r})"


class Scope:
    """`[name]` alone on a line: the SPOE engine that the sections after it belong to."""

    __slots__ = ("name", "span")

    def __init__(self, name: str, span: Span) -> None:
        self.name = name
        self.span = span


class Section:
    """A section: its header and every statement up to the next header.

    Inside `.if` blocks, `.elif` and `.else` go back to the section open at the `.if`; after
    `.endif` lines belong to the last section opened in the block. Preprocessor lines and lines
    whose first word is empty, which HAProxy skips, are in no section.
    """

    __slots__ = ("defaults_from", "header", "lines", "name", "scope")

    def __init__(self, header: Line, scope: Scope | None = None) -> None:
        self.header = header
        self.scope = scope
        self.lines: list[Line] = []
        self.name: Word | None
        self.defaults_from: Word | None
        self.name, self.defaults_from = _read_header(header)

    def __repr__(self) -> str:
        return f"Section({self.header.normalised!r}, {len(self.lines)} lines)"

    @property
    def kind(self) -> str:
        return self.header.keyword


def _read_header(header: Line) -> tuple[Word | None, Word | None]:
    """Name and defaults of `KIND [NAME] [from DEFAULTS]`.

    `defaults from base` has no name, while `defaults from` and `frontend from from base` name a
    section "from" (section 4; measured on 2.6 and 2.8).
    """
    arguments = header.arguments
    kind = header.keyword
    if kind == "defaults" and len(arguments) == 2 and arguments[0].value == "from":
        return None, arguments[1]
    name = arguments[0] if arguments and arguments[0].value else None
    inherits = kind in ("defaults", "frontend", "backend", "listen") and len(arguments) > 2
    if inherits and arguments[1].value == "from":
        return name, arguments[2]
    return name, None


class PieceKind(StrEnum):
    WORD = "word"
    COMMENT = "comment"
    BLANK = "blank"
    NEWLINE = "newline"
    SCOPE = "scope"
    BYTE_ORDER_MARK = "byte-order-mark"
    IGNORED = "ignored"
    """What HAProxy never reads: after a bare CR, a NUL, or the 64th word."""


class Piece(NamedTuple):
    """Bytes of one kind; the pieces of a file follow each other without gap."""

    kind: PieceKind
    span: Span


_BETWEEN = re.compile(rb"\r?\n|[^\r\n]+|\r+(?!\n)")


class HaproxyFile:
    """One file: every statement in order, its sections, and what is wrong with its syntax."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines: list[Line] = []
        """Statements, section headers and preprocessor directives."""
        self.sections: list[Section] = []
        self.scopes: list[Scope] = []
        self.comments: list[Span] = []
        """All comments, each without its line ending."""
        self.ignored: list[Span] = []
        self.byte_order_mark: Span | None = None
        self.errors: list[SyntaxProblem] = []

    @property
    def is_spoe(self) -> bool:
        """Whether it is a file for `filter spoe`, which only has sections of that filter."""
        return bool(self.scopes) or any(
            section.kind.startswith("spoe-") for section in self.sections
        )

    def pieces(self) -> Iterator[Piece]:
        """The whole file: `b"".join(piece.span.raw for piece in file.pieces())` is its bytes."""
        source = self.source
        done = 0
        for start, end, kind in sorted(self._placed()):
            yield from self._between(done, start)
            yield Piece(kind, Span(source, start, end))
            done = end
        yield from self._between(done, len(source.data))

    def _placed(self) -> Iterator[tuple[int, int, PieceKind]]:
        for line in self.lines:
            for word in line.words:
                yield word.start, word.end, PieceKind.WORD
        for span in self.comments:
            yield span.start, span.end, PieceKind.COMMENT
        for scope in self.scopes:
            yield scope.span.start, scope.span.end, PieceKind.SCOPE
        for span in self.ignored:
            yield span.start, span.end, PieceKind.IGNORED
        if self.byte_order_mark is not None:
            mark = self.byte_order_mark
            yield mark.start, mark.end, PieceKind.BYTE_ORDER_MARK

    def _between(self, start: int, end: int) -> Iterator[Piece]:
        for match in _BETWEEN.finditer(self.source.data, start, end):
            kind = PieceKind.NEWLINE if match[0].endswith(b"\n") else PieceKind.BLANK
            yield Piece(kind, Span(self.source, match.start(), match.end()))
