"""In which order HAProxy runs the rules of a proxy: by kind, whatever the order of the lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from gwlint.model.haproxy.proxy import Proxy
from gwlint.syntax.haproxy.tree import Line


class Stage(IntEnum):
    """The kinds of rules, in the order in which they run (measured on 2.6.12 and 2.8.25)."""

    TCP_CONNECTION = 1
    TCP_SESSION = 2
    TCP_CONTENT = 3
    MONITOR = 4
    HTTP_REQUEST = 5
    REDIRECT = 6
    USE_BACKEND = 7
    USE_SERVER = 8

    @property
    def label(self) -> str:
        """How configurations write it."""
        return _LABELS[self]


_LABELS = {
    Stage.TCP_CONNECTION: "tcp-request connection",
    Stage.TCP_SESSION: "tcp-request session",
    Stage.TCP_CONTENT: "tcp-request content",
    Stage.MONITOR: "monitor fail",
    Stage.HTTP_REQUEST: "http-request",
    Stage.REDIRECT: "redirect",
    Stage.USE_BACKEND: "use_backend",
    Stage.USE_SERVER: "use-server",
}
_STAGES = {label: stage for stage, label in _LABELS.items()}
_TWO_WORDS = frozenset({"tcp-request", "monitor"})
_HTTP_ONLY = frozenset({Stage.MONITOR, Stage.HTTP_REQUEST, Stage.REDIRECT})


@dataclass(frozen=True, slots=True)
class Rule:
    """A line that is a rule, and when it runs."""

    line: Line
    stage: Stage


def rules_of(proxy: Proxy, *, with_http: bool) -> list[Rule]:
    """The rules of the section itself, as written; `with_http`: also those that need mode http."""
    found = []
    for line in proxy.section.lines:
        stage = _stage(line)
        if stage is not None and (with_http or stage not in _HTTP_ONLY):
            found.append(Rule(line, stage))
    return found


def _stage(line: Line) -> Stage | None:
    arguments = line.arguments
    if line.modifier is not None or not arguments:
        return None
    if line.keyword in _TWO_WORDS:
        return _STAGES.get(f"{line.keyword} {arguments[0].value}")
    return _STAGES.get(line.keyword)


def sorted_rules(rules: list[Rule]) -> Iterator[tuple[Rule, Rule]]:
    """The rules that have to move down, in order of stage, each with the one to stand behind.

    That is the last rule which runs before it; all others stay where they are.
    """
    last: dict[Stage, int] = {rule.stage: index for index, rule in enumerate(rules)}
    for stage in Stage:
        earlier = [index for kind, index in last.items() if kind < stage]
        if not earlier:
            continue
        place = max(earlier)
        for rule in rules[:place]:
            if rule.stage is stage:
                yield rule, rules[place]
