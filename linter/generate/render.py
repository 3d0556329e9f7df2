"""Templates to text. Every value that a template prints passes through quoting.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gwlint.generate import quoting, units
from jinja2 import Environment, PackageLoader, StrictUndefined


class Verbatim(str):
    """Text that stands as it is: numbers with units, comments."""

    __slots__ = ()


def render(template: str, quote: Callable[[str], str], plan: object, made_from: str) -> bytes:
    """The text that a template makes of a plan.

    `quote` writes a value as one word. It is applied to each `{{ expression }}`, so no template
    can forget it; a list becomes several words. Raises jinja2.UndefinedError for a name that a
    template misspells, and ValueError or TypeError for a value that cannot be written.
    """

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
    spec = getattr(plan, "spec")  # noqa: B009
    text = environment.get_template(template).render(plan=plan, spec=spec, made_from=made_from)
    return text.encode()
