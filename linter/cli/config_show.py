"""The settings in force and where each comes from, for people and for programs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gwlint.model.facts import facts_of
from gwlint.model.options import Option
from gwlint.registry import all_rules
from gwlint.settings import Settings

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting: its keys as in gwlint.yaml, its value as written, and who says so.

    `origin` is "default", an option such as "--profile", a place such as "gwlint.yaml:3:1", or for
    what a preset of a layer brings in "preset aws-alb". A value of None is not set.
    """

    keys: Keys
    value: Any
    origin: str

    @property
    def name(self) -> str:
        """`services.api.idle_timeout`, `layers[0].name`."""
        first, *rest = self.keys
        return str(first) + "".join(
            f"[{key}]" if isinstance(key, int) else f".{key}" for key in rest
        )


def entries(settings: Settings) -> list[Entry]:
    """All settings in force, in the order of the keys in gwlint.yaml."""
    return list(_Entries(settings).all())


class _Entries:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def all(self) -> Iterator[Entry]:
        settings = self._settings
        for dialect in ("nginx", "haproxy"):
            version = getattr(settings, f"target_{dialect}")
            keys = ("target", dialect)
            yield Entry(keys, version and str(version), self._of(f"target_{dialect}", keys))
        for name in ("profile", "fail_on", "dialect"):
            yield Entry((name,), getattr(settings, name), self._of(name, (name,)))
        for name in ("select", "ignore"):
            yield from self._words((name,), getattr(settings, name))
        for pattern, words in settings.per_file_ignores.items():
            yield from self._words(("per_file_ignores", pattern), words)
        for prefix, local in settings.path_map.items():
            relative = os.path.relpath(local, settings.folder).replace(os.sep, "/")
            keys = ("path_map", prefix)
            yield Entry(("path_map", prefix or "/"), relative, self._place(keys))
        for pattern, context in settings.contexts.items():
            yield Entry(("contexts", pattern), context, self._place(("contexts", pattern)))
        for rule in all_rules():
            yield from self._options(rule.code, rule.options)
        for name, service in settings.services.items():
            yield from self._plain(("services", name), service)
        yield from self._layers()

    def _of(self, field: str, keys: Keys) -> str:
        """Who sets a field that options may replace."""
        if field in self._settings.options:
            return "--target" if keys[0] == "target" else f"--{field.replace('_', '-')}"
        return self._place(keys)

    def _place(self, keys: Keys) -> str:
        return self._settings.place_of(*keys) if keys in self._settings.places else "default"

    def _words(self, keys: Keys, words: tuple[str, ...]) -> Iterator[Entry]:
        """A list, one entry for each word: those of gwlint.yaml first, then those of options."""
        if not words:
            yield Entry(keys, None if keys == ("select",) else [], self._place(keys))
        by_option = len(self._settings.options.get(str(keys[0]), ()) if len(keys) == 1 else ())
        for index, word in enumerate(words):
            is_option = index >= len(words) - by_option
            place = f"--{keys[0]}" if is_option else self._place((*keys, word))
            yield Entry((*keys, index), word, place)

    def _options(self, code: str, options: tuple[Option, ...]) -> Iterator[Entry]:
        said = self._settings.rules.get(code, {})
        for option in options:
            keys = ("rules", code, option.name)
            yield Entry(keys, said.get(option.name, option.default), self._place(keys))

    def _plain(self, keys: Keys, value: Any) -> Iterator[Entry]:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                yield from self._plain((*keys, key), inner)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from self._plain((*keys, index), inner)
        else:
            yield Entry(keys, value, self._place(keys))

    def _layers(self) -> Iterator[Entry]:
        facts = facts_of(self._settings)
        for index, (said, layer) in enumerate(
            zip(self._settings.layers, facts.layers, strict=True)
        ):
            yield from self._plain(("layers", index), said)
            for name in ("name", "idle_timeout", "response_timeout", *_SIZES):
                value = getattr(layer, name)
                if name not in said and value is not None:
                    shown = value if isinstance(value, str) else f"{value:g}" + _unit(name)
                    yield Entry(("layers", index, name), shown, f"preset {layer.preset}")


_SIZES = ("body_limit", "request_header", "response_header")


def _unit(name: str) -> str:
    return "" if name in _SIZES else "s"


def as_text(settings: Settings) -> str:
    """Three columns: the key, its value, and where that comes from."""
    found = entries(settings)
    rows = [(one.name, _shown(one.value), one.origin) for one in found]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [
        f"{name:<{widths[0]}}  {value:<{widths[1]}}  {origin}".rstrip()
        for name, value, origin in rows
    ]
    return "\n".join([f"gwlint.yaml: {settings.file or 'none found'}", "", *lines]) + "\n"


def as_json(settings: Settings) -> str:
    """One object: the file, and the list of entries with their keys as a list."""
    listed = [
        {"key": list(one.keys), "value": one.value, "origin": one.origin}
        for one in entries(settings)
    ]
    document = {"version": 1, "file": settings.file, "settings": listed}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_yaml(settings: Settings) -> str:
    """A gwlint.yaml that sets all of this, to stand where that of `settings` stands.

    Scalars are written as JSON writes them, which YAML reads the same.
    """
    tree: dict[str | int, Any] = {}
    for one in entries(settings):
        if one.value is None or one.keys == ("dialect",):
            continue
        place = tree
        for key in one.keys[:-1]:
            place = place.setdefault(key, {})
        place[one.keys[-1]] = one
    return "".join(_lines(tree, 0)) or "{}\n"


FORMATS = {"text": as_text, "yaml": as_yaml, "json": as_json}


def _lines(tree: Mapping[str | int, Any], depth: int) -> Iterator[str]:
    for key, value in tree.items():
        start = "  " * depth + ("-" if isinstance(key, int) else f"{_yaml(key)}:")
        if isinstance(value, Entry):
            yield f"{start} {_yaml(value.value)}  # {value.origin}\n"
        else:
            yield f"{start}\n"
            yield from _lines(value, depth + 1)


_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_MEANT_OTHERWISE = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
"""Words that are no texts in YAML, or were none in YAML 1.1."""


def _yaml(value: Any) -> str:
    """A scalar as YAML: bare where it is a plain word that YAML gives no other meaning."""
    if isinstance(value, str) and _BARE.fullmatch(value) and value.lower() not in _MEANT_OTHERWISE:
        return value
    return json.dumps(value)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return json.dumps(value) if isinstance(value, bool | list) else str(value)
