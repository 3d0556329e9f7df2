"""Templates to text. Every value that a template prints passes through quoting.py."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from gwlint.generate import quoting, units
from gwlint.generate.plan import Plan


class Verbatim(str):
    """Text that stands as it is: numbers with units, comments."""

    __slots__ = ()


def render(template: str, quote: Callable[[str], str], plan: Plan, made_from: str) -> bytes:
    """The text that a template makes of a plan; `made_from` is the name of the spec.

    `quote` writes a value as one word. It is applied to each `{{ expression }}`, so no template
    can forget it; a list becomes several words. Raises jinja2.UndefinedError for a name that a
    template misspells, and ValueError or TypeError for a value that cannot be written.
    """
    return (
        _environment(quote)
        .get_template(template)
        .render(plan=plan, spec=plan.spec, made_from=made_from)
        .encode()
    )


@cache
def _environment(quote: Callable[[str], str]) -> Environment:
    def word(value: Any) -> str:
        if isinstance(value, Verbatim):
            return value
        if isinstance(value, str):
            return quote(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, (list, tuple)):
            return " ".join(map(word, value))
        raise TypeError(f"a template prints {value!r}")

    environment = Environment(
        loader=PackageLoader("gwlint.templates", ""),
        undefined=StrictUndefined,
        finalize=word,
        autoescape=False,  # HTML is another language; `word` quotes
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["time"] = lambda value: Verbatim(units.time(value))
    environment.filters["size"] = lambda value: Verbatim(units.size(value))
    environment.filters["comment"] = lambda value: Verbatim(quoting.comment(value))
    return environment
