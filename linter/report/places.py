"""Places as code hosts look for them: paths within the checkout, spans without line endings."""

from __future__ import annotations

import os
from pathlib import Path

from gwlint.source import Span

_CHECKOUTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""Variables in which GitHub Actions and GitLab CI say where the checkout is."""


def checkout_folders() -> list[str]:
    """The folders that a CI service calls its checkout."""
    return [os.environ[name] for name in _CHECKOUTS if os.environ.get(name)]


class Checkout:
    """Turns paths into those by which a code host knows the files.

    A job may run in a folder below the root of the repository, but annotations count from the
    root; and no host shows an annotation at a symbolic link, such as one of sites-enabled.
    """

    def __init__(self) -> None:
        self._roots = [Path(os.path.realpath(folder)) for folder in (*checkout_folders(), ".")]
        self._known: dict[str, str] = {}

    def path_of(self, path: str) -> str:
        """Relative to the checkout, or to the working directory; unchanged outside of both."""
        if path not in self._known:
            self._known[path] = self._find(path)
        return self._known[path]

    def _find(self, path: str) -> str:
        # realpath, unlike Path.resolve, also has an answer for links that go in circles.
        for absolute in (Path(os.path.realpath(path)), Path(os.path.abspath(path))):  # noqa: PTH100
            for root in self._roots:
                if absolute.is_relative_to(root):
                    return absolute.relative_to(root).as_posix()
        return path


def without_newline(span: Span) -> Span:
    """A span that does not reach into the next line, where there may be no line."""
    data, end = span.source.data, span.end
    while end > span.start and data[end - 1] in b"\r\n":
        end -= 1
    return Span(span.source, span.start, end)
