"""The pages that MkDocs does not read from files: they are made from the rules.

One page a rule is what `gwlint explain` prints; two indexes lead to them: by topic, and by what
stands in a log.
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from gwlint.registry import all_rules
from gwlint.report.explanation import explanation
from gwlint.rule import TOPICS, Rule

# MkDocs loads this file without its folder.
sys.path.insert(0, str(Path(__file__).parent))

from symptoms import symptoms_page

_REFERENCES = "\n## References\n"
_ADDRESS = re.compile(r"https?://[^\s)]+")
_HAPROXY_MANUALS = {
    "HAProxy configuration manual": "https://docs.haproxy.org/2.8/configuration.html",
    "HAProxy management guide": "https://docs.haproxy.org/2.8/management.html",
}
_SECTION = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w-])")
_STANDARDS = (
    (re.compile(r"\bRFC (\d+)"), r"[RFC \1](https://www.rfc-editor.org/rfc/rfc\1)"),
    (re.compile(r"\bCWE-(\d+)"), r"[CWE-\1](https://cwe.mitre.org/data/definitions/\1.html)"),
    (re.compile(r"\bdocs/pages/(\w+)\.md"), r"[\1](../\1.md)"),
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """MkDocs asks for the files of the site: those of the folder, and the made ones."""
    rules = all_rules()
    for rule in rules:
        files.append(File.generated(config, f"rules/{rule.code}.md", content=rule_page(rule)))
    files.append(File.generated(config, "rules.md", content="\n".join(_by_topic(rules))))
    files.append(File.generated(config, "symptoms.md", content=symptoms_page(rules)))
    return files


def rule_page(rule: type[Rule]) -> str:
    """What explain prints, with its references as links."""
    before, heading, references = explanation(rule).partition(_REFERENCES)
    return before + heading + "".join(map(_linked, re.split(r"^(?=- )", references, flags=re.M)))


def _linked(reference: str) -> str:
    """One item of the references, with links for what has an address."""
    for manual, address in _HAPROXY_MANUALS.items():
        if reference.startswith(f"- {manual}"):
            return _SECTION.sub(rf"[\g<0>]({address}#\g<0>)", reference)
    if _ADDRESS.search(reference):
        return _ADDRESS.sub(r"<\g<0>>", reference)
    for pattern, link in _STANDARDS:
        reference = pattern.sub(link, reference)
    return reference


def _by_topic(rules: list[type[Rule]]) -> Iterator[str]:
    yield "# Rules by topic\n"
    yield "`security` rules run with `--profile security`, all others by default; findings of"
    yield "severity info are counted, and listed with `--profile strict`."
    yield "An unsafe fix is made with `gwlint fix --unsafe` only.\n"
    for topic in TOPICS.values():
        found = [rule for rule in rules if rule.topic() == topic]
        if not found:
            continue
        yield f"## {topic.capitalize()}\n"
        yield "| rule | for | severity | fix | what it finds |"
        yield "|---|---|---|---|---|"
        for rule in found:
            fix = rule.fix.value if rule.fix else ""
            link = f"[{rule.code} {rule.name}](rules/{rule.code}.md)"
            cells = (link, rule.dialect(), rule.severity.label, fix, _cell(rule.summary()))
            yield f"| {' | '.join(cells)} |"
        yield ""


def _cell(text: str) -> str:
    """Text for a cell of a table."""
    return html.escape(text, quote=False).replace("|", "\\|")
