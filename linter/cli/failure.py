"""How a run ends that cannot do what it was asked to: always with exit code 2."""

from __future__ import annotations

NO_FINDINGS, FINDINGS, FAILED = 0, 1, 2
"""Exit codes."""


class Failure(Exception):  # noqa: N818 - it ends a run, whoever erred
    """The user's input, or the machine, stands in the way; the message may have several lines."""


class Defect(Exception):  # noqa: N818 - as above
    """gwlint itself is wrong; the message names the rule and the file, if they are known."""
