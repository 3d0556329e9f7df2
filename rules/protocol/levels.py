"""Adding directives to a route without losing what it inherits.

Request headers form a list: one that is set in a location drops all that the server sets
(measured). So whoever adds one has to repeat the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from gwlint.edits import Edit
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.effective import Effective
from gwlint.model.nginx.passes import PASS_DIRECTIVES, Pass
from gwlint.source import decode
from gwlint.syntax.nginx.amend import added_after, added_inside, arguments_replaced
from gwlint.syntax.nginx.tree import Directive

_LEVELS = frozenset({"http server", "location", "stream server"})


def level_of(route: Pass) -> Context:
    """The location or server in which the settings of the route belong: `if` takes none."""
    return _level(route.context)


def statement_text(directive: Directive) -> str:
    """A simple directive as its author wrote it, without comments, on one line, with its `;`."""
    return " ".join(decode(word.raw) for word in directive.words) + ";"


def added(route: Pass, *statements: str) -> Edit | None:
    """New directives beside the pass directive; None where nothing can be added.

    Every route of a level gets the same place, so that two rules or two routes that ask for the
    same line get it once.
    """
    level = level_of(route)
    anchor = _anchor(level)
    return None if anchor is None else _added_at(anchor, level, statements)


def changed(route: Pass, *wanted: tuple[Effective, str]) -> tuple[Edit, ...]:
    """Each setting gets its value: where it is written, if that is this level, else beside the
    pass directive. Empty where one of them cannot be written."""
    level = level_of(route)
    edits: list[Edit] = []
    new: list[str] = []
    for setting, value in wanted:
        directive = setting.directive
        if directive is None or setting.context is not level:
            new.append(f"{setting.name} {value};")
        elif directive.parent is level.directive:
            edits.append(arguments_replaced(directive, value))
        else:
            # An included file may serve other levels as well.
            return ()
    if new:
        addition = added(route, *new)
        if addition is None:
            return ()
        edits.append(addition)
    return tuple(edits)


def headers_added(config: NginxConfig, route: Pass, *statements: str) -> Edit | None:
    """New request headers for the route, with the inherited ones repeated where it has none.

    None where the level is shared by several includers that inherit different headers.
    """
    level = level_of(route)
    headers = level.effective(f"{route.family}_set_header")
    if headers.context is level:
        own = [one for one in headers.directives if one.parent is level.directive]
        anchor = own[-1] if own else _anchor(level)
        return None if anchor is None else _added_at(anchor, level, statements)
    repeated = [statement_text(one) for one in headers.directives]
    if level.directive is not None:
        for outer in config.contexts_of(level.directive):
            again = outer.effective(headers.name)
            if [statement_text(one) for one in again.directives] != repeated:
                return None
    return added(route, *repeated, *statements)


def setting_header(route: Pass, name: str) -> Directive | None:
    """The directive that sets a request header for the route; None when none does."""
    word = route.header(name)
    if word is None:
        return None
    directives = route.effective("set_header").directives
    return next((one for one in directives if word in one.words), None)


def suits_all_includers(config: NginxConfig, header: Directive, missing: str) -> bool:
    """Whether each level in which the header stands, by includes maybe several, lacks another."""
    return not any(
        one.values[:1] and one.values[0].lower() == missing.lower()
        for context in config.contexts_of(header)
        for one in context.own(header.name)
    )


def _level(context: Context) -> Context:
    return next((outer for outer in context.outward() if outer.kind in _LEVELS), context)


def _anchor(level: Context) -> Directive | None:
    """The directive behind which new ones go: the level's own pass directive, else its block."""
    for directive in level.directives:
        if directive.name in PASS_DIRECTIVES and directive.parent is level.directive:
            return directive
    return level.directive


def _added_at(anchor: Directive, level: Context, statements: Sequence[str]) -> Edit | None:
    if anchor is level.directive:
        return None if anchor.block is None else added_inside(anchor, *statements)
    return added_after(anchor, *statements)
