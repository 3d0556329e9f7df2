"""What is wrong with a single value, and where in it."""

from __future__ import annotations


class ValueProblem(ValueError):  # noqa: N818
    """A value that the server refuses.

    `message` says what was expected; `position` is the index of the first offending character of
    the text that was parsed (characters, from 0).
    """

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
