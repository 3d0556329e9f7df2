"""The list of all rules, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from gwlint.rule import Rule


def _text(rules: Sequence[type[Rule]]) -> str:
    rows = [
        (rule.code, rule.severity.label, rule.fix.value if rule.fix else "-", rule.name)
        for rule in rules
    ]
    width = max((len(name) for *_, name in rows), default=0)
    return "".join(
        f"{code}  {severity:7}  {fix:6}  {name:{width}}  {rule.summary()}\n"
        for rule, (code, severity, fix, name) in zip(rules, rows, strict=True)
    )


def _json(rules: Sequence[type[Rule]]) -> str:
    entries = [
        {
            "code": rule.code,
            "name": rule.name,
            "topic": rule.topic(),
            "dialect": rule.dialect(),
            "severity": rule.severity.label,
            "fix": rule.fix.value if rule.fix else None,
            "summary": rule.summary(),
        }
        for rule in rules
    ]
    return json.dumps(entries, indent=2, ensure_ascii=True) + "\n"


CATALOGUES: dict[str, Callable[[Sequence[type[Rule]]], str]] = {"text": _text, "json": _json}
"""Name, as `--format` takes it -> what renders the list of rules. `fix` is null for none."""
