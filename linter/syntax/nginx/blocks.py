"""Blocks whose content is not made of directives."""

from __future__ import annotations

ENTRY_BLOCKS = frozenset({"map", "geo", "types", "charset_map", "split_clients"})
"""Blocks of data: the first word of each entry is a key, not a directive name."""

_LUA_SUFFIX = "_by_lua_block"


def is_raw_block(name: str) -> bool:
    """Whether the block holds code of another language, which nginx hands to that language.

    Every Lua phase has such a directive (`access_by_lua_block`, `init_by_lua_block`, ...); the
    suffix is the rule by which the Lua module names them.
    """
    return name.endswith(_LUA_SUFFIX)
