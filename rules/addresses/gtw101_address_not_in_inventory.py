from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.deployment import Deployment
from gwlint.model.facts import Service
from gwlint.model.options import Option
from gwlint.model.quantities import Kind, UnexpectedValue
from gwlint.rule import DeploymentRule, Example, Finding, Severity
from gwlint.rules.addresses.endpoints import Endpoint, endpoints
from gwlint.source import Span, encode
from gwlint.syntax.nearest import nearest
from gwlint.syntax.values.address import Address, Family

_WORDS = ("partial", "complete")


def _completeness(value: Any) -> float:
    if value not in _WORDS:
        raise UnexpectedValue(f"one of {', '.join(_WORDS)}")
    return float(_WORDS.index(value))


completeness_in: Kind[float] = Kind(_completeness, {"enum": list(_WORDS)})
"""0 for partial, 1 for complete."""

_NGINX = """
events {{}}
http {{
    upstream api {{
        server {address};
    }}
    server {{
        listen 8080;
        location / {{
            proxy_pass http://api;
        }}
    }}
}}
"""
_HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s

backend api
    server one {address} check
"""
_SERVICES = """\
services:
  api:
    addresses: ["10.0.1.10:3000", "billing:3000"]
"""
_COMPLETE = f"rules:\n  GTW101: {{{{inventory: complete}}}}\n{_SERVICES}".format()


def _nginx(address: str, facts: str = _SERVICES) -> Example:
    return Example({"nginx.conf": _NGINX.format(address=address), "gwlint.yaml": facts})


def _haproxy(address: str) -> Example:
    return Example({"haproxy.cfg": _HAPROXY.format(address=address), "gwlint.yaml": _SERVICES})


class AddressNotInInventory(DeploymentRule):
    """Requests go to an address at which gwlint.yaml knows no service.

    ## Problem
    gwlint.yaml lists the addresses of the services. This one is not among them, but its host is, on
    another port, or a host whose name differs in a letter or two.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: with a wrong port each request gets 502, since nothing
    listens there; HAProxy 2.6.12 and 2.8.25 tries for three seconds and gives 503. With a name that
    does not exist neither server starts.

    ## In the log
    - nginx: `connect() failed (111: Connection refused) while connecting to upstream`, or at start
      `[emerg] host not found in upstream "app" in ...`.
    - HAProxy: `app/s1 ... 503 ... SC--`, or at start
      `[ALERT] ... 'server app/s1' : could not resolve address 'app'.`

    ## Silent when
    gwlint.yaml lists no services. An inventory may be filled bit by bit, so an address that is near
    to none of those listed says nothing, nor does another port of this machine, where anything may
    run, nor a name that differs in digits (app1, app2) or has less than five letters. `inventory:
    complete` makes every address a finding that is not listed. A listen or bind of the project is
    known as well; servers that are marked `down` or `disabled` are left out.

    ## Fix safety
    Writes the address that is listed, when it is the only one that is near. Unsafe, because it may
    be gwlint.yaml that is out of date.

    ## Learnt
    The inventory of a machine that runs several applications is rarely whole, so that this machine
    has to be left out unless it is said to be complete.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
    - HAProxy configuration manual, section 4.2, server
    """

    code = "GTW101"
    name = "address-not-in-inventory"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    options = (
        Option(
            "inventory",
            completeness_in,
            "partial",
            "complete when every address that requests go to is listed, else partial",
        ),
    )
    bad = (
        _nginx("10.0.1.10:3001"),
        _haproxy("biling:3000"),
        _nginx("10.0.1.99:3000", _COMPLETE),
    )
    good = (
        _nginx("10.0.1.10:3000"),
        _nginx("10.0.1.99:3000"),
        _haproxy("127.0.0.1:3001"),
    )

    def check(self, deployment: Deployment) -> Iterator[Finding]:
        inventory = _Inventory(deployment)
        if not inventory.ports:
            return
        complete = bool(self.option["inventory"])
        for endpoint in endpoints(deployment):
            address = endpoint.address
            if deployment.facts.at(address) is not None or deployment.listens_on(address):
                continue
            yield from self._unknown(endpoint, inventory, complete)

    def _unknown(
        self, endpoint: Endpoint, inventory: _Inventory, complete: bool
    ) -> Iterator[Finding]:
        address = endpoint.address
        host, port = _host(address), address.port
        known = {} if host is None else inventory.ports.get(host, {})
        near = inventory.near(address)
        if known and port is not None and (complete or not address.is_loopback):
            yield self._other_port(endpoint, port, known)
        elif near:
            severity = Severity.ERROR if complete else Severity.WARNING
            yield self._other_name(endpoint, near, severity)
        elif complete:
            yield self.finding(
                endpoint.statement,
                f"gwlint.yaml lists no service at {address.text}, and says that it is complete:"
                " requests that go there fail",
                advice="list the address in gwlint.yaml, or write one that is listed",
                span=endpoint.span,
            )

    def _other_port(self, endpoint: Endpoint, port: int, known: dict[int, Service]) -> Finding:
        address = endpoint.address
        ports = " and ".join(str(one) for one in sorted(known))
        services = " and ".join(sorted({f'"{one.name}"' for one in known.values()}))
        fix = None
        if len(known) == 1 and endpoint.span.text.endswith(f":{port}"):
            end = endpoint.span.end
            fix = _fix(Span(endpoint.span.source, end - len(str(port)), end), ports)
        return self.finding(
            endpoint.statement,
            f"gwlint.yaml knows {address.host} on port {ports} ({services}), not on {port}:"
            " requests fail unless something else listens there",
            advice=f"write port {ports}, or list {address.host}:{port} in gwlint.yaml",
            span=endpoint.span,
            fix=fix,
        )

    def _other_name(self, endpoint: Endpoint, near: list[str], severity: Severity) -> Finding:
        address = endpoint.address
        host = address.host or ""
        fix = None
        if len(near) == 1 and endpoint.span.text.startswith(host):
            start = endpoint.span.start
            fix = _fix(Span(endpoint.span.source, start, start + len(encode(host))), near[0])
        return self.finding(
            endpoint.statement,
            f"gwlint.yaml knows no {host}:{address.port}, but {near[0]}:{address.port}: with a name"
            " that does not exist the server does not start",
            advice=f"write {near[0]}, or list {host}:{address.port} in gwlint.yaml",
            severity=severity,
            span=endpoint.span,
            fix=fix,
        )


class _Inventory:
    """The addresses of all services: host -> port -> service."""

    def __init__(self, deployment: Deployment) -> None:
        self.ports: dict[str, dict[int, Service]] = {}
        self._names: dict[int, list[str]] = {}
        for service in deployment.facts.services:
            for address in service.addresses:
                host, port = _host(address), address.port
                if host is None or port is None:
                    continue
                self.ports.setdefault(host, {})[port] = service
                if address.family is Family.NAME and not address.is_loopback:
                    self._names.setdefault(port, []).append(host)

    def near(self, address: Address) -> list[str]:
        """The names with this port that the host may be a misspelling of."""
        host, port = address.canonical_host or "", address.port
        if address.family is not Family.NAME or port is None or len(host) < SHORTEST_NAME:
            return []
        return [
            one
            for one in nearest(host, self._names.get(port, ()))
            if _letters(one) != _letters(host)
        ]


SHORTEST_NAME = 5
"""Letters; shorter names are near to many others."""


def _letters(name: str) -> str:
    """The name without digits: app1 and app2 are two machines."""
    return "".join(letter for letter in name if not letter.isdigit())


def _host(address: Address) -> str | None:
    """The host, the names of this machine being one; None for sockets and variables."""
    if address.is_loopback:
        return "localhost"
    return address.canonical_host or None


def _fix(place: Span, text: str) -> Fix:
    return Fix("use the address that is listed", Safety.UNSAFE, (Edit(place, text),))
