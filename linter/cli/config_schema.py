"""The JSON Schema of gwlint.yaml, made of what reads it: keys, facts, options of rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gwlint.model.facts import LAYER_FACTS, SERVICE_FACTS, Fact
from gwlint.model.options import Option
from gwlint.registry import all_rules, rule_files
from gwlint.rule import DIALECTS, TOPICS
from gwlint.settings_file import KEYS

Schema = dict[str, Any]


def config_schema() -> Schema:
    """A JSON Schema (draft 2020-12) for gwlint.yaml as this version of gwlint reads it.

    It admits every file that gwlint takes. What a schema cannot say (addresses that are named
    twice, paths that do not exist, a word inside of a list with commas) only gwlint refuses.
    """
    inner = {"rules": _rules(), "services": _services(), "layers": _layers()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gwlint.yaml",
        "description": "Settings of gwlint.",
        "type": ["object", "null"],
        "properties": {
            name: {"description": key.meaning, **(key.schema or inner[name])}
            for name, key in KEYS.items()
        },
        "additionalProperties": False,
        "$defs": {"selectors": _selectors()},
    }


def _selectors() -> Schema:
    codes = [file.code for file in rule_files()]
    words = sorted({*TOPICS.values(), *(file.name for file in rule_files())})
    prefixes = "|".join("".join(f"[{c}{c.lower()}]" for c in prefix) for prefix in DIALECTS)
    one = {
        "anyOf": [
            {"enum": [*codes, *(code.lower() for code in codes), *words]},
            {"type": "string", "pattern": f"^ *({prefixes})[0-9]{{0,2}} *$"},
            {"type": "string", "pattern": ",", "description": "A list with commas."},
            {"type": "string", "pattern": "^(?![A-Z]{3}[0-9])(?=.*[A-Z ])"},  # in any case
        ]
    }
    return {"anyOf": [one, {"type": "array", "items": one}]}


def _rules() -> Schema:
    """Every code may stand there; options only where the rule has some."""
    codes = [file.code for file in rule_files()]
    return {
        "type": "object",
        "properties": {rule.code: _options(rule.options) for rule in all_rules() if rule.options},
        "propertyNames": {"enum": codes},
        "additionalProperties": {"type": "object", "maxProperties": 0},
    }


def _options(options: tuple[Option, ...]) -> Schema:
    return _mapping(
        {
            option.name: {
                "description": option.meaning,
                "default": option.default,
                **option.read.schema,
            }
            for option in options
        }
    )


def _services() -> Schema:
    address = {"type": "string", "minLength": 1}
    addresses = {
        "description": "Its addresses with ports, or unix:/path.",
        "anyOf": [address, {"type": "array", "items": address, "minItems": 1}],
    }
    service = _mapping({"addresses": addresses, **_facts(SERVICE_FACTS)})
    return {"type": "object", "additionalProperties": {**service, "required": ["addresses"]}}


def _layers() -> Schema:
    layer = _mapping(_facts(LAYER_FACTS))
    named = [{"required": ["name"]}, {"required": ["preset"]}]
    return {"type": "array", "items": {**layer, "anyOf": named}}


def _facts(facts: Mapping[str, Fact]) -> Schema:
    return {name: {"description": fact.meaning, **fact.kind.schema} for name, fact in facts.items()}


def _mapping(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}
