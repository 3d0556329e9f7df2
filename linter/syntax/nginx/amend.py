"""Edits on nginx directives in the author's own style: indentation, line endings, one-line blocks.

Nothing here decides what to change; rules do. Only the bytes named by a directive are replaced,
and new directives take lines of their own where the author gives each directive a line.
"""

from __future__ import annotations

from gwlint.edits import Edit
from gwlint.source import Source, Span, decode
from gwlint.syntax.nginx.tree import Directive, Word

_BLANK = b" \t"
DEFAULT_UNIT = "    "


def replaced(word: Word, text: str) -> Edit:
    """One argument gets another value; `text` is written as it is, quotes included."""
    return Edit(word.span, text)


def arguments_replaced(directive: Directive, text: str) -> Edit:
    """All arguments are replaced by `text`."""
    first, last = directive.arguments[0], directive.arguments[-1]
    return Edit(Span(directive.source, first.start, last.end), text)


def added_after(directive: Directive, *statements: str) -> Edit:
    """New directives behind `directive`, each written with its `;`."""
    source, end = directive.source, directive.full_span.end
    line_end = _line_end(source, end)
    rest = source.data[end:line_end].strip(_BLANK)
    if _starts_line(source, directive.start) and (not rest or rest.startswith(b"#")):
        return _new_lines(source, line_end, source.indentation(directive.start), statements)
    return Edit.insert(source, end, "".join(" " + statement for statement in statements))


def added_before(directive: Directive, *statements: str) -> Edit:
    """New directives in front of `directive`."""
    source, start = directive.source, directive.start
    if _starts_line(source, start):
        indentation = source.indentation(start)
        newline = decode(source.newline)
        text = "".join(statement + newline + indentation for statement in statements)
        return Edit.insert(source, start, text)
    return Edit.insert(source, start, "".join(statement + " " for statement in statements))


def added_inside(directive: Directive, *statements: str) -> Edit:
    """New directives at the end of the block of `directive`, before its closing brace."""
    block = directive.block
    assert block is not None, "only a block can be added to"
    inner = block.directives
    if inner and inner[-1].source is directive.source:
        return added_after(inner[-1], *statements)
    source, offset = directive.source, block.open + 1
    line_end = _line_end(source, offset)
    if line_end < block.end:
        indentation = source.indentation(directive.start) + DEFAULT_UNIT
        return _new_lines(source, line_end, indentation, statements)
    text = "".join(" " + statement for statement in statements)
    closes_at_once = source.data[offset : offset + 1] == b"}"
    return Edit.insert(source, offset, text + (" " if closes_at_once else ""))


def removed(directive: Directive) -> Edit:
    """The directive goes, with its whole line and the comment on it where it has one for itself."""
    source, start = directive.source, directive.start
    end = directive.full_span.end
    line_end = _line_end(source, end)
    rest = source.data[end:line_end].strip(_BLANK)
    if _starts_line(source, start) and (not rest or rest.startswith(b"#")):
        return Edit.delete(whole_lines(directive))
    while end < line_end and source.data[end : end + 1] in (b" ", b"\t"):
        end += 1
    return Edit.delete(Span(source, start, end))


def whole_lines(directive: Directive) -> Span:
    """The lines on which the directive stands, with the line ending of the last."""
    source = directive.source
    begin = source.line_starts[source.line_of(directive.start) - 1]
    newline = source.data.find(b"\n", directive.full_span.end)
    return Span(source, begin, len(source.data) if newline == -1 else newline + 1)


def _new_lines(source: Source, offset: int, indentation: str, statements: tuple[str, ...]) -> Edit:
    newline = decode(source.newline)
    return Edit.insert(
        source, offset, "".join(newline + indentation + statement for statement in statements)
    )


def _starts_line(source: Source, offset: int) -> bool:
    begin = source.data.rfind(b"\n", 0, offset) + 1
    return not source.data[begin:offset].strip(_BLANK)


def _line_end(source: Source, offset: int) -> int:
    """Offset of the line ending (CR of CRLF) behind `offset`, or of the end of the file."""
    end = source.data.find(b"\n", offset)
    if end == -1:
        return len(source.data)
    return end - 1 if end > offset and source.data[end - 1 : end] == b"\r" else end
