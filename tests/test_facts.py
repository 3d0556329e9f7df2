"""Facts of gwlint.yaml: services found by address, and what is said of those that are wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run

from gwlint.model.facts import NO_FACTS, facts_of
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


def test_layers_are_read_in_the_order_in_which_a_request_meets_them(tmp_path: Path) -> None:
    facts = facts_of(
        settings(
            tmp_path,
            """
layers:
  - preset: cloudflare
  - {name: edge, idle_timeout: 90s, response_timeout: 2m, body_limit: 10m, request_header: 16k}
  - {name: alb, preset: aws-alb, response_header: 16k}
""",
        )
    )
    cloudflare, edge, alb = facts.layers
    assert (cloudflare.name, cloudflare.idle_timeout) == ("cloudflare", 900)
    assert cloudflare.response_timeout is None, "plans differ, so no preset can know it"
    assert (edge.preset, edge.idle_timeout, edge.response_timeout) == (None, 90, 120)
    assert (edge.body_limit, edge.request_header) == (10 * 1024 * 1024, 16 * 1024)
    assert edge.response_header is None
    assert (alb.idle_timeout, alb.response_timeout) == (60, 60)
    assert (alb.request_header, alb.response_header) == (64 * 1024, 16 * 1024), "what is said wins"
    assert facts.nearest_layer is alb
    assert [one.line for one in facts.layers] == [3, 4, 5]
    assert alb.column == 5
    assert NO_FACTS.nearest_layer is None


@pytest.mark.parametrize(
    ("said", "idle", "response"),
    [
        ("preset: aws-alb, idle_timeout: 120s", 120, 120),
        ("preset: aws-alb, idle_timeout: 120s, response_timeout: 30s", 120, 30),
        ("preset: gcp-alb, idle_timeout: 120s", 120, 30),
        ("preset: gcp-alb, response_timeout: 5m", 600, 300),
    ],
)
def test_the_one_timeout_of_an_alb_is_both(
    tmp_path: Path, said: str, idle: float, response: float
) -> None:
    (layer,) = facts_of(settings(tmp_path, f"layers: [{{{said}}}]\n")).layers
    assert (layer.idle_timeout, layer.response_timeout) == (idle, response)


@pytest.mark.parametrize(
    ("layer", "place", "message"),
    [
        ("{name: a, idle_timout: 5s}", "2:14", 'did you mean "idle_timeout"'),
        ("{name: a, idle_timeout: soon}", "2:14", "must be a time"),
        ("{name: a, body_limit: -1}", "2:14", "must be a size"),
        ("{name: a, preset: aws-abl}", "2:14", 'did you mean "aws-alb"'),
        ("{preset: azure}", "2:5", "must be one of aws-alb, "),
        ("{name: 5}", "2:5", "name must be a text"),
        ("{idle_timeout: 5s}", "2:4", "a layer has a name, a preset or both"),
        ("alb", "2:4", "a layer is a mapping of facts"),
        ("{name: a}\n - {name: a}", "3:4", 'another layer is called "a" already'),
    ],
)
def test_a_layer_that_cannot_be_used_is_an_error_at_its_place(
    tmp_path: Path, layer: str, place: str, message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        facts_of(settings(tmp_path, f"layers:\n - {layer}\n"))
    (problem,) = caught.value.problems
    assert f":{place}: " in str(problem)
    assert message in str(problem)


def test_a_wrong_layer_ends_the_command_before_it_reads_anything(
    tmp_path: Path, gwlint: Callable[..., Run]
) -> None:
    (tmp_path / "nginx.conf").write_text("events {}\n")
    (tmp_path / "gwlint.yaml").write_text("layers: [{name: alb, presett: aws-alb}]\n")
    run = gwlint("check", ".")
    assert (run.code, run.text) == (2, "")
    expected = 'gwlint.yaml:1:22: unknown fact "presett" (did you mean "preset"?)'
    assert expected in run.stderr
