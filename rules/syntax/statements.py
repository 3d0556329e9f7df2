"""The statements of a HAProxy configuration that can be judged by their keyword."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.syntax.haproxy.keywords import (
    PROXY_SECTIONS,
    Lookup,
    begins_somewhere,
    knows_section,
    look_up,
    section_since,
    suggest,
)
from gwlint.syntax.haproxy.sections import SECTION_KINDS
from gwlint.syntax.haproxy.tree import HaproxyFile, Line, Section
from gwlint.syntax.nearest import nearest
from gwlint.syntax.problem import SyntaxProblem
from gwlint.syntax.version import Version

SECTION_NAMES = tuple(sorted(kind for kind in SECTION_KINDS if not kind.startswith("spoe-")))


class Statement(NamedTuple):
    """A line in a section whose kind is certain, and what its words are.

    `words` are those after `no` or `default`. `version` is the target, or None where the line
    stands in an `.if` block, which may ask for a later version than the target.
    """

    line: Line
    section: Section
    words: tuple[str, ...]
    lookup: Lookup
    version: Version | None


def statements(config: HaproxyConfig) -> Sequence[Statement]:
    """The lines of sections whose keywords are known.

    Left out are headers, lines that cannot be split into words, lines with a variable as keyword,
    and lines whose section depends on an `.if` block or follows a misspelt section name.
    """
    return config.once(_statements)


def _statements(config: HaproxyConfig) -> Sequence[Statement]:
    return list(_read(config))


def _read(config: HaproxyConfig) -> Iterator[Statement]:
    for tree in config.trees:
        damaged = _damaged_lines(tree)
        for section in tree.sections:
            if not knows_section(section.kind) or _is_too_new(section, config.target):
                continue
            for line in section.lines:
                if damaged and line.source.line_of(line.start) in damaged:
                    continue
                word = line.keyword_word
                if not _is_certain(line, section) or word is None or not word.value:
                    continue
                if word.references:
                    continue
                words = [w.value for w in line.words[0 if line.modifier is None else 1 :]]
                lookup = look_up(section.kind, words)
                if lookup.unknown == 0 and section_meant(line) is not None:
                    break
                version = None if line.branch is not None else config.target
                yield Statement(line, section, tuple(words), lookup, version)


def section_meant(line: Line) -> str | None:
    """The section that a line probably opens, with its name misspelt: `frontned web`."""
    if line.section is None:
        return _section_like(line.keyword)
    kind = line.section.kind
    if not knows_section(kind) or line.modifier is not None or line.keyword in SECTION_KINDS:
        return None
    lookup = look_up(kind, [word.value for word in line.words])
    if lookup.unknown != 0 or suggest(kind, line.keyword):
        return None
    meant = _section_like(line.keyword)
    return None if meant == line.keyword else meant


@cache
def _section_like(word: str) -> str | None:
    """The one section whose name is nearest to a word; each line is asked for by several rules."""
    candidates = nearest(word, SECTION_NAMES)
    return candidates[0] if len(candidates) == 1 else None


def problem_line(tree: HaproxyFile, problem: SyntaxProblem) -> Line | None:
    """The statement on the line of a problem, if one is there."""
    number = tree.source.line_of(problem.span.start)
    for line in tree.lines:
        if line.source.line_of(line.start) == number:
            return line
    return None


def home_of(words: tuple[str, ...], besides: str) -> tuple[str, ...]:
    """The section kinds, other than `besides`, that know these words; the usual ones first."""
    if not begins_somewhere(words[0]):
        return ()
    if besides not in PROXY_SECTIONS:
        spec = look_up("listen", list(words)).spec
        if spec is not None:
            return tuple(kind for kind in PROXY_SECTIONS if kind in spec.sections)
    if besides != "global" and look_up("global", list(words)).spec is not None:
        return ("global",)
    return tuple(
        kind
        for kind in SECTION_NAMES
        if kind not in (besides, "global", *PROXY_SECTIONS)
        and knows_section(kind)
        and look_up(kind, list(words)).spec is not None
    )


def _damaged_lines(tree: HaproxyFile) -> frozenset[int]:
    """Numbers of the lines that HAProxy does not split into the words that were read here."""
    harmless = ("missing-final-newline", "byte-order-mark")
    return frozenset(
        tree.source.line_of(problem.span.start)
        for problem in tree.errors
        if problem.kind not in harmless
    )


def _is_too_new(section: Section, target: Version | None) -> bool:
    since = section_since(section.kind)
    return since is not None and target is not None and target < since


def _is_certain(line: Line, section: Section) -> bool:
    """Whether the line belongs to this section whichever branches are taken."""
    branch = section.header.branch
    return branch is None or branch in line.conditions
