"""What a finding says, in one line, for formats that have one field for it."""

from __future__ import annotations

from gwlint.report.printable import printable
from gwlint.rule import Finding

LENGTH = 500
"""Characters of a message that are shown; it may quote a word of any length from the file."""


def clipped(text: str) -> str:
    """`text`, printable, and cut where it is longer than anyone reads."""
    if len(text) > LENGTH:
        text = text[:LENGTH] + "..."
    return printable(text)


def message_and_advice(finding: Finding) -> str:
    """The message as a sentence, then the advice."""
    return f"{clipped(finding.message).rstrip('.')}. Advice: {clipped(finding.advice)}"


def heading(finding: Finding) -> str:
    """Code and name of the rule, as users select, ignore and look them up."""
    return f"{finding.code} {finding.rule.name}"
