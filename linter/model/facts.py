"""What stands behind an address: what gwlint.yaml says of the applications, under `services`.

A configuration cannot show when an application closes an idle connection or kills a slow request.
Each fact is optional, and rules that need one that is not given say less or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gwlint.model.quantities import UnexpectedValue, bytes_in, seconds_in
from gwlint.settings import Settings, SettingsError, SettingsProblem
from gwlint.syntax.nearest import nearest
from gwlint.syntax.values.address import Address
from gwlint.syntax.values.nginx_address import parse_authority
from gwlint.syntax.values.problem import ValueProblem

PROTOCOLS = ("http1", "h2c", "https", "fastcgi", "uwsgi", "grpc")

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Service:
    """One application. Times are seconds, sizes bytes; None is a fact that is not given.

    `idle_timeout`: it closes a kept-alive connection after; `response_timeout`: it kills a request
    after; `slowest_response`: the longest that a request takes; `response_header`: the largest
    response header.
    """

    name: str
    addresses: tuple[Address, ...] = ()
    protocol: str | None = None
    tls_name: str | None = None
    proxy_protocol: bool | None = None
    idle_timeout: float | None = None
    response_timeout: float | None = None
    slowest_response: float | None = None
    response_header: int | None = None
    websocket: bool | None = None


class Facts:
    """The services, found by address."""

    def __init__(self, services: Iterable[Service] = ()) -> None:
        self.services = tuple(services)
        self._by_address = {
            key: service
            for service in self.services
            for address in service.addresses
            if (key := _key(address)) is not None
        }

    def at(self, address: Address | None) -> Service | None:
        """The service behind an address; None when nothing is said of it."""
        key = None if address is None else _key(address)
        return None if key is None else self._by_address.get(key)


NO_FACTS = Facts()


def facts_of(settings: Settings) -> Facts:
    """The facts in `settings.services`. Raises SettingsError with everything wrong with them."""
    if not settings.services:
        return NO_FACTS
    problems: list[SettingsProblem] = []
    reader = _Reader(settings, problems)
    services = [reader.service(name, said) for name, said in settings.services.items()]
    if problems:
        raise SettingsError(problems)
    return Facts(services)


class _Reader:
    def __init__(self, settings: Settings, problems: list[SettingsProblem]) -> None:
        self._settings = settings
        self._problems = problems
        self._owners: dict[tuple[str, int | None], str] = {}

    def service(self, name: str, said: Any) -> Service:
        if not isinstance(said, Mapping):
            self._problem((name,), f"a service is a mapping of facts, not {said!r}")
            return Service(name)
        found: dict[str, Any] = {}
        for key, value in said.items():
            if key == "addresses":
                found[key] = self._addresses(name, value)
            elif key not in _FACTS:
                near = nearest(key, ("addresses", *_FACTS))
                self._problem((name, key), f'unknown fact "{key}"', near[0] if near else None)
            else:
                try:
                    found[key] = _FACTS[key](value)
                except UnexpectedValue as bad:
                    message = f"{key} must be {bad.expected}, not {value!r}"
                    self._problem((name, key), message, bad.suggestion)
        if "addresses" not in said:
            self._problem((name,), f'service "{name}" has no addresses')
        return Service(name, **found)

    def _addresses(self, name: str, said: Any) -> tuple[Address, ...]:
        found: list[Address] = []
        for index, text in enumerate(said if isinstance(said, list) else [said]):
            place = (name, "addresses", *((index,) if isinstance(said, list) else ()))
            address = _address(text)
            key = None if address is None else _key(address)
            if address is None or key is None:
                expected = "an address with a port such as app:3000, or unix:/run/app.sock"
                self._problem(place, f"{text!r} is not {expected}")
                continue
            owner = self._owners.setdefault(key, name)
            if owner != name:
                self._problem(place, f'{text!r} is an address of service "{owner}" already')
            found.append(address)
        return tuple(found)

    def _problem(
        self, keys: tuple[str | int, ...], message: str, suggestion: str | None = None
    ) -> None:
        settings = self._settings
        line, column = settings.places.get(("services", *keys), (0, 0))
        path = settings.file or "services"
        self._problems.append(SettingsProblem(path, line, column, message, suggestion))


def _key(address: Address) -> tuple[str, int | None] | None:
    """What makes two addresses the same; None when a part of it is not known."""
    if address.path is not None:
        return address.path, None
    host = address.canonical_host
    if not host or address.port is None:
        return None
    return ("localhost" if host in _THIS_MACHINE else host), address.port


def _address(text: Any) -> Address | None:
    try:
        return parse_authority(text) if isinstance(text, str) else None
    except ValueProblem:
        return None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnexpectedValue("true or false")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise UnexpectedValue("a text")
    return value


def _protocol(value: Any) -> str:
    if value not in PROTOCOLS:
        near = nearest(value, PROTOCOLS) if isinstance(value, str) else []
        raise UnexpectedValue(f"one of {', '.join(PROTOCOLS)}", near[0] if near else None)
    return str(value)


_FACTS: Mapping[str, Callable[[Any], Any]] = {
    "protocol": _protocol,
    "tls_name": _text,
    "proxy_protocol": _flag,
    "idle_timeout": seconds_in,
    "response_timeout": seconds_in,
    "slowest_response": seconds_in,
    "response_header": bytes_in,
    "websocket": _flag,
}
