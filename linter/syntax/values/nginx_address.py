"""nginx addresses: of `listen`, of an upstream's `server`, of `proxy_pass` (ngx_parse_url).

All are `host[:port]`, `[v6][:port]` or `unix:path`; variables make a part unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from pyparsing import CaselessLiteral, Opt, ParseException, ParserElement, Regex, StringEnd

from gwlint.syntax.values.address import Address, Family, family_of_host
from gwlint.syntax.values.problem import ValueProblem

_VARIABLE = re.compile(r"\$(?:\{[A-Za-z0-9_]+\}|[A-Za-z0-9_]+)")
_HOLE = "\0"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_LARGEST_PORT = 65535
_DEFAULT_PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}


def _grammar() -> ParserElement:
    """unix:path | (host | [v6]) [:port], variables replaced by holes."""
    unix = CaselessLiteral("unix:")("unix") + Regex(r"(?s:.*)")("path")
    bracketed = Regex(r"\[[^\]]*\]")
    host = Regex(r"[^:\[\]]*")
    port = Regex(r":[^:]*")
    network = (bracketed | host)("host") + Opt(port("port"))
    return ((unix | network) + StringEnd()).leave_whitespace().parse_with_tabs()


_GRAMMAR = _grammar()


@lru_cache(maxsize=4096)
def parse_authority(text: str) -> Address:
    """`host[:port]`, `[v6][:port]` or `unix:path` without anything after it.

    A port that is not written stays None: 80 for `listen` and `server`, the scheme's own for
    `proxy_pass`. Raises ValueProblem for what nginx refuses: no host, a port that is no number
    or lies outside 1 to 65535, a broken IPv6 address.
    """
    variables = tuple(_VARIABLE.findall(text)) if "$" in text else ()
    masked = _VARIABLE.sub(_HOLE, text) if variables else text
    try:
        found = _GRAMMAR.parse_string(masked)
    except ParseException as problem:
        raise ValueProblem("not an address of the form host:port", problem.loc) from None
    if "unix" in found:
        return _unix(text, str(found["path"]), variables)
    host: str | None = str(found["host"])
    written_port = str(found.get("port", ""))[1:]
    open_end = "port" not in found and masked.endswith(_HOLE)
    if host is not None and _HOLE in host:
        host, family = None, Family.UNKNOWN
    else:
        host, family = _host(host or "")
    port = None
    port_unknown = open_end or _HOLE in written_port
    if "port" in found and not port_unknown:
        port = _port(written_port, len(text) - len(written_port))
    return Address(
        text, family, host=host, port=port, port_unknown=port_unknown, variables=variables
    )


def _unix(text: str, path: str, variables: tuple[str, ...]) -> Address:
    if not path:
        raise ValueProblem("a path was expected after unix:", len(text))
    known = None if _HOLE in path else path
    return Address(text, Family.UNIX, host=None, path=known, prefix="unix:", variables=variables)


def _host(written: str) -> tuple[str, Family]:
    if not written:
        raise ValueProblem("no host")
    if written.startswith("["):
        host = written[1:-1]
        if family_of_host(host) is not Family.IPV6:
            raise ValueProblem("not an IPv6 address", 1)
        return host, Family.IPV6
    host = "" if written == "*" else written
    family = family_of_host(host)
    return host, Family.NAME if family is Family.IPV6 else family


def _port(text: str, position: int) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(_LARGEST_PORT)):
        raise ValueProblem("a port is a number between 1 and 65535", position)
    port = int(text)
    if not 1 <= port <= _LARGEST_PORT:
        raise ValueProblem("a port is a number between 1 and 65535", position)
    return port


def parse_listen_address(text: str) -> Address:
    """The first value of `listen`: also a bare port (`80`), a range of ports, `*:80`, `[::]:80`.

    The port defaults to 80. Raises ValueProblem.
    """
    if text.isascii() and text.isdecimal():
        return Address(text, Family.ANY, host="", port=_port(text, 0))
    head, colon, tail = text.rpartition(":")
    first, dash, last = tail.partition("-")
    if colon and dash and first.isdecimal() and last.isdecimal() and not text.startswith("unix:"):
        start = _port(first, len(head) + 1)
        end = _port(last, len(head) + 1 + len(first) + 1)
        if end < start:
            raise ValueProblem("the range of ports is reversed", len(head) + 1)
        address = parse_authority(f"{head}:{first}")
        return Address(text, address.family, host=address.host, port=start, port_end=end)
    return _with_port(parse_authority(text), 80)


def parse_upstream_server(text: str) -> Address:
    """The address of a `server` in an upstream; the port defaults to 80. Raises ValueProblem."""
    return _with_port(parse_authority(text), 80)


@dataclass(frozen=True, slots=True)
class UpstreamUrl:
    """The value of `proxy_pass` and its kin.

    scheme: in lower case; "" where the directive takes none (`fastcgi_pass`) or it is a variable.
    address: with the scheme's default port; its host may be the name of an upstream block.
    port_written: whether the port stands in the text.
    uri: what follows the authority, from the slash on; "" when nothing does (nginx then passes
        the request's own URI); None when a variable hides whether there is one.
    """

    text: str
    scheme: str
    address: Address
    port_written: bool
    uri: str | None


@lru_cache(maxsize=4096)
def parse_upstream_url(text: str) -> UpstreamUrl:
    """`http://host:port/uri`, `http://unix:/path:/uri`, `host:port`, `$variable`.

    Raises ValueProblem for an authority that nginx refuses.
    """
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else ""
    start = match.end() if match else 0
    rest = text[start:]
    if rest[:5].lower() == "unix:":
        path, colon, uri = rest[5:].partition(":")
        authority = f"{rest[:5]}{path}"
        uri = uri if colon else ""
    else:
        end = _authority_end(rest)
        authority, uri = rest[:end], rest[end:]
    try:
        address = parse_authority(authority)
    except ValueProblem as problem:
        raise ValueProblem(problem.message, start + problem.position) from None
    hidden = not uri and bool(address.variables) and not scheme
    written = address.port is not None
    address = _with_port(address, _DEFAULT_PORTS.get(scheme))
    return UpstreamUrl(text, scheme, address, written, None if hidden else uri)


def _authority_end(text: str) -> int:
    """Where the authority ends: at the first slash or question mark."""
    ends = [position for position in (text.find("/"), text.find("?")) if position != -1]
    return min(ends, default=len(text))


def _with_port(address: Address, port: int | None) -> Address:
    if port is None or address.port is not None or address.port_unknown:
        return address
    if not address.family.is_network:
        return address
    return Address(
        address.text, address.family, host=address.host, port=port, variables=address.variables
    )
