"""Words of one line, read as HAProxy's `parse_line` reads them (configuration manual, 2.2, 2.3).

Every rule here was measured with `haproxy -dC` 2.8. HAProxy drops a line at its first error; this
lexer records that error and reads on, taking what it could not understand literally.
"""

from __future__ import annotations

import re

from gwlint.source import Source, Span, decode
from gwlint.syntax.haproxy.tree import EnvironmentReference, Word
from gwlint.syntax.problem import SyntaxProblem

MAX_WORDS = 64
"""HAProxy's MAX_LINE_ARGS."""

BLANKS = b" \t\n\v\f\r"
"""What C's isspace() accepts. A CR is a blank among blanks, but ends the line after a word."""

PLAIN_LINE = re.compile(
    rb"""
    [ \t\v\f]*+
    ( [^\s\[\#"'\\\0] [^\n\r\#"'\\\0]*+ )?    # words
    ( \#[^\n\r\0]*+ )?                         # a comment
    \r?\n
    """,
    re.VERBOSE,
)
"""What nearly every line is: words that neither quote nor escape, a comment, both or nothing."""

_BLANK = re.compile(rb"\s*")
_SIMPLE = re.compile(rb"[^\"'\\#\r\n]*")
_UNQUOTED = re.compile(rb"[^\s\"'\\#]+")
_SINGLE_QUOTED = re.compile(rb"[^'\r]*")
_DOUBLE_QUOTED = re.compile(rb"[^\"\\$\r]+")
_HEX = re.compile(rb"(?:\\x[0-9A-Fa-f]{2})+")
_VARIABLE = re.compile(rb"\$(\{)?(\.(?:FILE|LINE|SECTION)(?![A-Za-z0-9_])|[A-Za-z_][A-Za-z0-9_]*)")
_DEFAULT = re.compile(rb"-([^}]*)\}")

_ESCAPES = {
    b"\\ ": b" ",
    b"\\\\": b"\\",
    b"\\t": b"\t",
    b"\\n": b"\n",
    b"\\r": b"\r",
    b"\\#": b"#",
    b"\\'": b"'",
    b'\\"': b'"',
}

_CR, _HASH, _DOUBLE, _SINGLE, _BACKSLASH = b'\r#"' + b"'\\"


class LineWords:
    """What one line holds: its words, its comment, and where HAProxy stops to read it."""

    __slots__ = ("comment", "stop", "words")

    def __init__(self, words: list[Word], comment: Span | None, stop: int) -> None:
        self.words = words
        self.comment = comment
        self.stop = stop


def read_line(source: Source, start: int, end: int, problems: list[SyntaxProblem]) -> LineWords:
    """The words between two offsets, which hold neither LF nor NUL nor the CR of a CRLF."""
    data = source.data
    stop = _SIMPLE.match(data, start, end).end()  # type: ignore[union-attr]  # matches anything
    if stop != end and data[stop] != _HASH:
        return _Reader(source, start, end, problems).read()
    words = plain_words(source, start, data[start:stop])
    if len(words) >= MAX_WORDS and _limit(words, stop, problems):
        return LineWords(words, None, words[-1].end)
    return LineWords(words, Span(source, stop, end) if stop != end else None, end)


def plain_words(source: Source, start: int, text: bytes) -> list[Word]:
    """The words of a text that begins at `start` and neither quotes nor escapes; what comes after
    the 64th is one more word."""
    words = []
    find = source.data.find
    for raw in text.split(None, MAX_WORDS):
        start = find(raw, start)
        end = start + len(raw)
        words.append(Word(source, start, end, decode(raw)))
        start = end
    return words


def _limit(words: list[Word], stop: int, problems: list[SyntaxProblem]) -> bool:
    """Cut more than 64 words; a blank after the 64th is one too many already (measured)."""
    if len(words) == MAX_WORDS and words[-1].end == stop:
        return False
    extra = words[MAX_WORDS:]
    del words[MAX_WORDS:]
    span = extra[0].span if extra else words[-1].span
    problems.append(
        SyntaxProblem(
            span,
            f"more than {MAX_WORDS} words: HAProxy refuses the line"
            if extra
            else f"a blank after word {MAX_WORDS}: HAProxy refuses the line as too long",
            "too-many-words",
        )
    )
    return True


