"""Stand-ins inside the words of HAProxy lines: addresses, pattern and map files."""

from __future__ import annotations

import re

from gwlint.servers.standins import StandIns, is_address

_ADDRESS = re.compile(
    r"(?P<family>(?:[a-z0-9+]+@)*)(?P<host>[^:@/\[\]$*\"]+)(?P<port>(?::[-+]?\d*(?:-\d+)?)?)"
)
_NOT_NETWORK = ("/", "unix@", "abns@", "abnsz@", "fd@", "sockpair@", "ring@", "rhttp@")
_NO_HOST = frozenset({"stdout", "stderr", "global", "clientip", "client", "0"})
_FILE_ARGUMENT = re.compile(
    r"(?P<call>\b(?:map(?:_[a-z]+)*|(?:add|del|set)-(?:acl|map))\()(?P<file>[^,()\s]+)"
)


def address(value: str, standins: StandIns) -> str:
    """`value` with a loopback address for its host name.

    Paths, literal addresses, addresses from the environment and words such as `stdout` stay.
    """
    found = _ADDRESS.fullmatch(value)
    if found is None or value.startswith(_NOT_NETWORK) or value in _NO_HOST:
        return value
    host = found["host"]
    if is_address(host):
        return value
    known = "[::1]" if "6@" in found["family"] else standins.host(host)
    return f"{found['family']}{known}{found['port']}"


def with_local_files(value: str, standins: StandIns) -> str:
    """`map(/etc/hosts.map,default)` with an empty file of the scratch folder in place of its own.

    Equal files stay equal, since actions such as `set-map(file)` name a file that is loaded.
    """
    return _FILE_ARGUMENT.sub(
        lambda found: f"{found['call']}{pattern_file(found['file'], standins)}", value
    )


def pattern_file(original: str, standins: StandIns) -> str:
    """An empty file for a file of patterns. `virt@` and `opt@` need none."""
    if original.startswith(("virt@", "opt@")):
        return original
    path = standins.path(original)
    path.touch()
    return str(path)
