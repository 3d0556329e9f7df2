"""How long a proxy waits for an answer, compared with other layers, and how that is changed."""

from __future__ import annotations

from gwlint.edits import Edit
from gwlint.model.deployment import Deployment
from gwlint.model.gateway import Route
from gwlint.rule import Label
from gwlint.source import Statement
from gwlint.syntax.haproxy import amend as haproxy
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.nginx import amend as nginx
from gwlint.syntax.nginx.tree import Directive

MARGIN_SECONDS = 5
"""What the outer side waits longer: enough for the inner one to answer 504 and be heard."""

_WITHOUT_TIMEOUTS = ("if", "limit_except")
"""Blocks in which nginx takes a pass directive, but no timeout."""


def seconds_text(seconds: float) -> str:
    """A time as both servers read it: 65s, or 1500ms."""
    return f"{int(seconds)}s" if seconds == int(seconds) else f"{round(seconds * 1000)}ms"


def is_own(route: Route) -> bool:
    """Whether the timeout is set for this route alone, not for others that inherit it too."""
    place, setting = route.statement, route.timeouts.response.statement
    if isinstance(place, Line):
        return isinstance(setting, Line) and setting.section is place.section
    return (
        isinstance(place, Directive)
        and isinstance(setting, Directive)
        and setting.source is place.source
        and setting.parent is place.parent
        and place.parent is not None
    )


def place_of(route: Route) -> Statement:
    """Where the timeout of this route is said, or should be."""
    setting = route.timeouts.response.statement
    return setting if setting is not None and is_own(route) else route.statement


def inherited(route: Route) -> tuple[Label, ...]:
    """A label for the timeout in force where it stands elsewhere."""
    span = route.timeouts.response.span
    return () if span is None or is_own(route) else (Label(span, "the timeout in force"),)


def response_timeout_set(deployment: Deployment, route: Route, seconds: float) -> Edit | None:
    """The timeout gets a value in the backend or location itself: others may need theirs.

    None where the line would stand in a file that other places include too, or in an `if`.
    """
    place, setting, text = (
        route.statement,
        route.timeouts.response.statement,
        seconds_text(seconds),
    )
    if isinstance(place, Line):
        assert place.section is not None
        if isinstance(setting, Line) and is_own(route):
            return None if setting.conditions else haproxy.replaced(setting.arguments[1], text)
        return haproxy.added_to_section(place.section, f"timeout server {text}")
    assert isinstance(place, Directive)
    if deployment.is_shared(place):
        return None
    if isinstance(setting, Directive) and is_own(route):
        return nginx.arguments_replaced(setting, text)
    if place.parent is not None and place.parent.name in _WITHOUT_TIMEOUTS:
        return None
    suffix = "read_timeout" if route.is_http else "timeout"
    return nginx.added_after(place, f"{place.name.removesuffix('_pass')}_{suffix} {text};")
