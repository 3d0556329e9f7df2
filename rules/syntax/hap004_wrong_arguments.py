from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.syntax.haproxy_incomplete import Incomplete, incomplete
from gwlint.rules.syntax.statements import Statement, statements
from gwlint.syntax.haproxy.keywords import KeywordSpec, Placement, suggest
from gwlint.syntax.haproxy.tree import Section, Word
from gwlint.syntax.values.bind_line import parse_bind
from gwlint.syntax.values.conditions import WordProblem
from gwlint.syntax.values.keyword_arguments import count_problem, misread_numbers, value_problems
from gwlint.syntax.values.parameter_values import (
    bind_problems,
    misread_server_numbers,
    server_problems,
)
from gwlint.syntax.values.rule_arguments import rule_problems
from gwlint.syntax.values.server_line import parse_server

_NAMED = frozenset({"frontend", "backend", "listen", "resolvers", "peers", "userlist"})
_SERVERS = frozenset({"server", "default-server", "server-template"})


class WrongArguments(HaproxyRule):
    """The keyword has too many or too few arguments, or one of the wrong form.

    ## Problem
    A time has an unknown unit, a value is none of those that the keyword knows, a condition names
    an ACL that is not declared above it in the same section, an action has more words than it
    takes, or a parameter of a server lacks its value. So does `ssl` of a `bind` that names no
    certificate, and `agent-check` of a server without `agent-port`.

    ## Why
    HAProxy refuses the whole configuration: it does not start, and a reload keeps the old one. Of
    a number such as `maxconn lots` it reads the leading digits only and starts with that value,
    here 0; that is a warning (all measured on 2.6.12 and 2.8.25). So is `ssl strict-sni` without a
    certificate, with which it starts and all TLS connections fail.

    ## In the log
    `[ALERT] parsing [haproxy.cfg:8] : unexpected character 'x' in 'timeout connect'`,
    `[ALERT] ... error detected while parsing switching rule : no such ACL : 'is_api'`,
    `[ALERT] ... 'http-request set-header' expects either 'if' or 'unless' followed by a condition`.

    ## Silent when
    The value comes from an environment variable; the keyword is unknown, removed or in the wrong
    section (HAP002, HAP003, HAP005). Addresses are HAP102.

    ## Fix safety
    None: the value that was meant is not known.

    ## Learnt
    A header value with blanks and without quotes is the usual way to too many words. ACLs are not
    inherited: one that a `defaults` section or another frontend declares does not count. 10 of 20
    findings in published files read, all right, nine of them in the tests of a library that only
    parses.

    ## References
    - HAProxy configuration manual, sections 2.5, 4.2, 5.1, 5.2 and 7
    """

    code = "HAP004"
    name = "wrong-arguments"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            defaults
                mode https
                timeout connect 5x
                timeout client 1.5m
                timeout
                option httpclose yes
            """
        ),
        Example.haproxy(
            """
            frontend web
                bind :8080
                http-request set-header X-App my app
                http-request deny if { pth /admin }
                use_backend api if is_api
                acl is_api path_beg /api
                default_backend app if is_api
            backend app
                balance round-robin
                server s1 10.0.0.1:80 check inter
                server s2 10.0.0.2:80 weight 300
            """
        ),
        Example.haproxy("backend app\n    server s1 10.0.0.1:80 maxconn lots\n"),
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8443 ssl
                default_backend app
            backend app
                server s1 10.0.0.1:80 check agent-check
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                option httpclose
            frontend web
                bind :8080
                acl is_api path_beg /api
                http-request set-header X-App "my app"
                http-request deny if { path /admin } !is_api or METH_TRACE
                use_backend api if is_api
                default_backend app
            backend app
                balance roundrobin
                server s1 10.0.0.1:80 check inter 5s weight 256
            backend api
                server s1 10.0.0.1:81 maxconn "${LIMIT}"
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for opened in config.sections:
            yield from self._header(opened)
        for found in incomplete(config):
            yield self._incomplete(found)
        section: Section | None = None
        acls: set[str] = set()
        is_open = False
        for statement in statements(config):
            if statement.section is not section:
                section, acls, is_open = statement.section, set(), False
            spec = statement.lookup.spec
            if spec is None:
                yield from self._missing_word(statement)
            elif _is_effective(statement, spec):
                yield from self._judge(statement, spec, acls, names_are_known=not is_open)
            if statement.words[0] == "acl" and len(statement.line.arguments) > 0:
                word = statement.line.arguments[0]
                is_open = is_open or bool(word.references)
                acls.add(word.value)

    def _incomplete(self, found: Incomplete) -> Finding:
        effect = "does not start" if found.is_refused else "refuses all TLS connections"
        return self.finding(
            found.line,
            f'"{found.word.value}" needs {found.needs}; HAProxy {effect} without'
            if found.word.value != found.line.keyword
            else f"the inherited agent-check needs {found.needs}; HAProxy {effect} without",
            advice=f"add {found.needs.rpartition(': ')[2]}, or remove it",
            span=found.word.span,
            severity=Severity.ERROR
            if found.is_refused and not found.line.conditions
            else Severity.WARNING,
        )

    def _header(self, section: Section) -> Iterator[Finding]:
        """`listen NAME ADDRESS` was understood long ago; a proxy without a name never was."""
        header = section.header
        if section.kind in _NAMED and not header.arguments:
            yield self.finding(
                header,
                f'"{section.kind}" needs a name, so HAProxy does not start',
                advice="name the section",
            )
        elif section.kind in ("frontend", "listen") and len(header.arguments) > 1:
            word = header.arguments[1]
            if word.value and word.value != "from" and not word.references:
                yield self.finding(
                    header,
                    f'only "from" may follow the name of a {section.kind} section; HAProxy refuses'
                    f' "{word.value}"',
                    advice=f"write 'bind {word.value}' on a line of its own, if it is an address",
                    span=word.span,
                )

    def _missing_word(self, statement: Statement) -> Iterator[Finding]:
        index = statement.lookup.unknown
        words = statement.words
        if index < 0 or suggest(statement.section.kind, words[index], words[:index]) != [
            words[index]
        ]:
            return
        yield self.finding(
            statement.line,
            f'"{" ".join(words)}" needs a further word that says what it is about',
            advice="see the keyword in the manual",
        )

    def _judge(
        self, statement: Statement, spec: KeywordSpec, acls: set[str], *, names_are_known: bool
    ) -> Iterator[Finding]:
        line = statement.line
        first = spec.length + (line.modifier is not None)
        arguments = line.words[first:]
        wrong_count = count_problem(spec, arguments, is_modified=line.modifier is not None)
        if wrong_count is not None:
            yield self._refused(statement, spec, wrong_count)
            return
        for problem in _form_problems(statement, spec, arguments):
            yield self._refused(statement, spec, problem)
        for problem in rule_problems(spec, arguments, acls if names_are_known else None):
            yield self._refused(statement, spec, problem)
        for problem in _misread(statement, spec, arguments):
            yield self.finding(
                line,
                f'"{spec.name}": a value {problem.message}',
                advice="write a plain number",
                span=problem.word.span if problem.word else line.span,
                severity=Severity.WARNING,
            )

    def _refused(self, statement: Statement, spec: KeywordSpec, problem: WordProblem) -> Finding:
        name = spec.name.removesuffix("*")
        joint = " " if problem.message.startswith(("needs", "takes")) else ": "
        return self.finding(
            statement.line,
            f'"{name}"{joint}{problem.message}',
            advice="correct the value; HAProxy does not start with it",
            span=statement.line.span if problem.word is None else problem.word.span,
        )


def _is_effective(statement: Statement, spec: KeywordSpec) -> bool:
    if spec.removed is not None or not spec.known_in(statement.version):
        return False
    return spec.placement(statement.section.kind) in (Placement.ALLOWED, Placement.NAMED_ONLY)


def _form_problems(
    statement: Statement, spec: KeywordSpec, arguments: list[Word]
) -> Iterator[WordProblem]:
    line = statement.line
    if line.keyword in _SERVERS:
        yield from server_problems(parse_server(line))
    elif line.keyword in ("bind", "default-bind") or spec.name == "stats socket":
        yield from bind_problems(parse_bind(line))
    else:
        yield from value_problems(spec, arguments)


def _misread(
    statement: Statement, spec: KeywordSpec, arguments: list[Word]
) -> Iterator[WordProblem]:
    if statement.line.keyword in _SERVERS:
        yield from misread_server_numbers(parse_server(statement.line))
    else:
        yield from misread_numbers(spec, arguments)
