"""Directives that form a list: an inner level that sets one drops all that the outer level sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.effective import Effective
from gwlint.rules.protocol.levels import statement_text
from gwlint.syntax.nginx.tree import Directive

_SHOWN = 3

MOST_REPEATED = 64
"""Directives. Of a longer list only the beginning is looked at, and no fix repeats it: a thousand
levels below a thousand headers would come to a million lines."""


def not_repeated(
    inner: Effective, outer: Sequence[Directive], *, ignores_case: bool
) -> list[Directive]:
    """The directives of the outer level whose first argument no directive of the inner one has."""
    kept = {_key(one, ignores_case) for one in inner.directives}
    return [one for one in outer if len(one.words) > 2 and _key(one, ignores_case) not in kept]


def is_alike(
    config: NginxConfig,
    level: Context,
    lost: Sequence[Directive],
    lost_inside: Callable[[Context], Sequence[Directive]],
) -> bool:
    """Whether each place that includes the file of the level loses the same there.

    `lost_inside` says what a level would lose that stands in the context given.
    """
    contexts = [] if level.directive is None else config.contexts_of(level.directive)
    if len(contexts) < 2:
        return True
    texts = [statement_text(one) for one in lost]
    return all([statement_text(one) for one in lost_inside(outer)] == texts for outer in contexts)


def written_in(level: Context, inner: Effective) -> list[Directive]:
    """The directives that stand in the block itself, not in a file that it includes."""
    return [one for one in inner.directives if one.parent is level.directive]


def shown(lost: Sequence[Directive]) -> str:
    """`A, B, C and 2 more`: the first arguments."""
    names = [one.values[0] for one in lost]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _key(directive: Directive, ignores_case: bool) -> str:
    name = directive.values[0] if directive.values else ""
    return name.lower() if ignores_case else name
