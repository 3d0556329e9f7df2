"""What is wrong with a spec, and where: all of it at once."""

from __future__ import annotations

from dataclasses import dataclass

from gwlint.source import Position


@dataclass(frozen=True, slots=True, order=True)
class SpecProblem:
    """One fault of a spec: the file, line and column (from 1), what is wrong, what may be meant."""

    path: str
    line: int
    column: int
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        """`gateway.yaml:3:5: error: unknown key "pol" (did you mean "pool"?)`."""
        meant = f' (did you mean "{self.suggestion}"?)' if self.suggestion else ""
        return f"{self.path}:{self.line}:{self.column}: error: {self.message}{meant}"


class SpecErrors(ValueError):  # noqa: N818 - it is many errors
    """The spec has faults; `problems` holds all of them, in order of place."""

    def __init__(self, problems: list[SpecProblem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
        super().__init__("\n".join(map(str, self.problems)))


class FormError(ValueError):
    """A value that does not have the form its key asks for; its place is added by the reader."""

    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion


class Problems:
    """Collects the problems of one file while it is read."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.found: list[SpecProblem] = []

    def add(self, place: Position, message: str, suggestion: str | None = None) -> None:
        problem = SpecProblem(self.path, place.line, place.column, message, suggestion)
        if problem not in self.found:
            self.found.append(problem)

    def raise_if_any(self) -> None:
        """Raise SpecErrors when anything was found."""
        if self.found:
            raise SpecErrors(self.found)
