from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.syntax.statements import (
    Statement,
    home_of,
    problem_line,
    section_meant,
    statements,
)
from gwlint.syntax.haproxy.amend import replaced
from gwlint.syntax.haproxy.keywords import (
    KeywordSpec,
    Placement,
    filters,
    look_up,
    parameter_since,
    section_since,
    suggest,
)
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.nearest import nearest
from gwlint.syntax.values.bind_line import parse_bind
from gwlint.syntax.values.parameters import Parameter, ParameterList, read_parameters
from gwlint.syntax.values.server_line import SERVER_KEYWORDS, parse_server
from gwlint.syntax.version import Version

_BIND_KEYWORDS = frozenset({"bind", "default-bind"})


class UnknownKeyword(HaproxyRule):
    """HAProxy has no keyword, option or parameter of this name.

    ## Problem
    The name is misspelt, belongs to a later version, or is something else altogether: HAProxy has
    no continuation lines, so that a `\\` at the end of a line is a word of its own.

    ## Why
    HAProxy refuses the whole configuration: it does not start, and a reload keeps the old one.

    ## In the log
    `[ALERT] parsing [haproxy.cfg:12]: unknown keyword 'defualt_backend' in 'frontend' section; did
    you mean 'default_backend' maybe ?`,
    `[ALERT] ... 'server app/s1' : unknown keyword 'chekc'`.

    ## Silent when
    The word holds a variable; it is an action that a Lua program may define (`lua.name`); the
    section depends on an `.if` block. Without a target version, keywords of every version up to
    3.4 are known. A keyword of another section is HAP003.

    ## Fix safety
    Safe: with the name as it is, HAProxy does not start. There is a fix only when one known name is
    near, is allowed there, and takes the arguments that follow.

    ## Versions
    A keyword that is newer than the target is unknown to it; the message says with which version it
    came. Without a target, keywords of every version up to 3.4 are known.

    ## Learnt
    Below a misspelt section name every line looks wrong, since HAProxy reads them into the section
    before; only the name is reported. 10 of 21 findings in published files read, all right:
    keywords of HAProxy Enterprise, which the community's HAProxy refuses.

    ## References
    - HAProxy configuration manual, sections 3, 4.1, 5.1 and 5.2
    """

    code = "HAP002"
    name = "unknown-keyword"
    severity = Severity.ERROR
    fix = Safety.SAFE
    bad = (
        Example.haproxy(
            """
            frontend web
                bind :8080 accept-proxi
                defualt_backend app
            backend app
                optoin httpchk
                option httpchck
                server s1 10.0.0.1:80 chekc inter 5s
            """
        ),
        Example.haproxy("globl\n    maxconn 1000\n"),
        Example.haproxy(
            """
            global
                maxconn 1000
            frontned web
                bind :8080
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
        Example.haproxy(
            """
            backend app
                server s1 10.0.0.1:80 \\
                    check
            """
        ),
        Example.haproxy("global\n    tune.stick-counters 4\n", target="2.6"),
    )
    good = (
        Example.haproxy(
            """
            global
                tune.stick-counters 4
            frontend web
                bind :8080 accept-proxy
                http-request lua.check
                default_backend app
            backend app
                option httpchk
                server s1 10.0.0.1:80 check inter 5s
            """
        ),
        Example.haproxy("global\n    tune.stick-counters 4\n", target="2.8"),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        yield from self._section_names(config)
        for statement in statements(config):
            lookup = statement.lookup
            if lookup.is_unknown:
                yield from self._unknown(statement)
            elif lookup.spec is not None:
                if not lookup.spec.known_in(statement.version):
                    yield self._too_new(statement, lookup.spec)
                yield from self._parameters(statement)

    def _section_names(self, config: HaproxyConfig) -> Iterator[Finding]:
        for tree in config.trees:
            for problem in tree.errors:
                line = problem_line(tree, problem) if problem.kind == "outside-section" else None
                if line is not None:
                    yield from self._section_name(line)
            for section in tree.sections:
                header = section.header
                since = section_since(section.kind)
                if since and config.target and header.branch is None and config.target < since:
                    yield self.finding(
                        header,
                        f"section {section.kind} came with HAProxy {since}",
                        advice=f"run HAProxy {since} or later, or remove the section",
                        span=header.words[0].span,
                    )
                for line in section.lines:
                    yield from self._section_name(line)

    def _section_name(self, line: Line) -> Iterator[Finding]:
        meant = section_meant(line)
        if meant is not None:
            yield self._misspelt(line, line.words[0], "section", meant, is_certain=True)

    def _unknown(self, statement: Statement) -> Iterator[Finding]:
        line, kind, words = statement.line, statement.section.kind, statement.words
        index = statement.lookup.unknown
        near = suggest(kind, words[index], words[:index])
        if near == [words[index]] or home_of(words, kind):
            return  # a word is missing after it (HAP004), or it belongs elsewhere (HAP003)
        word = line.words[index + (line.modifier is not None)]
        what = "keyword" if index == 0 else " ".join(words[:index])
        if len(near) == 1:
            corrected = (*words[:index], near[0], *words[index + 1 :])
            yield self._misspelt(line, word, what, near[0], is_certain=_fits(kind, corrected))
            return
        message = f'HAProxy knows no "{" ".join(words[: index + 1])}" in {kind} sections'
        advice = "remove it, or see the manual for what is meant"
        if near:
            advice = f"did you mean {' or '.join(near)}?"
        yield self.finding(line, message, advice=advice, span=word.span)

    def _too_new(self, statement: Statement, spec: KeywordSpec) -> Finding:
        return self.finding(
            statement.line,
            f'"{spec.name}" came with HAProxy {spec.since}; the target is {statement.version}',
            advice=f"run HAProxy {spec.since} or later, or remove it",
            span=statement.line.words[0].span,
        )

    def _misspelt(
        self, line: Line, word: Word, what: str, meant: str, *, is_certain: bool
    ) -> Finding:
        fix = Fix(f"write {meant}", Safety.SAFE, (replaced(word, meant),))
        return self.finding(
            line,
            f'HAProxy knows no {what} "{word.value}"; did you mean "{meant}"?',
            advice=f"write {meant}",
            span=word.span,
            fix=fix if is_certain else None,
        )

    def _parameters(self, statement: Statement) -> Iterator[Finding]:
        line = statement.line
        if line.keyword == "filter" and line.arguments:
            yield from self._filter(line, line.arguments[0])
            return
        parsed: ParameterList
        if line.keyword in SERVER_KEYWORDS:
            parsed = parse_server(line)
        elif line.keyword in _BIND_KEYWORDS or statement.words[:2] == ("stats", "socket"):
            parsed = parse_bind(line)
        else:
            return
        if parsed.unknown:
            yield self._parameter(line, parsed.unknown[0], parsed)
        elif statement.version is not None:
            yield from self._too_new_parameters(line, parsed, statement.version)

    def _filter(self, line: Line, word: Word) -> Iterator[Finding]:
        if word.references or word.value in filters() or word.value.startswith("lua."):
            return
        near = nearest(word.value, filters())
        if len(near) == 1:
            yield self._misspelt(line, word, "filter", near[0], is_certain=True)
        else:
            yield self.finding(
                line,
                f'HAProxy knows no filter "{word.value}"',
                advice=f"filters are {', '.join(filters())}",
                span=word.span,
            )

    def _parameter(self, line: Line, unknown: Parameter, parsed: ParameterList) -> Finding:
        word = unknown.keyword
        near = unknown.suggestions()
        if len(near) == 1:
            is_certain = _removes_doubt(line, word, near[0], parsed)
            return self._misspelt(
                line, word, f"{line.keyword} parameter", near[0], is_certain=is_certain
            )
        advice = "remove it, or see the manual for what is meant"
        if word.value == "\\":
            advice = "write the statement on one line; HAProxy has no continuation lines"
        elif near:
            advice = f"did you mean {' or '.join(near)}?"
        return self.finding(
            line,
            f'HAProxy knows no {line.keyword} parameter "{word.value}"',
            advice=advice,
            span=word.span,
        )

    def _too_new_parameters(
        self, line: Line, parsed: ParameterList, target: Version
    ) -> Iterator[Finding]:
        for parameter in parsed.parameters:
            since = parameter_since(parameter.kind, parameter.keyword.value)
            if since is not None and target < since:
                yield self.finding(
                    line,
                    f'"{parameter.keyword.value}" came with HAProxy {since}; the target is'
                    f" {target}",
                    advice=f"run HAProxy {since} or later, or remove it",
                    span=parameter.keyword.span,
                )


def _fits(section_kind: str, words: tuple[str, ...]) -> bool:
    """Whether a line of these words is known and may stand in the section."""
    spec = look_up(section_kind, list(words)).spec
    if spec is None or spec.removed is not None or not spec.name.startswith(words[0]):
        return False
    count = len(words) - spec.length
    enough = spec.fewest <= count and (spec.most is None or count <= spec.most)
    return enough and spec.placement(section_kind) is Placement.ALLOWED


def _removes_doubt(line: Line, word: Word, meant: str, parsed: ParameterList) -> bool:
    """Whether with another name for one parameter the rest of the line makes sense."""
    words = [
        Word(w.source, w.start, w.end, meant) if w is word else w
        for w in line.words[line.words.index(parsed.parameters[0].keyword) :]
    ]
    after = read_parameters(parsed.parameters[0].kind, words)
    return not any(parameter.unknown or parameter.missing for parameter in after)
