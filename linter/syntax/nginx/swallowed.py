"""The directive that another one swallowed, because its `;` is missing.

nginx reads `root /srv` without `;` and the line after it as one directive. It then complains about
the number of arguments, or, where any number is allowed, says nothing at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from gwlint.syntax.nginx.tree import Word


def first_swallowed_word(words: Sequence[Word]) -> int | None:
    """Index of the word that begins the swallowed directive; None when there is none.

    The word must begin its line, indented no deeper than the first word, and be the name of a
    directive: arguments that go on in a new line are indented deeper by everybody.
    """
    if len(words) < 3 or b"\n" not in words[0].source.data[words[0].end : words[-1].start]:
        return None
    from gwlint.syntax.nginx.directives import lookup

    indentation = _indentation(words[0])
    for index in range(1, len(words)):
        word = words[index]
        between = word.source.data[words[index - 1].end : word.start]
        if b"\n" not in between or word.is_quoted:
            continue
        if len(_indentation(word)) <= len(indentation) and lookup(word.value) is not None:
            return index
    return None


def _indentation(word: Word) -> bytes:
    begin = word.source.data.rfind(b"\n", 0, word.start) + 1
    before = word.source.data[begin : word.start]
    return before[: len(before) - len(before.lstrip(b" \t"))]
