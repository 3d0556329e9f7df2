"""The parameter lists of `server` and `bind` lines: keywords, each with a fixed number of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gwlint.syntax.haproxy.keywords import parameter_arities
from gwlint.syntax.haproxy.tree import Word
from gwlint.syntax.nearest import nearest

_SOURCE_CONTINUES = frozenset({"usesrc", "interface"})


class Parameter(NamedTuple):
    """One parameter with its values.

    negated: `no-check`, `no-ssl` and the like; `name` is then without `no-`.
    unknown: no version of HAProxy has it. Its values cannot be told from the parameters after it.
    missing: how many of its words are not there, at the end of a line.
    uncertain: it hangs on an environment variable, which may stand for several words.
    """

    kind: str
    keyword: Word
    name: str
    values: tuple[Word, ...] = ()
    negated: bool = False
    unknown: bool = False
    missing: int = 0
    uncertain: bool = False

    @property
    def value(self) -> Word | None:
        """The first value."""
        return self.values[0] if self.values else None

    def suggestions(self) -> list[str]:
        """Known parameters that look like this one."""
        return list(nearest(self.keyword.value, parameter_arities(self.kind)))


@dataclass(frozen=True, slots=True)
class ParameterList:
    """Parameters in the order of the line; where one is repeated, the last one counts."""

    parameters: tuple[Parameter, ...]

    def get(self, name: str) -> Parameter | None:
        """The last parameter of this name, if it is not negated."""
        for parameter in reversed(self.parameters):
            if parameter.name == name:
                return None if parameter.negated else parameter
        return None

    def last(self, name: str) -> Parameter | None:
        """The last parameter of this name, negated or not."""
        for parameter in reversed(self.parameters):
            if parameter.name == name:
                return parameter
        return None

    def value(self, name: str) -> str | None:
        """The first value of `get(name)`, as text."""
        parameter = self.get(name)
        return None if parameter is None or parameter.value is None else parameter.value.value

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    @property
    def unknown(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if parameter.unknown)


def read_parameters(kind: str, words: Sequence[Word]) -> tuple[Parameter, ...]:
    """The parameters that `words` spell; `kind` is "server" or "bind".

    HAProxy stops at an empty word, and so does this.
    """
    arities = parameter_arities(kind)
    found: list[Parameter] = []
    uncertain = False
    index, end = 0, len(words)
    while index < end:
        keyword = words[index]
        written = keyword.value
        if not written:
            break
        index += 1
        arity = arities.get(written)
        if arity is None and written.endswith(")"):
            # set-proxy-v2-tlv-fmt(0x20) <format>
            arity = arities.get(written.partition("(")[0])
        if arity is None:
            uncertain = uncertain or bool(keyword.references)
            found.append(
                Parameter(kind, keyword, written, unknown=not uncertain, uncertain=uncertain)
            )
            continue
        uncertain = False
        start = index
        if arity < 0:
            index = _end_of_source(words, index)
            missing = int(index == start)
        else:
            index = min(index + arity, end)
            missing = arity - (index - start)
        name, negated = written, False
        if written.startswith("no-") and written[3:] in arities:
            name, negated = written[3:], True
        found.append(
            Parameter(kind, keyword, name, tuple(words[start:index]), negated, missing=missing)
        )
    return tuple(found)


def _end_of_source(words: Sequence[Word], index: int) -> int:
    """Where `source ADDRESS [usesrc ADDRESS] [interface NAME]` ends."""
    index = min(index + 1, len(words))
    while index < len(words) and words[index].value in _SOURCE_CONTINUES:
        index = min(index + 2, len(words))
    return index
