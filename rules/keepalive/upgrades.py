"""The map that makes the Connection header of the Upgrade header, and where one can be added."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.edits import Edit
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.syntax.nginx.amend import DEFAULT_UNIT, added_before, added_inside
from gwlint.syntax.nginx.tree import Directive, Word

_MAP_OPTIONS = frozenset({"hostnames", "volatile", "include"})


@dataclass(frozen=True, slots=True)
class UpgradeMap:
    """A `map $http_upgrade $variable`, and its entry for a request that asks for no upgrade.

    `plain` is the value of that entry; None when there is none, which makes an empty value.
    `is_certain` is False when it is not sure which entry counts.
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
        if len(values) != 2 or values[0].strip("${}").lower() != "http_upgrade":
            continue
        block = next((one for one in context.children if one.directive is directive), None)
        if block is not None:
            yield _read(block, directive, values[1].strip("${}"))


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
    except (re.error, RecursionError, OverflowError):
        return True


def added_to_http(server: Context, header: str, *lines: str) -> Edit | None:
    """A new block among the servers of the http block: `map $a $b` and the lines inside of it.

    It stands before the first server of the file in which the http block is written, at its end
    where that file has none, and before the first server of its file in a fragment of http. None
    where there is no place for it.
    """
    http = server.parent
    if http is None or http.kind != "http" or server.directive is None:
        return None
    source = (http.directive or server.directive).source
    anchor = next((one for one in http.own("server") if one.source is source), None)
    if anchor is not None:
        return added_before(anchor, *_block(header, lines, _unit(anchor)))
    if http.directive is None:
        return None
    return added_inside(http.directive, *_block(header, lines, DEFAULT_UNIT))


def _block(header: str, lines: tuple[str, ...], unit: str) -> list[str]:
    return [header + " {", *(unit + line for line in lines), "}"]


def _unit(server: Directive) -> str:
    """By what the author indents the lines of this block; nothing where all is on one line."""
    source, block = server.source, server.block
    outer = source.indentation(server.start)
    line_start = source.line_starts[source.line_of(server.start) - 1]
    if source.data[line_start : server.start].strip():
        return ""
    inside = () if block is None else block.children
    first = next((one for one in inside if isinstance(one, Directive)), server)
    inner = source.indentation(first.start)
    return inner[len(outer) :] if inner.startswith(outer) and inner != outer else DEFAULT_UNIT
