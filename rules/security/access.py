"""Who may ask for what a block of nginx serves.

Measured on nginx 1.22.1 and 1.31.3: `allow` and `deny` are one list, which an inner level that has
one of them replaces; a list without `deny` refuses nobody, unless `satisfy any` hands the client on
to a password; `return` and `rewrite` answer before all of them.
"""

from __future__ import annotations

from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import PASS_DIRECTIVES
from gwlint.syntax.nginx.tree import Directive

_ASKING = ("auth_basic", "auth_request", "auth_jwt")
_ANSWERING = (*PASS_DIRECTIVES, "return", "empty_gif", "stub_status")


def access_list(context: Context) -> list[Directive]:
    """The `allow` and `deny` in force, those of the nearest level that has one."""
    for level in context.outward():
        found = [*level.own("allow"), *level.own("deny")]
        if found:
            return found
    return []


def asks_for_credentials(context: Context) -> bool:
    """Whether a password, a token or another server's word is wanted."""
    return any((context.effective(name).value or "off") != "off" for name in _ASKING)


class Access:
    """Who gets an answer where; each level is looked through once."""

    def __init__(self) -> None:
        self._has_code: dict[int, bool] = {}

    def is_restricted(self, context: Context) -> bool:
        """Whether not everybody gets an answer; also where that cannot be seen.

        `internal` counts, and so does code of other languages, and an `if` that returns.
        """
        if not context.is_certain or context.own("internal") or asks_for_credentials(context):
            return True
        if any(one.name == "deny" for one in access_list(context)):
            return True
        return any(map(self._may_refuse, context.outward()))

    def _may_refuse(self, level: Context) -> bool:
        known = self._has_code.get(id(level))
        if known is None:
            known = self._has_code[id(level)] = any(
                "_by_lua" in one.name or one.name.startswith("js_") for one in level.directives
            ) or any(child.kind.endswith(" if") and child.own("return") for child in level.children)
        return known


def answers_itself(context: Context) -> bool:
    """Whether a location is answered by something else than files."""
    return any(context.own(name) for name in _ANSWERING)
