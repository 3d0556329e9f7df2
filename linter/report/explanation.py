"""What `gwlint explain` prints: a rule's docstring with its examples, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from gwlint.rule import Example, Rule

_AFTER_EXAMPLES = "\n## Fix safety\n"


def explanation(rule: type[Rule]) -> str:
    """Heading, facts and documentation; the examples stand before the section on fixes."""
    fix = f"{rule.fix.value} fix" if rule.fix else "no fix"
    facts = f"{rule.dialect()}, topic {rule.topic()}, {rule.severity.label}, {fix}"
    before, heading, after = rule.documentation().partition(_AFTER_EXAMPLES)
    examples = "\n".join(_examples(rule))
    options = "".join(
        f"Option {one.name}, {one.default} by default: {one.meaning}.\n" for one in rule.options
    )
    first = f"# {rule.code} {rule.name}\n({facts})\n{options}"
    return f"{first}\n{before}\n{examples}{heading}{after}\n"


def _examples(rule: type[Rule]) -> Iterator[str]:
    for title, examples in (("Example", rule.bad), ("Instead", rule.good)):
        yield f"## {title}"
        yield from map(_shown, examples)


def _shown(example: Example) -> str:
    parts = [f"Target: {example.target}\n"] if example.target else []
    for name, text in example.files.items():
        label = f"{name}:\n\n" if len(example.files) > 1 else ""
        parts.append(f"{label}{indent(text.rstrip(), '    ')}\n")
    return "\n".join(parts)
