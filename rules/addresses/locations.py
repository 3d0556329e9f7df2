"""What the header of a location says."""

from __future__ import annotations

from dataclasses import dataclass

from gwlint.model.nginx.context import Context
from gwlint.syntax.nginx.tree import Word

_MODIFIERS = ("^~", "~*", "=", "~")


@dataclass(frozen=True, slots=True)
class Location:
    """Modifier ("", "=", "^~", "~", "~*") and pattern; `word` holds the pattern.

    nginx reads `=/x` as `= /x`; then the word holds the modifier as well.
    """

    modifier: str
    pattern: str
    word: Word

    @classmethod
    def of(cls, context: Context) -> Location | None:
        """None when the context is no location, or its header cannot be read."""
        directive = context.directive
        if context.kind != "location" or directive is None:
            return None
        arguments = directive.arguments
        if len(arguments) == 2 and arguments[0].value in _MODIFIERS:
            return cls(arguments[0].value, arguments[1].value, arguments[1])
        if len(arguments) != 1:
            return None
        word = arguments[0]
        for modifier in _MODIFIERS:
            if word.value.startswith(modifier):
                return cls(modifier, word.value.removeprefix(modifier), word)
        return cls("", word.value, word)

    @property
    def is_regex(self) -> bool:
        return self.modifier in ("~", "~*")

    @property
    def is_named(self) -> bool:
        return not self.modifier and self.pattern.startswith("@")

    @property
    def is_prefix(self) -> bool:
        """Whether it holds for every URI that begins with its pattern."""
        return self.modifier in ("", "^~") and self.pattern.startswith("/")
