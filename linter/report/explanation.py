"""What `gwlint explain` prints: a rule's docstring with its examples, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from gwlint.report.printable import printable
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
        for example in examples:
            yield _shown(example, named=len(examples) > 1 or len(example.files) > 1)


def _shown(example: Example, *, named: bool) -> str:
    """Its files, each below its name where there are several: else Markdown would join them."""
    parts = [f"Target: {example.target}\n"] if example.target else []
    for name, text in example.files.items():
        end = "" if text.endswith("\n") else ", without a line break at its end"
        label = f"{name}{end}:\n\n" if named else ""
        shown = "\n".join(map(printable, text.rstrip().splitlines()))
        parts.append(f"{label}{indent(shown, '    ')}\n")
    return "\n".join(parts)
