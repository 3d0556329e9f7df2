"""Limits on requests and connections: the zones that count, and the places that use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.syntax.nginx.tree import Directive, Word
from gwlint.syntax.values.whole_numbers import whole_number

ZONE_DIRECTIVES = {"limit_req_zone": "limit_req", "limit_conn_zone": "limit_conn"}
"""The directive that defines a zone, and the one that uses it."""

_RATE = re.compile(r"([0-9]+)r/([sm])")


@dataclass(frozen=True)
class Zone:
    """One `limit_req_zone` or `limit_conn_zone`."""

    directive: Directive
    name: str

    @property
    def use(self) -> str:
        """The directive that may use it."""
        return ZONE_DIRECTIVES[self.directive.name]

    @property
    def key(self) -> str:
        return self.directive.values[0]

    @cached_property
    def rate(self) -> tuple[int, str] | None:
        """Requests and the unit, "s" or "m"; None for connections."""
        word = parameter(self.directive, "rate")
        found = None if word is None else _RATE.fullmatch(word.value.partition("=")[2])
        return None if found is None else (whole_number(found[1]), found[2])


@dataclass(frozen=True, slots=True)
class Use:
    """One `limit_req` or `limit_conn` at one place. `zone` is None where none is defined."""

    directive: Directive
    context: Context
    word: Word
    name: str
    zone: Zone | None


class Limits:
    """The zones and uses of http; those of the stream module, which has connections only, apart."""

    def __init__(self, config: NginxConfig, module: str = "http") -> None:
        self.zones: dict[str, Zone] = {}
        for context, directive in config.find(*ZONE_DIRECTIVES):
            word = parameter(directive, "zone")
            if context.kind != module or word is None:
                continue
            name = word.value.partition("=")[2].partition(":")[0]
            self.zones.setdefault(name, Zone(directive, name))
        self.uses = [
            use
            for context, directive in config.find("limit_req", "limit_conn")
            if context.kind.startswith("stream") is (module == "stream")
            for use in self._use(context, directive)
        ]

    def _use(self, context: Context, directive: Directive) -> Iterator[Use]:
        if directive.name == "limit_req":
            word = parameter(directive, "zone")
            name = "" if word is None else word.value.partition("=")[2]
        else:
            word = directive.words[1] if len(directive.words) > 1 else None
            name = "" if word is None else word.value
        if word is not None and name:
            yield Use(directive, context, word, name, self.zones.get(name))


def parameter(directive: Directive, name: str) -> Word | None:
    """The word `name=...`."""
    prefix = name + "="
    return next((word for word in directive.arguments if word.value.startswith(prefix)), None)
