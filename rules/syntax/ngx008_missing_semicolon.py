from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.source import Place, Span
from gwlint.syntax.nginx.directives import check_arguments, lookup
from gwlint.syntax.nginx.tree import Directive, NginxFile

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class MissingSemicolon(NginxRule):
    """A directive has no `;`, so nginx takes the next line for more of its arguments.

    ## Problem
    Without the semicolon the directive goes on into the next line, a `}` or the end of the file.

    ## Why
    Mostly nginx refuses the configuration, naming the line of the next semicolon. Where the
    directive takes any number of arguments, nginx says nothing: the swallowed directive never
    takes effect.

    ## In the log
    `[emerg] invalid number of arguments in "root" directive in ...`,
    `[emerg] unexpected "}" in ...`, or nothing.

    ## Silent when
    The next word is no directive, or is indented deeper, as arguments on lines of their own are;
    what lacks the semicolon is no directive itself, such as "..." (NGX002).

    ## Fix safety
    Safe where nginx refuses the file as it is. Unsafe where it accepts it, since the directive that
    was swallowed then begins to work.

    ## Learnt
    8 of 22 findings in published files read, all right: they stand in examples of manuals, most
    behind an `include`.

    ## References
    - https://nginx.org/en/docs/beginners_guide.html#conf_structure
    """

    code = "NGX008"
    name = "missing-semicolon"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    root /srv/www
                    index index.html;
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    index index.html
                    root /srv/www;
                }
            }
            """
        ),
        Example.nginx("events {}\nhttp { server { listen 8080 } }\n"),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    index
                        index.html
                        root;
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        accepted = _accepted_by_nginx(config)
        no_directives = _last_words_of_no_directives(config)
        for file in config.root.files:
            if not isinstance(file.tree, NginxFile):
                continue
            for problem in file.tree.errors:
                if problem.kind == "missing-semicolon" and problem.span not in no_directives:
                    yield self._missing(problem.span, problem.message, accepted)

    def _missing(self, word: Span, message: str, accepted: dict[Span, Directive]) -> Finding:
        source = word.source
        edit = Edit.insert(source, word.end, ";")
        line = source.line_span(source.line_of(word.start))
        swallowed = accepted.get(word)
        if swallowed is None:
            return self.finding(
                Place(line),
                message,
                advice="end the directive with ;",
                span=word,
                fix=Fix("end the directive with ;", Safety.SAFE, (edit,)),
            )
        return self.finding(
            Place(line),
            f'there is no ";" here, so "{swallowed.name}" of the next line is read as an argument'
            " and has no effect; nginx does not complain",
            advice="end the directive with ;",
            span=word,
            severity=Severity.WARNING,
            fix=Fix("end the directive with ;", Safety.UNSAFE, (edit,)),
        )


def _last_words_of_no_directives(config: NginxConfig) -> set[Span]:
    """Where text that cannot be a directive ends, such as "..."."""
    return {
        directive.words[-1].span
        for context in config.main.descendants()
        for directive in context.directives
        if directive.words and not directive.is_entry and not _NAME.fullmatch(directive.name)
    }


def _accepted_by_nginx(config: NginxConfig) -> dict[Span, Directive]:
    """Last word of a directive without `;` -> the one it swallows, where nginx takes both."""
    found: dict[Span, Directive] = {}
    for context in config.main.descendants():
        for directive, following in zip(context.directives, context.directives[1:], strict=False):
            if directive.is_entry or not directive.words or directive.block is not None:
                continue
            last = directive.words[-1]
            if directive.end != last.end or following.source is not directive.source:
                continue
            spec = lookup(directive.name)
            values = [*directive.values, following.name, *following.values]
            if (
                spec is not None
                and following.block is None
                and following.end != following.span.end
                and spec.form(context.kind) is not None
                and check_arguments(spec, context.kind, values) is None
            ):
                found[last.span] = following
    return found