class _Reader:
    """Reads one line that has quotes, escapes or a CR in it."""

    def __init__(self, source: Source, start: int, end: int, problems: list[SyntaxProblem]) -> None:
        self.source = source
        self.data = source.data
        self.position = start
        self.end = end
        self.problems = problems
        self.has_failed = False
        self.parts: list[bytes] = []
        self.references: list[EnvironmentReference] = []

    def read(self) -> LineWords:
        words: list[Word] = []
        while True:
            self.position = _BLANK.match(self.data, self.position, self.end).end()  # type: ignore[union-attr]
            if self.position == self.end:
                break
            if self.data[self.position] == _HASH:
                break
            words.append(self.word())
            if self.position == self.end or self.data[self.position] == _CR:
                break
            if len(words) > MAX_WORDS:
                break
        if len(words) >= MAX_WORDS and _limit(words, self.position, self.problems):
            return LineWords(words, None, words[-1].end)
        if self.position < self.end and self.data[self.position] == _HASH:
            return LineWords(words, Span(self.source, self.position, self.end), self.end)
        return LineWords(words, None, self.position)

    def word(self) -> Word:
        start = self.position
        self.parts = []
        self.references = []
        while self.position < self.end:
            match = _UNQUOTED.match(self.data, self.position, self.end)
            if match is not None:
                self.take(match)
                continue
            byte = self.data[self.position]
            if byte == _DOUBLE:
                self.double_quoted()
            elif byte == _SINGLE:
                self.single_quoted()
            elif byte == _BACKSLASH:
                self.escape(in_quotes=False)
            else:
                break
        # C strings end at a NUL, which only an escape can bring here: HAProxy sees `a\x00b` as `a`.
        value = b"".join(self.parts).partition(b"\0")[0]
        return Word(self.source, start, self.position, decode(value), tuple(self.references))

    def take(self, match: re.Match[bytes]) -> None:
        self.parts.append(match[0])
        self.position = match.end()

    def single_quoted(self) -> None:
        opening = self.position
        match = _SINGLE_QUOTED.match(self.data, opening + 1, self.end)
        assert match is not None  # it matches anything
        self.take(match)
        self.close(opening, _SINGLE)

    def double_quoted(self) -> None:
        opening = self.position
        self.position += 1
        while self.position < self.end:
            match = _DOUBLE_QUOTED.match(self.data, self.position, self.end)
            if match is not None:
                self.take(match)
                continue
            byte = self.data[self.position]
            if byte == _BACKSLASH:
                self.escape(in_quotes=True)
            elif byte in (_DOUBLE, _CR):
                break
            else:
                self.reference()
        self.close(opening, _DOUBLE)

    def close(self, opening: int, quote: int) -> None:
        if self.position < self.end and self.data[self.position] == quote:
            self.position += 1
            return
        self.fail(opening, opening + 1, "this quote is never closed", "unmatched-quote")

    def escape(self, *, in_quotes: bool) -> None:
        position = self.position
        pair = self.data[position : min(position + 2, self.end)]
        meaning = _ESCAPES.get(pair)
        if meaning is None and in_quotes and pair == b"\\$":
            meaning = b"$"
        if meaning is not None:
            self.parts.append(meaning)
            self.position = position + 2
            return
        if pair == b"\\x":
            match = _HEX.match(self.data, position, self.end)
            if match is not None:
                self.parts.append(bytes.fromhex(match[0].replace(b"\\x", b"").decode()))
                self.position = match.end()
                return
            message = "\\x needs two hexadecimal digits"
            self.fail(position, position + 2, message, "invalid-escape")
        self.parts.append(b"\\")
        self.position = position + 1

    def reference(self) -> None:
        """An environment reference at a `$`, which is kept as written."""
        start = self.position
        end = None if self.has_failed else self.reference_end()
        self.position = start + 1 if end is None else end
        self.parts.append(self.data[start : self.position])

    def reference_end(self) -> int | None:
        start = self.position
        match = _VARIABLE.match(self.data, start, self.end)
        if match is None:
            message = (
                "the name of a variable begins with a letter, '_' or is .FILE, .LINE, .SECTION"
            )
            self.fail(start, start + 1, f"{message}; write \\$ for the sign", "invalid-variable")
            return None
        end = match.end()
        default: str | None = None
        splits = False
        if match[1] is not None:
            if self.data.startswith(b"[", end, self.end):
                if not self.data.startswith(b"[*]", end, self.end):
                    self.fail(start, end + 1, "only [*] may follow the name", "invalid-expansion")
                    return None
                splits = True
                end += 3
            default_match = _DEFAULT.match(self.data, end, self.end)
            if default_match is not None:
                default = decode(default_match[1])
                end = default_match.end()
            elif self.data.startswith(b"}", end, self.end):
                end += 1
            else:
                self.fail(start, end, "this brace is never closed", "unmatched-brace")
                return None
        span = Span(self.source, start, end)
        self.references.append(EnvironmentReference(decode(match[2]), default, span, splits))
        return end

    def fail(self, start: int, end: int, message: str, kind: str) -> None:
        """Record the first error of the line, after which HAProxy no longer reads it."""
        if not self.has_failed:
            self.has_failed = True
            span = Span(self.source, start, min(end, self.end))
            self.problems.append(SyntaxProblem(span, message, kind))
