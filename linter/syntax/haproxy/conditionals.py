"""The preprocessor: `.if` blocks and messages (configuration manual, 2.4).

Which branch is taken depends on the version, the build and the environment, so all of them are
read, and each line is told which branches it stands in.
"""

from __future__ import annotations

from gwlint.source import Span
from gwlint.syntax.haproxy.tree import Block, Branch, HaproxyFile, Line, Section
from gwlint.syntax.problem import SyntaxProblem

MAX_DEPTH = 99
"""The 100th nested `.if` is refused (measured on 2.6 and 2.8)."""

MESSAGES = frozenset({".alert", ".diag", ".notice", ".warning"})


class Conditionals:
    """The `.if` blocks that are open while a file is read."""

    def __init__(self, file: HaproxyFile) -> None:
        self.file = file
        self.branch: Branch | None = None
        self.depth = 0
        self.was_too_deep = False

    def opens(self, section: Section) -> None:
        if self.branch is not None:
            self.branch.block.opened = section

    def read(self, line: Line, section: Section | None) -> Section | None:
        """Handle a preprocessor line that follows `section`; returns the section after it."""
        name = line.words[0].value
        if name == ".if":
            self._if(line, section)
        elif name in (".elif", ".else", ".endif"):
            return self._next(line, name, section)
        else:
            line.branch = self.branch
            self._message(line, name)
        return section

    def finish(self) -> None:
        if self.branch is None:
            return
        message = "this '.if' has no '.endif'"
        if self.depth > 1:
            message = f"{message}, nor have {self.depth - 1} around it"
        self._problem(self.branch.block.opening.span, message, "unterminated-condition")

    def _if(self, line: Line, section: Section | None) -> None:
        line.branch = self.branch
        self.depth += 1
        if self.depth > MAX_DEPTH and not self.was_too_deep:
            self.was_too_deep = True
            message = f"more than {MAX_DEPTH} nested '.if'"
            self._problem(line.span, message, "too-deep-condition")
        self.branch = Branch(line, _expression(line), Block(line, self.branch, section))

    def _next(self, line: Line, name: str, section: Section | None) -> Section | None:
        if name != ".elif" and len(line.words) > 1:
            span = line.words[1].span
            self._problem(span, f"'{name}' takes no argument", "directive-argument")
        branch = self.branch
        if branch is None:
            self._problem(line.span, f"'{name}' without '.if'", "lone-condition")
            return section
        block = branch.block
        line.branch = block.outer
        if name == ".endif":
            self.branch = block.outer
            self.depth -= 1
            if block.opened is None:
                return section
            self.opens(block.opened)
            return block.opened
        if branch.expression is None:
            self._problem(line.span, f"'{name}' after '.else'", "condition-after-else")
        expression = _expression(line) if name == ".elif" else None
        self.branch = Branch(line, expression, block)
        return block.section

    def _message(self, line: Line, name: str) -> None:
        if self.branch is not None:
            # HAProxy checks these only in a block that is taken, and skips even `.elseif` in
            # others. Whether a block is taken cannot be told here, so nothing is said.
            return
        if name not in MESSAGES:
            message = f"unknown directive '{name}'"
            self._problem(line.words[0].span, message, "unknown-directive")
        elif len(line.words) > 2:
            message = f"'{name}' takes one argument; put the message in quotes"
            self._problem(line.words[2].span, message, "directive-argument")

    def _problem(self, span: Span, message: str, kind: str) -> None:
        self.file.errors.append(SyntaxProblem(span, message, kind))


def _expression(line: Line) -> str:
    return " ".join([word.value for word in line.words[1:]])
