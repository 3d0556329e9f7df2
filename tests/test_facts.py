"""Facts of gwlint.yaml: services found by address, and what is said of those that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from gwlint.model.facts import facts_of
from gwlint.settings import Settings, SettingsError, load_settings
from gwlint.syntax.values.nginx_address import parse_authority


def settings(folder: Path, text: str) -> Settings:
    file = folder / "gwlint.yaml"
    file.write_text(text)
    return load_settings(str(folder), config=str(file))


def test_a_service_is_found_by_each_of_its_addresses(tmp_path: Path) -> None:
    facts = facts_of(
        settings(
            tmp_path,
            """
services:
  api:
    addresses: ["10.0.1.10:8080", "App:3000", "unix:/run/api.sock", "[::1]:9000"]
    protocol: http1
    idle_timeout: 5s
    response_timeout: 30
    slowest_response: 1m30s
    response_header: 9k
    websocket: true
  other:
    addresses: other:80
""",
        )
    )
    for text in ("10.0.1.10:8080", "app.:3000", "unix:/run/api.sock", "localhost:9000"):
        service = facts.at(parse_authority(text))
        assert service is not None, text
        assert service.name == "api"
        assert (service.idle_timeout, service.response_timeout) == (5, 30)
        assert (service.slowest_response, service.response_header) == (90, 9216)
        assert service.proxy_protocol is None
    assert facts.at(parse_authority("10.0.1.10:8081")) is None
    assert facts.at(parse_authority("10.0.1.10")) is None
    assert facts.at(None) is None


@pytest.mark.parametrize(
    ("service", "place", "message"),
    [
        ("{addresses: ['a:1'], idle_timout: 5s}", "3:27", 'did you mean "idle_timeout"'),
        ("{addresses: ['a:1'], idle_timeout: soon}", "3:27", "must be a time"),
        ("{addresses: ['a:1'], idle_timeout: -1}", "3:27", "must be a time"),
        ("{addresses: ['a:1'], idle_timeout: [5]}", "3:27", "must be a time"),
        ("{addresses: ['a:1'], response_header: big}", "3:27", "must be a size"),
        ("{addresses: ['a:1'], websocket: maybe}", "3:27", "must be true or false"),
        ("{addresses: ['a:1'], protocol: htp1}", "3:27", "must be one of"),
        ("{addresses: ['a:1', app]}", "3:26", "is not an address with a port"),
        ("{addresses: [5]}", "3:19", "is not an address with a port"),
        ("{idle_timeout: 5s}", "3:3", "has no addresses"),
        ("5", "3:3", "is a mapping of facts"),
        ("{addresses: ['a:1', 'b:1']}\n  x: {addresses: ['b:1']}", "4:19", "already"),
    ],
)
def test_a_fact_that_cannot_be_used_is_an_error_at_its_place(
    tmp_path: Path, service: str, place: str, message: str
) -> None:
    with pytest.raises(SettingsError) as error:
        facts_of(settings(tmp_path, f"\nservices:\n  s: {service}\n"))
    assert f"gwlint.yaml:{place}: " in str(error.value)
    assert message in str(error.value)
