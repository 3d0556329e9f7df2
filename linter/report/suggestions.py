"""A patch as suggestions for reviewers, whole lines each, in two forms.

`rdjson` is the Reviewdog Diagnostic Format (reviewdog.proto). `github-suggestions` is the body of
GitHub's "Create a review for a pull request" (REST API, POST /repos/OWNER/REPO/pulls/N/reviews),
whose comments hold suggestion blocks; GitHub takes them on lines that are in the pull request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gwlint.report.places import Checkout
from gwlint.report.printable import printable
from gwlint.report.wording import clipped, heading
from gwlint.revision import Region
from gwlint.source import Source

if TYPE_CHECKING:
    from gwlint.fixing import FixResult
    from gwlint.rule import Finding

_BACKTICKS = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Lines `first` to `last` (from 1, both included) of a file, and the text for them."""

    path: str
    first: int
    last: int
    text: str
    message: str


def suggestions(result: FixResult) -> Iterator[Suggestion]:
    """What a fix changes, place by place. What is not UTF-8 cannot be suggested, and is left out.

    Lines that are only added are suggested with the line before them, for a suggestion replaces.
    """
    checkout = Checkout()
    for path, regions in result.regions.items():
        source = Source(path, result.originals[path])
        made = [one for one in result.fixed if one.span.source.data == source.data]
        for region in _joined(regions):
            first, last = region.start, region.end
            lines = list(region.new)
            if first == last:
                first, lines = _with_neighbour(source, first, lines)
                last = first + 1
            try:
                text = b"".join(lines).decode("utf-8")
            except UnicodeDecodeError:
                continue
            shown = printable(checkout.path_of(path))
            yield Suggestion(shown, first + 1, last, text, _message(made, source, region))


def rdjson(result: FixResult) -> str:
    """One JSON object for reviewdog."""
    diagnostics = [
        {
            "message": one.message,
            "location": {"path": one.path, "range": _range(one)},
            "severity": "WARNING",
            "suggestions": [{"range": _range(one), "text": one.text}],
        }
        for one in suggestions(result)
    ]
    return _printed({"source": {"name": "gwlint"}, "diagnostics": diagnostics})


def github_review(result: FixResult) -> str:
    """The JSON body of one review with all suggestions as comments."""
    return _printed(
        {
            "event": "COMMENT",
            "body": "gwlint suggests these changes.",
            "comments": [_comment(one) for one in suggestions(result)],
        }
    )


FORMATS: dict[str, Callable[[FixResult], str]] = {
    "rdjson": rdjson,
    "github-suggestions": github_review,
}
"""Name, as `gwlint fix --format` takes it -> what renders a result."""


def _joined(regions: list[Region]) -> Iterator[Region]:
    """The regions, those that touch as one: no line may be in two suggestions."""
    waiting: Region | None = None
    for region in regions:
        if waiting is not None and region.start <= waiting.end:
            waiting = Region(waiting.start, region.end, [*waiting.new, *region.new])
            continue
        if waiting is not None:
            yield waiting
        waiting = region
    if waiting is not None:
        yield waiting


def _with_neighbour(source: Source, line: int, added: list[bytes]) -> tuple[int, list[bytes]]:
    """The line (from 0) that is replaced in place of nothing, and it with the lines added."""
    before = max(line - 1, 0)
    starts = [*source.line_starts, len(source.data)]
    there = source.data[starts[before] : starts[before + 1]]
    return before, [there, *added] if line > 0 else [*added, there]


def _message(made: list[Finding], source: Source, region: Region) -> str:
    """What the fixes of a region do. One that only a later round made is not told apart."""
    titles = [
        f"{heading(finding)}: {clipped(finding.fix.title)}"
        for finding in made
        if finding.fix is not None
        and any(
            edit.path == source.path
            and source.line_of(edit.span.start) - 1 <= region.end
            and region.start <= source.line_of(edit.span.end)
            for edit in finding.fix.edits
        )
    ]
    return "; ".join(dict.fromkeys(titles)) or "belongs to the other suggestions"


def _range(one: Suggestion) -> dict[str, dict[str, int]]:
    return {
        "start": {"line": one.first, "column": 1},
        "end": {"line": one.last + 1, "column": 1},
    }


def _comment(one: Suggestion) -> dict[str, Any]:
    longest = max((len(run) for run in _BACKTICKS.findall(one.text)), default=2)
    fence = "`" * (longest + 1)
    ending = "" if one.text.endswith("\n") or not one.text else "\n"
    body = f"{one.message}\n{fence}suggestion\n{one.text}{ending}{fence}"
    comment: dict[str, Any] = {"path": one.path, "body": body, "line": one.last, "side": "RIGHT"}
    if one.first < one.last:
        comment |= {"start_line": one.first, "start_side": "RIGHT"}
    return comment


def _printed(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1) + "\n"
