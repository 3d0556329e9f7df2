"""nginx addresses: of `listen`, of an upstream's `server`, of `proxy_pass` (ngx_parse_url).

All are `host[:port]`, `[v6][:port]` or `unix:path`; variables make a part unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from gwlint.syntax.values.address import Address, Family, family_of_host
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.whole_numbers import whole_number

if TYPE_CHECKING:
    from pyparsing import ParserElement

_VARIABLE = re.compile(r"\$(?:\{[A-Za-z0-9_]+\}|[A-Za-z0-9_]+)")
_HOLE = "\0"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*|\$\{?[A-Za-z0-9_]+\}?)://")
_LARGEST_PORT = 65535
_DEFAULT_PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}


# Nearly every address is of this form, for which pyparsing need not be loaded.
_PLAIN = re.compile(r"([A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")


@cache
def _grammar() -> ParserElement:
    """unix:path | (host | [v6]) [:port], variables replaced by holes.

    Its one result is a match with the group path, or the groups host and port.
    """
    from pyparsing import Regex

    unix = Regex("unix:(?P<path>.*)", flags=re.IGNORECASE | re.DOTALL, as_match=True)
    network = Regex(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?P<port>:[^:]*)?", as_match=True)
    return (unix | network).leave_whitespace().parse_with_tabs()


@lru_cache(maxsize=4096)
def parse_authority(text: str) -> Address:
    """`host[:port]`, `[v6][:port]` or `unix:path` without anything after it.

    A port that is not written stays None: 80 for `listen` and `server`, the scheme's own for
    `proxy_pass`. Raises ValueProblem for what nginx refuses: no host, a port that is no number
    or lies outside 1 to 65535, a broken IPv6 address.
    """
    plain = _PLAIN.fullmatch(text)
    if plain:
        port = None if plain[2] is None else _port(plain[2], plain.start(2))
        return Address(text, family_of_host(plain[1]), host=plain[1], port=port)
    from pyparsing import ParseException

    variables = tuple(_VARIABLE.findall(text)) if "$" in text else ()
    masked = _VARIABLE.sub(_HOLE, text) if variables else text
    try:
        found: re.Match[str] = _grammar().parse_string(masked, parse_all=True)[0]
    except ParseException as problem:
        raise ValueProblem("not an address of the form host:port", problem.loc) from None
    if "path" in found.re.groupindex:
        return _unix(text, found["path"], variables)
    host: str | None
    if _HOLE in found["host"]:
        host, family = None, Family.UNKNOWN
    else:
        host, family = _host(found["host"])
    has_port = found["port"] is not None
    written_port = found["port"][1:] if has_port else ""
    port = None
    # A variable at the end may bring the port along: $backend is often host:port.
    port_unknown = _HOLE in written_port or (not has_port and masked.endswith(_HOLE))
    if has_port and not port_unknown:
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
    port = whole_number(text)
    if not 1 <= port <= _LARGEST_PORT:
        raise ValueProblem("a port is a number between 1 and 65535", position)
    return port


@lru_cache(maxsize=4096)
def parse_listen_address(text: str) -> Address:
    """The first value of `listen`: also a bare port (`80`), a range of ports, `*:80`, `[::]:80`.

    The port defaults to 80. Raises ValueProblem.
    """
    head, colon, tail = text.rpartition(":")
    if text[:5].lower() == "unix:":
        return parse_authority(text)
    first, dash, last = tail.partition("-")
    if not (first.isdecimal() and (last.isdecimal() or not dash)):
        return _with_port(parse_authority(text), 80)
    position = len(head) + len(colon)
    start = _port(first, position)
    end = _port(last, position + len(first) + 1) if dash else None
    if end is not None and end < start:
        raise ValueProblem("the range of ports is reversed", position)
    host = parse_authority(head) if colon else Address("", Family.ANY)
    return replace(host, text=text, port=start, port_end=end, port_unknown=False)


def parse_upstream_server(text: str) -> Address:
    """The address of a `server` in an upstream; the port defaults to 80.

    Raises ValueProblem, also for `*` and for a slash, which a host cannot have.
    """
    address = parse_authority(text)
    if address.family is Family.ANY:
        raise ValueProblem("a server needs a host", 0)
    if address.family is Family.NAME and address.host and "/" in address.host:
        raise ValueProblem("a server is host:port, without a path", text.index("/"))
    return _with_port(address, 80)


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
    scheme = match[1].lower() if match and not match[1].startswith("$") else ""
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
    hidden = not uri and bool(address.variables)
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
    return replace(address, port=port)
