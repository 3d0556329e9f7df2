"""Which keywords HAProxy has, in which sections, from which version on.

The facts lie in linter/data/haproxy_keywords.json, made by build_haproxy_keywords.py from the
manuals and keyword dumps of 2.4 to 3.4; how a keyword in the wrong section is met was measured on
2.6 and 2.8. Where the facts end, nothing is called unknown.
"""

from __future__ import annotations

import json
from enum import Enum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from gwlint.syntax.nearest import nearest
from gwlint.syntax.version import Version

_DATA_FILE = Path(__file__).parents[2] / "data" / "haproxy_keywords.json"

PROXY_SECTIONS = {"defaults": "D", "frontend": "F", "listen": "L", "backend": "B"}
"""The sections that share one set of keywords, and their letters in the data."""

_LETTER_SECTIONS = {letter: kind for kind, letter in PROXY_SECTIONS.items()}


class Placement(Enum):
    """What HAProxy does with a keyword in a section."""

    ALLOWED = "allowed"
    NAMED_ONLY = "named-only"
    """Allowed in a `defaults` section that has a name; an anonymous one refuses it."""
    SILENT = "silent"
    """Accepted without a word, and without effect."""
    IGNORED = "ignored"
    """A warning: "ignored because ... has no backend capability"."""
    REFUSED = "refused"
    """A fatal error."""


class KeywordSpec(NamedTuple):
    """One keyword.

    name: all of its words, as `timeout server`. One that ends in `*` continues freely in its last
        word, as `http-request set-var*` does in `set-var(txn.a)`.
    sections: the section kinds in which it works.
    since: the first version known to have it; None when all supported ones do.
    removed: the version that took it out; HAProxy then names its replacement, so it is no unknown
        keyword.
    fewest, most: arguments after its words; `most` None: no limit, or none known.
    """

    name: str
    sections: frozenset[str]
    since: Version | None = None
    removed: Version | None = None
    fewest: int = 0
    most: int | None = None

    @property
    def length(self) -> int:
        """How many words it has."""
        return self.name.count(" ") + 1

    def known_in(self, version: Version | None) -> bool:
        """Whether `version` has heard of it; without a version, whether any has."""
        return version is None or self.since is None or version >= self.since

    def works_in(self, version: Version) -> bool:
        """Whether `version` has it still."""
        return self.known_in(version) and (self.removed is None or version < self.removed)

    def placement(self, section_kind: str) -> Placement:
        """What becomes of it in a section of this kind."""
        letter = PROXY_SECTIONS.get(section_kind)
        facts = _data()
        if section_kind in self.sections:
            rules_need_name = section_kind == "defaults" and _begins(
                self.name, facts["named_defaults_only"]
            )
            return Placement.NAMED_ONLY if rules_need_name else Placement.ALLOWED
        if letter is None or letter in "DL" or _begins(self.name, facts["refused"][letter]):
            return Placement.REFUSED
        if self.name in facts["silent"][letter]:
            return Placement.SILENT
        return Placement.IGNORED


class Lookup(NamedTuple):
    """What the words of a line are.

    spec: the keyword, or None when it is unknown.
    unknown: index of the word that is not known, or, where a word is missing after it, of the last
        one; -1 when `spec` is there, or when the facts do not suffice to call the line unknown.
    """

    spec: KeywordSpec | None
    unknown: int = -1

    @property
    def is_unknown(self) -> bool:
        return self.unknown >= 0


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(_DATA_FILE.read_bytes())
    return data


def _begins(name: str, keywords: list[str]) -> bool:
    return any(name == keyword or name.startswith(f"{keyword} ") for keyword in keywords)


def _version(text: str | None) -> Version | None:
    return None if text is None else Version.parse(text)


@cache
def versions() -> tuple[Version, ...]:
    """The versions that the data tell apart, oldest first."""
    return tuple(Version.parse(text) for text in _data()["versions"])


@lru_cache(maxsize=1024)
def _spec(section_kind: str, name: str) -> KeywordSpec | None:
    facts = _data()
    if section_kind in PROXY_SECTIONS:
        entry = facts["proxy"].get(name)
        if entry is None:
            return None
        letters, since = entry
        sections = frozenset(_LETTER_SECTIONS[letter] for letter in letters)
        fewest, most = _arguments(name)
        return KeywordSpec(
            name, sections, _version(since), _version(facts["removed"].get(name)), fewest, most
        )
    entry = facts["sections"].get(section_kind, {}).get(name)
    if entry is None:
        return None
    fewest, most = facts["arguments"].get(f"{section_kind} {name}", (0, None))
    return KeywordSpec(
        name, frozenset({section_kind}), _version(entry[0]), fewest=fewest, most=most
    )


