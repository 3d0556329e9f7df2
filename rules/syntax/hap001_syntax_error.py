from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.syntax.statements import problem_line, section_meant
from gwlint.source import Place

_ADVICE = {
    "unmatched-quote": "close the quote before the end of the line",
    "invalid-escape": "write \\x with two hexadecimal digits, or \\\\ for a backslash",
    "invalid-variable": "write \\$ for a dollar sign inside double quotes",
    "invalid-expansion": "write ${NAME}, ${NAME-default} or ${NAME[*]}",
    "unmatched-brace": "close the brace, ${NAME}",
    "too-many-words": "spread the statement over several lines, or quote what is one value",
    "carriage-return": "remove the carriage return, or end the line with CR LF",
    "invalid-scope": "write [name] alone on its line, or quote the bracket",
    "outside-section": "begin the file with a section, such as global or defaults",
    "unknown-directive": "write .if, .elif, .else, .endif, .notice, .warning, .alert or .diag",
    "directive-argument": "put the text in quotes, or remove it",
    "lone-condition": "remove it, or add the .if it belongs to",
    "condition-after-else": "put .else last in its block",
    "unterminated-condition": "add .endif",
    "too-deep-condition": "join conditions with && instead of nesting blocks",
    "invalid-modifier": "remove it: it stands only before option, log and a few global switches",
}


class SyntaxError(HaproxyRule):
    """HAProxy cannot read the line.

    ## Problem
    A quote, a brace or an `.if` block is not closed, a line has more than 64 words, a statement
    stands before the first section, or `no` stands where it has no meaning.

    ## Why
    HAProxy refuses the whole configuration: it does not start, and a reload keeps the old one.
    Only a bare carriage return is no error to it: the rest of that line is dropped in silence
    (measured on 2.6 and 2.8), which is a warning here.

    ## In the log
    `[ALERT] parsing [haproxy.cfg:7]: unmatched quote at position 28`,
    `[ALERT] parsing [haproxy.cfg:9]: non-terminated '.if' block`.

    ## Silent when
    The file is a template, or the word before the first section is a misspelt section (HAP002).
    Directives inside of an `.if` block that may never be taken are not judged.

    ## Fix safety
    None: where a quote or an `.endif` belongs is a guess.

    ## Learnt
    One finding in published files, and right.

    ## References
    - HAProxy configuration manual, sections 2.2 to 2.4
    """

    code = "HAP001"
    name = "syntax-error"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            frontend web
                bind :8080
                http-request set-header X-App "one
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            .if defined(DEBUG)
                log stdout format raw local0
            """
        ),
        Example.haproxy(
            """
            maxconn 1000
            global
                maxconn 2000
            """
        ),
        Example.haproxy(
            """
            backend app
                no server s1 10.0.0.1:80
            """
        ),
        Example.haproxy("backend app\n    server s1 10.0.0.1:80\rcheck\n"),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                no option httplog
            .if defined(DEBUG)
                log stdout format raw local0
            .endif
            frontend web
                bind :8080
                http-request set-header X-App "one \\"two\\" ${HOME}"
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for tree in config.trees:
            for problem in tree.errors:
                advice = _ADVICE.get(problem.kind)
                if advice is None:
                    continue
                if problem.kind == "outside-section":
                    line = problem_line(tree, problem)
                    if line is not None and section_meant(line) is not None:
                        continue
                source = problem.span.source
                place = source.line_span(source.line_of(problem.span.start))
                is_silent = problem.kind == "carriage-return"
                yield self.finding(
                    Place(place),
                    problem.message,
                    advice=advice,
                    span=problem.span,
                    severity=Severity.WARNING if is_silent else Severity.ERROR,
                )
