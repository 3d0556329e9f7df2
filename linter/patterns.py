"""Path patterns of gwlint.yaml and .gitignore: `*`, `?`, `[...]` stay in one folder, `**` not."""

from __future__ import annotations

import re
from functools import cache


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """The regular expression of a pattern; it matches whole paths with forward slashes."""
    parts: list[str] = []
    offset = 0
    while offset < len(pattern):
        rest = pattern[offset:]
        if rest.startswith("**/"):
            parts.append("(?:[^/]+/)*")
            offset += 3
        elif rest.startswith("**"):
            parts.append(".*")
            offset += 2
        elif rest[0] == "*":
            parts.append("[^/]*")
            offset += 1
        elif rest[0] == "?":
            parts.append("[^/]")
            offset += 1
        elif rest[0] == "[" and "]" in rest[2:]:
            end = rest.index("]", 2)
            members = rest[1:end].replace("\\", "\\\\").replace("[", "\\[")
            negated = members[0] in "!^"
            parts.append(f"[^/{members[1:]}]" if negated else f"[{members}]")
            offset += end + 1
        else:
            parts.append(re.escape(rest[0]))
            offset += 1
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:  # a range that runs backwards, [z-a], matches nothing but itself
        return re.compile(re.escape(pattern))


def path_matches(pattern: str, path: str) -> bool:
    """Whether a relative path (forward slashes) is meant by a pattern.

    A pattern without a slash is looked for in every folder. A pattern that means a folder means
    all that is in it.
    """
    pattern = pattern.removeprefix("./")
    anchored = "/" in pattern.rstrip("/")
    pattern = pattern.strip("/")
    if not pattern:
        return False
    expression = _expression(pattern if anchored else f"**/{pattern}")
    if expression.fullmatch(path):
        return True
    end = path.rfind("/")
    while end != -1:
        if expression.fullmatch(path, 0, end):
            return True
        end = path.rfind("/", 0, end)
    return False