def _arguments(name: str) -> tuple[int, int | None]:
    limits = _data()["arguments"]
    fewest, most = limits.get(name) or limits.get(name.partition(" ")[0], (0, None))
    return fewest, most


@cache
def _tree(section_kind: str) -> dict[str, Any]:
    """The keywords of a section as nested words; a complete keyword is marked by the key ""."""
    facts = _data()
    if section_kind in PROXY_SECTIONS:
        names = facts["proxy"]
    else:
        names = facts["sections"].get(section_kind, {})
    tree: dict[str, Any] = {}
    for name in names:
        node = tree
        for word in name.split():
            node = node.setdefault(word, {})
        node[""] = name
    return tree


def knows_section(section_kind: str) -> bool:
    """Whether the keywords of this section are known in full."""
    return section_kind in PROXY_SECTIONS or section_kind in _data()["sections"]


def section_since(section_kind: str) -> Version | None:
    """The version that brought a section; None when all supported ones have it."""
    return _version(_data()["section_since"].get(section_kind))


def look_up(section_kind: str, words: list[str], version: Version | None = None) -> Lookup:
    """What a line of a section is, by its words after `no` or `default`.

    A word with an environment reference may be any keyword, and Lua programs add actions named
    `lua.` something: neither is unknown.
    """
    if not knows_section(section_kind):
        return Lookup(None)
    node = _tree(section_kind)
    taken = 0
    for word in words:
        following = _step(node, word)
        if following is None:
            break
        node = following
        taken += 1
    words_read, rest = words[:taken], words[taken:]
    if "" in node and not (_is_rule_set(section_kind, words_read) and rest):
        spec = _spec(section_kind, node[""])
        if spec is not None and spec.known_in(version):
            return Lookup(spec)
        return Lookup(None, taken - 1)
    if rest and ("$" in rest[0] or (taken and rest[0].startswith("lua."))):
        return Lookup(None)
    return Lookup(None, taken if rest else max(taken - 1, 0))


# The data list these alone too, but the server wants an action that it knows after them (measured).
_RULE_SETS = frozenset(
    {
        ("http-request",),
        ("http-response",),
        ("http-after-response",),
        ("tcp-request", "connection"),
        ("tcp-request", "session"),
        ("tcp-request", "content"),
        ("tcp-response", "content"),
    }
)


def _is_rule_set(section_kind: str, words: list[str]) -> bool:
    return section_kind in PROXY_SECTIONS and tuple(words) in _RULE_SETS


def _step(node: dict[str, Any], word: str) -> dict[str, Any] | None:
    """The node below for one word: the word itself, or the longest `word*` that it begins with."""
    found = node.get(word) if word else None
    if found is None and word:
        for beginning in _beginnings(node):
            if word.startswith(beginning):
                return node[beginning + "*"]  # type: ignore[no-any-return]
    return found


_NO_WORDS: dict[str, Any] = {}

_beginnings_by_node: dict[int, tuple[str, ...]] = {}
"""By the identity of nodes, which stay for as long as the program runs."""


def _beginnings(node: dict[str, Any]) -> tuple[str, ...]:
    """What words may begin with below a node, the longest first."""
    found = _beginnings_by_node.get(id(node))
    if found is None:
        stars = (key[:-1] for key in node if key.endswith("*"))
        found = _beginnings_by_node[id(node)] = tuple(sorted(stars, key=len, reverse=True))
    return found


def _words_of(node: dict[str, Any]) -> tuple[str, ...]:
    return tuple(key.removesuffix("*") for key in node if key)


def lookup(
    section_kind: str, words: list[str], version: Version | None = None
) -> KeywordSpec | None:
    """The keyword that a line of a section begins with, or None."""
    return look_up(section_kind, words, version).spec


def proxy_keyword(words: list[str]) -> KeywordSpec | None:
    """The keyword of `defaults`, `frontend`, `listen` and `backend` that `words` begin with."""
    return lookup("listen", words)


def allowed_in(section_kind: str) -> tuple[str, ...]:
    """The keywords that work in a section, in order of name; removed ones left out."""
    facts = _data()
    letter = PROXY_SECTIONS.get(section_kind)
    if letter is None:
        return tuple(facts["sections"].get(section_kind, ()))
    return tuple(
        name
        for name, (letters, _) in facts["proxy"].items()
        if letter in letters and name not in facts["removed"]
    )


