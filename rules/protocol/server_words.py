"""Words of HAProxy server lines that go or come together."""

from __future__ import annotations

from collections.abc import Collection

from gwlint.edits import Edit
from gwlint.syntax.haproxy.amend import words_added, words_removed
from gwlint.syntax.haproxy.tree import Line
from gwlint.syntax.values.server_line import parse_server

TLS_PARAMETERS = frozenset(
    {
        "alpn", "ca-file", "check-alpn", "check-sni", "ciphers", "ciphersuites", "crl-file", "crt",
        "no-check-ssl", "sni", "ssl", "ssl-max-ver", "ssl-min-ver", "verify", "verifyhost",
    }
)  # fmt: skip
"""What a server line says of TLS, and what has no use without it."""


def parameters_removed(line: Line, names: Collection[str], essential: str) -> tuple[Edit, ...]:
    """The parameters of these names go; the line says no to `essential` where it inherits that."""
    parsed = parse_server(line)
    edits = [
        words_removed(one.keyword, one.values[-1] if one.values else one.keyword)
        for one in parsed.parameters
        if one.name in names
    ]
    if parsed.last(essential) is None:
        edits.append(words_added(line, f"no-{essential}"))
    return tuple(edits)
