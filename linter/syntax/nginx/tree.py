"""The lossless tree of an nginx file.

Nodes hold offsets, not text, so nothing can be lost: what lies between two nodes is blank, and
`NginxFile.pieces` proves it by spelling the whole file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gwlint.source import UTF8_BOM, Source, Span
from gwlint.syntax.problem import SyntaxProblem
from gwlint.syntax.word import Word

__all__ = [
    "BLANKS",
    "MAX_DEPTH",
    "Block",
    "Comment",
    "Directive",
    "NginxFile",
    "RawBlock",
    "Stray",
    "Word",
]

BLANKS = b" \t\r\n"

MAX_DEPTH = 100
"""Blocks one in another. Ten are many; with thousands, what a statement inherits would be looked
for in thousands of places, for each of thousands of statements."""

MOST_HEADERS = 32
"""Nobody nests deeper, but a hostile file does, and would make each statement cost its depth."""


class Comment:
    """From `#` up to the end of the line, which is not part of it."""

    __slots__ = ("end", "source", "start")

    def __init__(self, source: Source, start: int, end: int) -> None:
        self.source = source
        self.start = start
        self.end = end

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)


class Stray(Comment):
    """A `;` or `}` that ends nothing. It is kept, and is a syntax problem."""

    __slots__ = ()


class Block:
    """What stands between braces: `open` is the offset of `{`, `close` that of `}`.

    `close` is None when the brace is missing; `end` is then where the block was taken to end.
    """

    __slots__ = ("children", "close", "end", "open")

    def __init__(self, open_offset: int) -> None:
        self.open = open_offset
        self.close: int | None = None
        self.end = open_offset + 1
        self.children: list[Directive | Comment] = []

    @property
    def directives(self) -> list[Directive]:
        return [child for child in self.children if isinstance(child, Directive)]


class RawBlock(Block):
    """A block of another language, such as Lua. Its body is one span and is not looked into."""

    __slots__ = ()

    @property
    def body(self) -> tuple[int, int]:
        """Offsets of the code, without the braces."""
        return self.open + 1, self.end if self.close is None else self.close


class Directive:
    """One directive, simple or block. It is a `gwlint.source.Statement`.

    `end` is the offset after the terminator `;` or `{`, or after the last word where the
    terminator is missing. `words` is empty only for a block without a name, which is a syntax
    problem. `comments` are those between its words.
    """

    __slots__ = (
        "_values",
        "block",
        "comments",
        "end",
        "is_entry",
        "name",
        "parent",
        "source",
        "words",
    )

    def __init__(
        self, source: Source, words: list[Word], end: int, parent: Directive | None
    ) -> None:
        self.source = source
        self.words = words
        self.name = words[0].value if words else ""
        self._values: list[str] | None = None
        self.end = end
        self.parent = parent
        self.block: Block | None = None
        self.comments: Sequence[Comment] = ()
        self.is_entry = False

    def __repr__(self) -> str:
        return f"Directive({self.normalised!r})"

    @property
    def arguments(self) -> list[Word]:
        return self.words[1:]

    @property
    def values(self) -> list[str]:
        """The arguments as nginx sees them. The list is shared: it is not to be changed."""
        if self._values is None:
            self._values = [word.value for word in self.words[1:]]
        return self._values

    @property
    def start(self) -> int:
        if self.words:
            return self.words[0].start
        return self.end if self.block is None else self.block.open

    @property
    def span(self) -> Span:
        """First to last word."""
        return Span(self.source, self.start, self.words[-1].end if self.words else self.end)

    @property
    def full_span(self) -> Span:
        """With the terminator, and with the whole block."""
        return Span(self.source, self.start, self.end if self.block is None else self.block.end)

    @property
    def normalised(self) -> str:
        return " ".join(word.value for word in self.words)

    @property
    def enclosing(self) -> tuple[str, ...]:
        """The headers of the blocks around it, outermost first; of more than 32, the innermost."""
        headers: list[str] = []
        outer = self.parent
        while outer is not None and len(headers) < MOST_HEADERS:
            headers.append(outer.normalised)
            outer = outer.parent
        return tuple(reversed(headers))


class NginxFile:
    """A parsed file: what stands at its top level, and what could not be read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.children: list[Directive | Comment] = []
        self.errors: list[SyntaxProblem] = []

    @property
    def directives(self) -> list[Directive]:
        return [child for child in self.children if isinstance(child, Directive)]

    def walk(self) -> Iterator[Directive]:
        """Every directive of the file in order, entries of data blocks included."""
        stack = [iter(self.children)]
        while stack:
            for node in stack[-1]:
                if isinstance(node, Directive):
                    yield node
                    if node.block is not None:
                        stack.append(iter(node.block.children))
                        break
            else:
                stack.pop()

    def pieces(self) -> Iterator[Span]:
        """Every word, brace, terminator, comment and blank in order; joined they are the file.

        Raises ValueError when something that is not blank belongs to no node: a parser defect.
        """
        data = self.source.data
        done = len(UTF8_BOM) if data.startswith(UTF8_BOM) else 0
        if done:
            yield Span(self.source, 0, done)
        for start, end in self._marks():
            if start > done:
                if data[done:start].strip(BLANKS):
                    raise ValueError(f"bytes {done} to {start} of {self.source.path} were lost")
                yield Span(self.source, done, start)
            if end > start:
                yield Span(self.source, start, end)
            done = max(done, end)

    def _marks(self) -> Iterator[tuple[int, int]]:
        """Offsets of all that is not blank, in order, and of the end of the file."""
        stack: list[tuple[Iterator[Directive | Comment], Block | None]] = [
            (iter(self.children), None)
        ]
        while stack:
            children, block = stack[-1]
            for node in children:
                if isinstance(node, Comment):
                    yield node.start, node.end
                    continue
                parts: list[Word | Comment] = [*node.words, *node.comments]
                yield from sorted((part.start, part.end) for part in parts)
                if node.block is not None:
                    yield node.block.open, node.block.open + 1
                    if isinstance(node.block, RawBlock):
                        yield node.block.body
                    stack.append((iter(node.block.children), node.block))
                    break
                if node.words and node.end > node.words[-1].end:
                    yield node.end - 1, node.end
            else:
                stack.pop()
                if block is not None and block.close is not None:
                    yield block.close, block.close + 1
        yield len(self.source.data), len(self.source.data)
