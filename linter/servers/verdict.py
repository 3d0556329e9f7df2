"""What a server says of a configuration, and how two such sayings compare."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gwlint.servers.process import Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """`accepted` is None when nothing could be judged; `messages` then holds the reason.

    `warnings` counts the warnings. Messages name the files as users know them.
    """

    accepted: bool | None
    messages: tuple[str, ...] = ()
    warnings: int = 0

    @classmethod
    def abstained(cls, reason: str) -> Verdict:
        return cls(None, (reason,))

    def objection(self, before: Verdict) -> str | None:
        """What this verdict holds against a change; `before` is the verdict on the original.

        A server that did not accept the original cannot speak about the change.
        """
        if not before.accepted or self.accepted is None:
            return None
        if not self.accepted:
            return "; ".join(self.messages) or "refused without a message"
        if self.warnings > before.warnings:
            new = [message for message in self.messages if message not in before.messages]
            return "; ".join(new or self.messages)
        return None


def readable(outcome: Outcome, copies: dict[Path, str]) -> list[str]:
    """The lines a server printed, with scratch copies named as the files they stand for."""
    text = outcome.text
    # Longest first: the name of one copy may be the beginning of another's.
    for copy, path in sorted(copies.items(), key=lambda pair: len(str(pair[0])), reverse=True):
        text = text.replace(str(copy), path)
    return [line.strip() for line in text.splitlines() if line.strip()]
