"""HAProxy addresses: `[family@]host[:port]`, paths, descriptors (manual, "address formats").

HAProxy expands environment references in an address a second time, whatever the quotes around
it, so `$NAME` always makes a part unknown here. The port begins at the last colon, if no bracket
follows it; digits of a port end at the first other character (measured: `:80x` is port 80).
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from gwlint.syntax.values.address import Address, Family, family_of_host
from gwlint.syntax.values.problem import ValueProblem

if TYPE_CHECKING:
    from pyparsing import ParserElement

LARGEST_PORT = 65535

# A reference becomes this one character before parsing; it cannot occur in a configuration.
_HOLE = "\0"
_REFERENCE = re.compile(r"\$(?:\{[^{}$]*\}|[A-Za-z_.][A-Za-z0-9_]*)")

_SOCKET_FAMILIES = {
    "unix": Family.UNIX,
    "uxst": Family.UNIX,
    "uxdg": Family.UNIX,
    "abns": Family.ABSTRACT,
    "abnsz": Family.ABSTRACT,
    "fd": Family.DESCRIPTOR,
    "sockpair": Family.SOCKET_PAIR,
    "rhttp": Family.REVERSE,
}
_NETWORK_FAMILIES = (
    "ip", "ipv4", "ipv6", "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6",
    "mptcp", "mptcp4", "mptcp6", "quic4", "quic6",
)  # fmt: skip
_DATAGRAM_FAMILIES = frozenset({"udp", "udp4", "udp6", "uxdg"})
_QUIC_FAMILIES = frozenset({"quic4", "quic6"})


# Nearly every address is host:port. That form needs no grammar, and so most runs need not load
# pyparsing; it is read 20 times faster, too.
_PLAIN = re.compile(r"(\*|[A-Za-z0-9._-]*)(?::([0-9]{1,5}))?")


@cache
def _grammar() -> ParserElement:
    """[type+] (family@name | /path | [family@] host [:port]), references replaced by holes.

    Its one result is a match with the groups kind, family, name, host and port. Each expression
    keeps blanks and reads the text once.
    """
    from pyparsing import Regex

    def matching(pattern: str) -> ParserElement:
        return Regex(pattern, flags=re.DOTALL, as_match=True)

    kind = r"(?P<kind>(?:stream|dgram|quic)\+)?"
    socket_family = rf"(?P<family>(?:{'|'.join(_SOCKET_FAMILIES)})@)"
    network_family = rf"(?P<family>(?:{'|'.join(_NETWORK_FAMILIES)})@)?"
    # Greedy: the last colon begins the port, unless a bracket follows it.
    host = r"(?P<host>.*(?=:[^:\]]*\Z)|.*)"
    port = rf"(?P<port>:(?:(?=.*{_HOLE})|(?=[0-9+-])|\Z).*)?"
    socket_address = matching(kind + socket_family + "(?P<name>.*)")
    path_address = matching(kind + "(?P<name>/.*)")
    network_address = matching(kind + network_family + host + port)
    return (socket_address | path_address | network_address).leave_whitespace().parse_with_tabs()


@lru_cache(maxsize=16384)
def parse_address(text: str) -> Address:
    """Any HAProxy address.

    Raises ValueProblem for what no keyword accepts: a port that is no number or above 65535, a
    descriptor that is no number. `parse_server_address` and `parse_bind_addresses` ask for more.
    """
    plain = _PLAIN.fullmatch(text)
    if plain and int(plain[2] or 0) <= LARGEST_PORT:
        host = "" if plain[1] == "*" else plain[1]
        port = None if plain[2] is None else int(plain[2])
        return Address(text, family_of_host(host), host=host, port=port)
    from pyparsing import ParseException

    variables = tuple(_REFERENCE.findall(text)) if "$" in text else ()
    masked = _REFERENCE.sub(_HOLE, text) if variables else text
    try:
        found: re.Match[str] = _grammar().parse_string(masked, parse_all=True)[0]
    except ParseException as problem:
        raise ValueProblem(
            "a port number was expected here", _unmasked(text, problem.loc)
        ) from None
    if "name" in found.re.groupindex:
        return _socket_address(text, found, variables)
    return _network_address(text, found, variables)


def _unmasked(text: str, position: int) -> int:
    """The position in `text` of what stands at `position` once references are holes."""
    for match in _REFERENCE.finditer(text):
        if match.start() >= position:
            break
        position += match.end() - match.start() - 1
    return position


def _socket_address(text: str, found: re.Match[str], variables: tuple[str, ...]) -> Address:
    prefix = _prefix(found)
    name = found["name"]
    family = (
        _SOCKET_FAMILIES[prefix.rpartition("+")[2]]
        if prefix and not prefix.endswith("+")
        else Family.UNIX
    )
    known = None if _HOLE in name else name
    descriptor = None
    if family in (Family.DESCRIPTOR, Family.SOCKET_PAIR):
        if known is not None and not known.isdecimal():
            raise ValueProblem("a file descriptor is a number", len(text) - len(name))
        descriptor, known = (None if known is None else int(known[:9])), None
    return Address(
        text,
        family,
        host=None,
        path=known,
        descriptor=descriptor,
        prefix=prefix,
        transport=_transport(prefix),
        variables=variables,
    )


def _network_address(text: str, found: re.Match[str], variables: tuple[str, ...]) -> Address:
    prefix = _prefix(found)
    written_host = found["host"]
    written_port = (found["port"] or "")[1:]
    port = port_end = offset = None
    # A reference at the end may bring the port along: "${BACKEND}" is often host:port.
    port_unknown = _HOLE in written_port or (not written_port and written_host.endswith(_HOLE))
    if _HOLE in written_host:
        family, host = Family.UNKNOWN, None
    else:
        host = _without_brackets(written_host)
        family = family_of_host(host)
    if written_port and not port_unknown:
        position = len(text) - len(written_port)
        if written_port[0] in "+-":
            offset = int(written_port[0] + (_leading_digits(written_port[1:])[:9] or "0"))
        else:
            first, dash, last = written_port.partition("-")
            port = _port(first, position)
            if dash:
                port_end = _port(last, position + len(first) + 1)
    return Address(
        text,
        family,
        host=host,
        port=port,
        port_end=port_end,
        offset=offset,
        port_unknown=port_unknown,
        prefix=prefix,
        transport=_transport(prefix),
        variables=variables,
    )


def _prefix(found: re.Match[str]) -> str:
    groups = found.groupdict()
    return f"{groups['kind'] or ''}{groups.get('family') or ''}".removesuffix("@")


def _transport(prefix: str) -> str:
    kind, _, family = prefix.rpartition("+")
    if family in _QUIC_FAMILIES or kind == "quic":
        return "quic"
    return "dgram" if family in _DATAGRAM_FAMILIES or kind == "dgram" else "stream"


def _without_brackets(host: str) -> str:
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1]
    return "" if host == "*" else host


def _leading_digits(text: str) -> str:
    match = re.match("[0-9]*", text)
    return match[0] if match else ""


def _port(text: str, position: int) -> int:
    digits = _leading_digits(text)
    if len(digits) > len(str(LARGEST_PORT)) or int(digits or "0") > LARGEST_PORT:
        raise ValueProblem("a port is at most 65535", position)
    return int(digits or "0")


def parse_server_address(text: str) -> Address:
    """The address of a `server`: one place to connect to; the port may be absent.

    Raises ValueProblem for a port range, a datagram address or a descriptor as well.
    """
    address = parse_address(text)
    if address.port_end is not None:
        raise ValueProblem("a server has one port, not a range", text.rfind(":") + 1)
    if address.transport == "dgram":
        raise ValueProblem("a server needs a stream address, this one is for datagrams")
    if address.family is Family.DESCRIPTOR:
        raise ValueProblem("a server cannot be a file descriptor")
    return address


def parse_bind_addresses(text: str) -> tuple[Address, ...]:
    """The addresses of a `bind`: one or more, joined by commas, each with port or range.

    Raises ValueProblem for a missing port, port 0, a port offset, a reversed range, a datagram
    address, an empty address, a host that cannot be one.
    """
    addresses = []
    position = 0
    # One comma at the end is accepted, and a comma inside ${NAME-a,b} separates nothing.
    for part in _comma_parts(text):
        try:
            addresses.append(_bind_address(part))
        except ValueProblem as problem:
            raise ValueProblem(problem.message, position + problem.position) from None
        position += len(part) + 1
    return tuple(addresses)


def _comma_parts(text: str) -> list[str]:
    masked = _REFERENCE.sub(lambda match: _HOLE * len(match[0]), text)
    parts, start = [], 0
    for length in map(len, masked.split(",")):
        parts.append(text[start : start + length])
        start += length + 1
    return parts[:-1] if len(parts) > 1 and not parts[-1] else parts


def _bind_address(text: str) -> Address:
    if not text:
        raise ValueProblem("an address was expected")
    address = parse_address(text)
    if address.has_hopeless_host:
        raise ValueProblem(f"{address.host!r} is neither an address nor a host name")
    if address.transport == "dgram":
        raise ValueProblem("bind needs a stream address, this one is for datagrams")
    if not address.family.is_network or address.port_unknown:
        return address
    port_position = text.rfind(":") + 1
    if address.offset is not None:
        raise ValueProblem("a port offset is only for servers", port_position)
    if address.port is None:
        raise ValueProblem("bind needs a port", len(text))
    if address.port == 0:
        raise ValueProblem("bind needs a port between 1 and 65535", port_position)
    if address.port_end is not None and address.port_end < address.port:
        raise ValueProblem("the range of ports is reversed", port_position)
    return address
