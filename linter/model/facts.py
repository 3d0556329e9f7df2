"""What stands behind and before the gateway: `services` and `layers` of gwlint.yaml.

A configuration cannot show when an application closes an idle connection or kills a slow request,
nor what the load balancer before it does. Each fact is optional, and rules that need one that is
not given say less or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gwlint.model.layers import PRESETS, Layer, with_preset
from gwlint.model.quantities import (
    Kind,
    UnexpectedValue,
    bytes_in,
    flag_in,
    one_word_of,
    seconds_in,
    shown,
    text_in,
)
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


@dataclass(frozen=True, slots=True)
class Fact:
    """One key of a service or a layer: what its value is, and what it says."""

    kind: Kind[Any]
    meaning: str


SERVICE_FACTS: Mapping[str, Fact] = {
    "protocol": Fact(one_word_of(PROTOCOLS), "What it speaks."),
    "tls_name": Fact(text_in, "The name that its certificate and SNI expect."),
    "proxy_protocol": Fact(flag_in, "Whether it expects the PROXY protocol."),
    "idle_timeout": Fact(seconds_in, "It closes kept-alive connections after this time."),
    "response_timeout": Fact(seconds_in, "It kills a request after this time."),
    "slowest_response": Fact(seconds_in, "The longest that a request takes."),
    "response_header": Fact(bytes_in, "The size of its largest response header."),
    "websocket": Fact(flag_in, "Whether it speaks WebSocket."),
}
"""The keys of a service beside `addresses`, which are fields of Service."""

LAYER_FACTS: Mapping[str, Fact] = {
    "name": Fact(text_in, "What it is called in messages; its preset unless given."),
    "preset": Fact(one_word_of(tuple(PRESETS)), "A service whose documented defaults count."),
    "idle_timeout": Fact(
        seconds_in, "It keeps idle connections to the next layer for this time, to use them again."
    ),
    "response_timeout": Fact(seconds_in, "It waits for an answer for this time."),
    "body_limit": Fact(bytes_in, "The largest request body that it lets through."),
    "request_header": Fact(bytes_in, "The largest header of a request that it lets through."),
    "response_header": Fact(bytes_in, "The largest header of a response that it lets through."),
}
"""The keys of a layer, which are fields of Layer."""


class Facts:
    """The services, found by address, and the layers."""

    def __init__(self, services: Iterable[Service] = (), layers: Iterable[Layer] = ()) -> None:
        self.services = tuple(services)
        self.layers = tuple(layers)
        """In the order in which a request meets them: the last stands right before the gateway."""
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

    @property
    def nearest_layer(self) -> Layer | None:
        """The layer that holds connections to the gateway: the last one."""
        return self.layers[-1] if self.layers else None


NO_FACTS = Facts()


def facts_of(settings: Settings) -> Facts:
    """The facts in `settings.services` and `settings.layers`.

    Raises SettingsError with everything wrong with them.
    """
    if not settings.services and not settings.layers:
        return NO_FACTS
    problems: list[SettingsProblem] = []
    services = _Services(settings, problems).all()
    layers = _Layers(settings, problems).all()
    if problems:
        raise SettingsError(problems)
    return Facts(services, layers)


class _Reader:
    """What reading services and layers has in common; places count below `top`."""

    def __init__(self, settings: Settings, problems: list[SettingsProblem], top: str) -> None:
        self.settings = settings
        self._problems = problems
        self._top = top

    def values(
        self,
        keys: tuple[str | int, ...],
        said: Mapping[str, Any],
        facts: Mapping[str, Fact],
        others: Sequence[str] = (),
    ) -> dict[str, Any]:
        """The values of the keys of `said` that are `facts`; `others` are read elsewhere."""
        found: dict[str, Any] = {}
        for key, value in said.items():
            if key in others:
                continue
            if key not in facts:
                near = nearest(key, (*others, *facts))
                self.problem((*keys, key), f'unknown fact "{key}"', near[0] if near else None)
                continue
            try:
                found[key] = facts[key].kind(value)
            except UnexpectedValue as bad:
                message = f"{key} must be {bad.expected}, not {shown(value)}"
                self.problem((*keys, key), message, bad.suggestion)
        return found

    def place(self, keys: tuple[str | int, ...]) -> tuple[int, int]:
        return self.settings.places.get((self._top, *keys), (0, 0))

    def problem(
        self, keys: tuple[str | int, ...], message: str, suggestion: str | None = None
    ) -> None:
        path = self.settings.file or self._top
        self._problems.append(SettingsProblem(path, *self.place(keys), message, suggestion))


class _Services(_Reader):
    def __init__(self, settings: Settings, problems: list[SettingsProblem]) -> None:
        super().__init__(settings, problems, "services")
        self._owners: dict[tuple[str, int | None], str] = {}

    def all(self) -> list[Service]:
        return [self._service(name, said) for name, said in self.settings.services.items()]

    def _service(self, name: str, said: Any) -> Service:
        if not isinstance(said, Mapping):
            self.problem((name,), f"a service is a mapping of facts, not {shown(said)}")
            return Service(name)
        found = self.values((name,), said, SERVICE_FACTS, ("addresses",))
        if "addresses" not in said:
            self.problem((name,), f'service "{name}" has no addresses')
            return Service(name, **found)
        return Service(name, self._addresses(name, said["addresses"]), **found)

    def _addresses(self, name: str, said: Any) -> tuple[Address, ...]:
        found: list[Address] = []
        if said == []:
            self.problem((name, "addresses"), f'service "{name}" has no addresses')
        for index, text in enumerate(said if isinstance(said, list) else [said]):
            place = (name, "addresses", *((index,) if isinstance(said, list) else ()))
            address = _address(text)
            key = None if address is None else _key(address)
            if address is None or key is None:
                expected = "an address with a port such as app:3000, or unix:/run/app.sock"
                self.problem(place, f"{shown(text)} is not {expected}")
                continue
            owner = self._owners.setdefault(key, name)
            if owner != name:
                self.problem(place, f'{shown(text)} is an address of service "{owner}" already')
            found.append(address)
        return tuple(found)


class _Layers(_Reader):
    def __init__(self, settings: Settings, problems: list[SettingsProblem]) -> None:
        super().__init__(settings, problems, "layers")
        self._names: set[str] = set()

    def all(self) -> list[Layer]:
        said = enumerate(self.settings.layers)
        return [layer for index, one in said if (layer := self._layer(index, one)) is not None]

    def _layer(self, index: int, said: Any) -> Layer | None:
        if not isinstance(said, Mapping):
            self.problem((index,), f"a layer is a mapping of facts, not {shown(said)}")
            return None
        found = self.values((index,), said, LAYER_FACTS)
        name = found.pop("name", None) or found.get("preset")
        if name is None:
            if not {"name", "preset"} & said.keys():
                self.problem((index,), "a layer has a name, a preset or both")
            return None
        if name in self._names:
            self.problem((index,), f'another layer is called "{name}" already')
        self._names.add(name)
        line, column = self.place((index,))
        return with_preset(Layer(name, **found, file=self.settings.file, line=line, column=column))


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
