"""What the groups of a regular expression may hold, as far as their spelling tells."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\\.                             # an escaped character
      | \[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]   # a class
      | \((?:\?(?:P?<(?P<name>[A-Za-z_]\w*)>|:|[imsx-]+:|[=!]|<[=!]))?
      | \)
      | .""",
    re.VERBOSE | re.DOTALL,
)
_ALL_BUT = re.compile(r"\[\^(?P<excluded>.*)\]", re.DOTALL)
_NEWLINES = ("\\n", "\\r", "\\s", "\\R", "\n", "\r", "[:space:]", "[:cntrl:]")
_WIDE = frozenset({"\\s", "\\W", "\\D", "\\R", "\\n", "\\r"})


@dataclass(frozen=True, slots=True)
class Group:
    """One capture: its number from 1, its name if it has one, and what its brackets hold."""

    number: int
    name: str | None
    text: str

    @property
    def admits_newlines(self) -> bool:
        """Whether a line end may be in it: `[^/]` and `\\s` take one, a dot does not."""
        return any(map(_takes_newline, _tokens(self.text)))

    def admits(self, character: str) -> bool:
        """Whether the character may be in it."""
        return any(_takes(token, character) for token in _tokens(self.text))

    @property
    def begins_freely(self) -> bool:
        """Whether it may begin with two dots."""
        first = next(iter(_tokens(self.text)), "")
        return _takes(first, ".")


def groups_of(pattern: str) -> list[Group]:
    """The captures in the order of their numbers; none where brackets do not balance."""
    found: list[Group] = []
    opened: list[tuple[int, str | None, int] | None] = []
    count = 0
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if text == "(" or token["name"]:
            count += 1
            opened.append((count, token["name"], token.end()))
        elif text.startswith("(?"):
            opened.append(None)
        elif text == ")":
            if not opened:
                return []
            group = opened.pop()
            if group is not None:
                number, name, start = group
                found.append(Group(number, name, pattern[start : token.start()]))
    return [] if opened else sorted(found, key=lambda one: one.number)


def text_before(pattern: str, group: Group) -> str:
    """What stands in the pattern in front of a capture."""
    opening = f"(?<{group.name}>" if group.name else "("
    place = pattern.find(opening + group.text + ")")
    if place == -1 and group.name:
        place = pattern.find(f"(?P<{group.name}>{group.text})")
    return pattern[: max(place, 0)]


def takes_no_newline(pattern: str) -> bool:
    """Whether what the whole pattern takes cannot hold a line end, but for one at its end."""
    is_whole = pattern.startswith("^") and pattern.endswith("$") and not pattern.endswith("\\$")
    return is_whole and not any(map(_takes_newline, _tokens(pattern)))


def _tokens(text: str) -> list[str]:
    return [token[0] for token in _TOKEN.finditer(text)]


def _takes_newline(token: str) -> bool:
    if token in _WIDE:
        return True
    negated = _ALL_BUT.fullmatch(token)
    if negated:
        return not any(newline in negated["excluded"] for newline in _NEWLINES)
    return token.startswith("[") and any(wide in token for wide in ("\\s", "\\W", "\\D", "\\n"))


def _takes(token: str, character: str) -> bool:
    """Whether a token stands for a set of characters with this one in it, or is it itself."""
    if token == "." or token in ("\\S", "\\W", "\\D"):
        return True
    negated = _ALL_BUT.fullmatch(token)
    if negated:
        return character not in negated["excluded"]
    if token.startswith("["):
        return character in token or "\\S" in token or "\\W" in token or "\\D" in token
    return token in (f"\\{character}", character)
