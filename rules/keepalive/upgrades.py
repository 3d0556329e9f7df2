"""How a configuration tells the application of an upgrade: the Connection header and its map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.syntax.nginx.tree import Directive, Word

MAP_NAME = "connection_upgrade"

_MAP_OPTIONS = frozenset({"hostnames", "volatile", "include"})


@dataclass(frozen=True, slots=True)
class UpgradeMap:
    """A `map $http_upgrade $variable`, and its entry for a request that asks for no upgrade.

    `plain` is the value of that entry; None when there is none, which makes an empty value, or
    when it is not certain which one it is.
    """

    variable: str
    directive: Directive
    plain: Word | None
    is_certain: bool

    @property
    def plain_value(self) -> str:
        return "" if self.plain is None else self.plain.value.lower()


def upgrade_maps(config: NginxConfig) -> Iterator[UpgradeMap]:
    """The maps from $http_upgrade, each with the variable that it makes, without `$`."""
    for context, directive in config.find("map"):
        values = directive.values
        if len(values) != 2 or values[0] != "$http_upgrade":
            continue
        block = next((one for one in context.children if one.directive is directive), None)
        if block is not None:
            yield _read(block, directive, values[1].removeprefix("$"))


def _read(block: Context, directive: Directive, variable: str) -> UpgradeMap:
    entries = {
        one.name: one.arguments[-1]
        for one in block.directives
        if one.arguments and one.name not in _MAP_OPTIONS
    }
    regexes = [name.lstrip("~*") for name in entries if name.startswith("~")]
    plain = entries.get("")
    is_certain = block.is_complete
    if plain is None:
        plain = entries.get("default")
        is_certain = is_certain and not any(map(_may_match_nothing, regexes))
    return UpgradeMap(variable, directive, plain, is_certain)


def _may_match_nothing(pattern: str) -> bool:
    try:
        return re.search(pattern, "") is not None
    except re.error:
        return True