@cache
def _first_words() -> tuple[frozenset[str], tuple[str, ...]]:
    """What lines of any section begin with: whole words, and beginnings of words."""
    trees = [_tree(kind) for kind in ("listen", *_data()["sections"])]
    beginnings = {one for tree in trees for one in _beginnings(tree)}
    return frozenset(word for tree in trees for word in tree if word), tuple(beginnings)


def begins_somewhere(word: str) -> bool:
    """Whether some section has a keyword that begins with this word."""
    whole, beginnings = _first_words()
    return word in whole or (bool(beginnings) and word.startswith(beginnings))


def suggest(section_kind: str, word: str, before: tuple[str, ...] = ()) -> list[str]:
    """The keywords that look like `word`, which follows the words `before`."""
    return list(_near(section_kind, word, before))


@cache
def _near(section_kind: str, word: str, before: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(nearest(word, _following(section_kind, before)))


@cache
def _following(section_kind: str, before: tuple[str, ...]) -> tuple[str, ...]:
    """The words that may follow others and were not removed."""
    node = _tree(section_kind)
    for earlier in before:
        node = _step(node, earlier) or _NO_WORDS
    removed = _data()["removed"]
    prefix = "".join(f"{earlier} " for earlier in before)
    return tuple(word for word in _words_of(node) if prefix + word not in removed)


@cache
def parameter_arities(kind: str) -> dict[str, int]:
    """Parameters of `server` or `bind` lines, and how many words follow each.

    -1 for `source`, which goes on as long as `usesrc` and `interface` follow.
    """
    return {name: facts[0] for name, facts in _data()["parameters"][kind].items()}


def parameter_since(kind: str, name: str) -> Version | None:
    """The first version known to have a parameter; None when all supported ones do."""
    facts = _data()["parameters"][kind].get(name)
    return None if facts is None else _version(facts[1])


class SampleSpec(NamedTuple):
    """A sample fetch or a converter.

    arguments: as HAProxy prints them: `string[,integer]`.
    takes: the type a converter is applied to; "" for a fetch.
    makes: the type that comes out: sint, str, bin, bool, addr, ipv4, method, any, same.
    contexts: for a fetch, where it works: one bit for each of `FETCH_CONTEXTS`, first one highest.
    """

    name: str
    arguments: str
    takes: str
    makes: str
    contexts: int = 0
    since: Version | None = None

    @property
    def most_arguments(self) -> int:
        listed = self.arguments.replace("[", "").replace("]", "").strip(",")
        return listed.count(",") + 1 if listed else 0

    def works_in(self, context: str) -> bool:
        """Whether a fetch gives a value in one of `FETCH_CONTEXTS`."""
        place = len(FETCH_CONTEXTS) - 1 - FETCH_CONTEXTS.index(context)
        return bool(self.contexts >> place & 1)


FETCH_CONTEXTS = (
    "frontend tcp-request connection",
    "frontend tcp-request session",
    "frontend tcp-request content",
    "frontend http-request header",
    "frontend http-request body",
    "frontend use-backend",
    "backend tcp-request content",
    "backend http-request header",
    "backend http-request body",
    "backend use-server, balance or stick-match",
    "server source selection",
    "backend tcp-response content",
    "backend http-response header",
    "backend http-response body",
    "backend stick-store",
    "frontend tcp-response content",
    "frontend http-response header",
    "frontend http-response body",
    "logs",
    "backend tcp-check",
    "configuration",
    "command line",
)
"""Where sample fetches are evaluated, in the order of the dump's columns."""


@lru_cache(maxsize=1024)
def sample_fetch(name: str) -> SampleSpec | None:
    entry = _data()["fetches"].get(name)
    if entry is None:
        return None
    arguments, makes, contexts, since = entry
    return SampleSpec(name, arguments, "", makes, contexts, _version(since))


@lru_cache(maxsize=512)
def converter(name: str) -> SampleSpec | None:
    entry = _data()["converters"].get(name)
    if entry is None:
        return None
    arguments, takes, makes, since = entry
    return SampleSpec(name, arguments, takes, makes, 0, _version(since))


def acl_keyword(name: str) -> str | None:
    """What an ACL keyword stands for (`hdr_beg`: `req.hdr -m beg`); None for plain fetches."""
    entry = _data()["acls"].get(name)
    return None if entry is None else str(entry[0])


def sample_names() -> tuple[str, ...]:
    """All sample fetches and ACL keywords."""
    facts = _data()
    return (*facts["fetches"], *facts["acls"])


def converter_names() -> tuple[str, ...]:
    return tuple(_data()["converters"])


def filters() -> tuple[str, ...]:
    """The names that may follow `filter`; Lua programs add others, named `lua.` something."""
    return tuple(_data()["filters"])
