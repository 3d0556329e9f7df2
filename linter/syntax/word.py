"""One word of a configuration, the same in both dialects."""

from __future__ import annotations

from gwlint.source import Source, Span


class Word:
    """One word. `value` is what the server uses: quotes and escapes resolved."""

    __slots__ = ("end", "source", "start", "value")

    def __init__(self, source: Source, start: int, end: int, value: str) -> None:
        self.source = source
        self.start = start
        self.end = end
        self.value = value

    def __repr__(self) -> str:
        return f"Word({self.value!r})"

    @property
    def raw(self) -> bytes:
        return self.source.data[self.start : self.end]

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)

    @property
    def is_quoted(self) -> bool:
        return self.source.data[self.start : self.start + 1] in (b'"', b"'")
