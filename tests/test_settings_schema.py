"""The JSON Schema of gwlint.yaml says what its reader does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from gwlint.model.facts import LAYER_FACTS, SERVICE_FACTS, Service, facts_of
from gwlint.model.layers import Layer
from gwlint.model.quantities import Kind, UnexpectedValue, bytes_in, seconds_in
from gwlint.registry import (
    all_rules,
    require_known_selectors,
    require_usable_options,
    rule_files,
)
from gwlint.settings import CONTEXTS, SettingsError, load_settings
from gwlint.settings_file import KEYS

ACCEPTED = [
    "",
    "{}",
    "target: nginx=1.22.1",
    "target: [nginx=1.22.1, 'haproxy = 2.8']",
    "target: {nginx: 1.22.1, haproxy: 2.10}",
    "profile: security",
    "fail_on: never",
    "select: NGX4",
    "select: [NGX401, ngx4, hap, keepalive, connect-timeout-too-long, Timeouts, ' NGX3 ']",
    "ignore: 'NGX401, keepalive,timeouts'",
    "ignore: []",
    "per_file_ignores: {'a/**': NGX4, b.conf: [timeouts, HAP]}",
    "path_map: {/etc/nginx: ., /: .., /usr/share/nginx/: './'}",
    "contexts: {'a/*.conf': http server, b.conf: location if}",
    "rules: {NGX303: {budget: 60s}, NGX207: {budget: 100000}, NGX203: {}}",
    "rules: {NGX303: {budget: 1h 30m}}",
    "services: {a: {addresses: app:80}}",
    "services: {a: {addresses: ['app:80', 'unix:/run/x'], protocol: h2c, tls_name: a.b}}",
    "services: {a: {addresses: app:80, proxy_protocol: false, websocket: true}}",
    "services: {a: {addresses: app:80, idle_timeout: 1.5, response_timeout: 500ms}}",
    "services: {a: {addresses: app:80, slowest_response: 1m30s, response_header: 9K}}",
    "layers: []",
    "layers: [{preset: aws-alb}, {name: b, idle_timeout: 1h, body_limit: 0}]",
    "layers: [{name: c, preset: gcp-alb, request_header: 8192, response_header: 8k}]",
    "services: {a: &a {addresses: app:80}, b: {<<: *a, addresses: app:81}}",
]

REFUSED = [
    "[]",
    "profil: strict",
    "profile: strickt",
    "profile: true",
    "profile: [strict]",
    "fail_on: warn",
    "target: nginx",
    "target: apache=2.4",
    "target: {apache: 2.4}",
    "target: {nginx: latest}",
    "target: {nginx: [1.22]}",
    "select: 5",
    "select: NGX4O1",
    "select: [keepalve]",
    "select: {a: b}",
    "ignore: [NGX4, ~]",
    "ignore: ngx999",
    "per_file_ignores: [a]",
    "per_file_ignores: {a: NGX999}",
    "path_map: {etc: .}",
    "path_map: {/etc/../x: .}",
    "path_map: {/etc//x: .}",
    "path_map: {/etc/.: .}",
    "path_map: {/etc: 5}",
    "path_map: {/etc: ''}",
    "contexts: {a: http srv}",
    "rules: {NGX999: {}}",
    "rules: {ngx303: {}}",
    "rules: {NGX303: 60s}",
    "rules: {NGX303: {budged: 60s}}",
    "rules: {NGX303: {budget: soon}}",
    "rules: {NGX303: {budget: -1}}",
    "rules: {NGX303: {budget: 30m 1h}}",
    "rules: {NGX207: {budget: 1.5}}",
    "rules: {NGX207: {budget: 1t}}",
    "rules: {NGX203: {budget: 60s}}",
    "services: [a]",
    "services: {a: 5}",
    "services: {a: {}}",
    "services: {a: {addresses: []}}",
    "services: {a: {addresses: [5]}}",
    "services: {a: {addresses: app:80, protocol: http}}",
    "services: {a: {addresses: app:80, websocket: 'yes'}}",
    "services: {a: {addresses: app:80, idle_timeout: ''}}",
    "services: {a: {addresses: app:80, idle_timout: 5s}}",
    "services: {a: {addresses: app:80, tls_name: 5}}",
    "layers: {name: a}",
    "layers: [a]",
    "layers: [{}]",
    "layers: [{idle_timeout: 5s}]",
    "layers: [{preset: aws}]",
    "layers: [{name: a, body_limit: 1x}]",
]

ONLY_THE_READER_KNOWS = [
    "select: 'NGX4, keepalve'",
    "target: {nginx: 1}",
    "target: [nginx=1.22, nginx=1.23]",
    "path_map: {/etc: ./nowhere}",
    "path_map: {/etc: ., /etc/: .}",
    "services: {a: {addresses: app}}",
    "services: {a: {addresses: app:80}, b: {addresses: app:80}}",
    "layers: [{name: a}, {name: a}]",
    "rules: {NGX303: {budget: .inf}}",
]
"""What the reader refuses and no schema can: facts about the disk, words in a text, repetitions."""


@pytest.fixture(scope="module")
def schema() -> Any:
    from gwlint.cli.config_schema import config_schema

    found = config_schema()
    Draft202012Validator.check_schema(found)
    return found


def is_valid(schema: Any, text: str) -> bool:
    return Draft202012Validator(schema).is_valid(YAML(typ="safe", pure=True).load(text))


def is_read(folder: Path, text: str) -> bool:
    path = folder / "gwlint.yaml"
    path.write_text(text + "\n")
    checks = (facts_of, require_known_selectors, require_usable_options)
    try:
        load_settings(config=str(path), checks=checks)
    except SettingsError as error:
        assert all(one.line and one.column for one in error.problems), error
        return False
    return True


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_is_read_is_valid(schema: Any, tmp_path: Path, text: str) -> None:
    assert is_read(tmp_path, text)
    assert is_valid(schema, text)


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_is_invalid(schema: Any, tmp_path: Path, text: str) -> None:
    assert not is_read(tmp_path, text)
    assert not is_valid(schema, text)


@pytest.mark.parametrize("text", ONLY_THE_READER_KNOWS)
def test_where_a_schema_cannot_tell_the_reader_does(schema: Any, tmp_path: Path, text: str) -> None:
    assert not is_read(tmp_path, text)
    assert is_valid(schema, text)


def test_every_key_is_in_the_schema_and_is_tried(schema: Any) -> None:
    assert list(schema["properties"]) == list(KEYS)
    for name in KEYS:
        assert any(text.startswith(f"{name}:") for text in ACCEPTED)
        assert any(text.startswith(f"{name}:") for text in REFUSED)


def test_every_fact_is_in_the_schema_and_has_a_field(schema: Any) -> None:
    service = schema["properties"]["services"]["additionalProperties"]["properties"]
    layer = schema["properties"]["layers"]["items"]["properties"]
    assert set(service) == {"addresses", *SERVICE_FACTS}
    assert set(service) == {field.name for field in fields(Service)} - {"name"}
    assert set(layer) == set(LAYER_FACTS)
    assert set(layer) == {field.name for field in fields(Layer)} - {"file", "line", "column"}
    tried = "\n".join(ACCEPTED)
    assert all(f"{name}: " in tried for name in (*service, *layer))


def test_every_option_of_a_rule_is_in_the_schema(schema: Any) -> None:
    rules = schema["properties"]["rules"]
    assert set(rules["propertyNames"]["enum"]) == {file.code for file in rule_files()}
    for rule in all_rules():
        if not rule.options:
            assert rule.code not in rules["properties"]
            continue
        properties = rules["properties"][rule.code]["properties"]
        assert set(properties) == {option.name for option in rule.options}
        for option in rule.options:
            assert isinstance(option.read, Kind), f"{rule.code} {option.name} says no schema"
            assert Draft202012Validator(properties[option.name]).is_valid(option.default)


def test_every_context_and_selector_is_valid(schema: Any) -> None:
    for context in CONTEXTS:
        assert is_valid(schema, f"contexts: {{a: {context}}}")
    for file in rule_files():
        for word in (file.code, file.code.lower(), file.code[:5], file.name, file.topic):
            assert Draft202012Validator(schema).is_valid({"select": word}), word


TIMES = ["0", "5", "5s", "1h30m", "1h 30m 5", "500ms", "1w2d", "90m", "1m 30s", "5 ", "5 5"]
NO_TIMES = ["", " ", "5 5 ", "5x", "-1", "1.5s", "1y", "2M", "1s1m", "1ms1s", "ms1h", "5S"]
SIZES = ["0", "9k", "9K", "1m", "2g", "2G", "4096"]
NO_SIZES = ["", "k", "9kb", "-1", "1.5m", "1 m", "2t"]


@pytest.mark.parametrize(
    ("kind", "good", "bad"), [(seconds_in, TIMES, NO_TIMES), (bytes_in, SIZES, NO_SIZES)]
)
def test_times_and_sizes_are_described_as_they_are_read(
    kind: Kind[float], good: list[str], bad: list[str]
) -> None:
    validator = Draft202012Validator(kind.schema)
    for text in good:
        kind(text)
        assert validator.is_valid(text), text
    for text in bad:
        with pytest.raises(UnexpectedValue):
            kind(text)
        assert not validator.is_valid(text), text


@settings(deadline=None, max_examples=300)
@given(st.text("0159 wdhmsy", max_size=8))
def test_any_time_is_valid_if_it_is_read(text: str) -> None:
    try:
        seconds_in(text)
    except UnexpectedValue:
        is_time = False
    else:
        is_time = True
    assert Draft202012Validator(seconds_in.schema).is_valid(text) is is_time


def test_the_command_prints_the_schema(
    schema: Any, tmp_path: Path, gwlint: Callable[..., Run]
) -> None:
    run = gwlint("config", "schema")
    assert (run.code, run.stderr) == (0, "")
    assert run.json == schema
    assert gwlint("config", "schema", "-o", "x.json").code == 0
    assert (tmp_path / "x.json").read_bytes() == run.stdout
