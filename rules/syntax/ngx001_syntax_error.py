from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.syntax.places import (
    Damage,
    ends_wrongly,
    known_directives,
    quantifier_braces,
)
from gwlint.source import Place, Span
from gwlint.syntax.nginx.tree import BLANKS, Directive, NginxFile
from gwlint.syntax.problem import SyntaxProblem

_ADVICE = {
    "bom": "save the file as UTF-8 without a byte order mark",
    "too-long": "split the value; nginx reads words of at most 4095 bytes",
    "open-quote": "close the quote before the end of the line",
    "after-quote": "put a blank or ; after the closing quote, or quote the whole value",
    "open-block": "add the closing }",
    "too-deep": "write it with fewer levels",
    "stray": "remove it, or find the { that is missing above",
}

_MOST_IN_A_FILE = 100
"""nginx stops at the first; after so many, a file is no configuration and more would not help."""

_OF_BRACES = frozenset({"open-block", "stray"})


class SyntaxError(NginxRule):
    """The file does not parse.

    ## Problem
    A quote or a block is not closed, a `}` or `;` stands where none may, a block directive has no
    block, a regular expression with braces has no quotes, so that nginx sees a block there, or an
    include leads back to a file that is being read.

    ## Why
    nginx reads nothing of a configuration with a syntax error: it does not start, and a reload
    keeps the old configuration. nginx names the place where it noticed, for a missing brace the
    end of the file; gwlint compares braces with the indentation to find where it is missing. On
    includes that go in a circle nginx 1.22.1 ends with a segmentation fault (measured).

    ## In the log
    `[emerg] unexpected "}" in ...`, `[emerg] unexpected end of file, expecting "}" in ...`,
    `[emerg] directive "server" has no opening "{" in ...`.

    ## Silent when
    The file is a template. A missing semicolon is NGX008.

    ## Fix safety
    None: where a brace or quote belongs is a guess.

    ## Learnt
    Files whose braces do not balance are mostly well indented, so that the block which was left
    open can be told although the error shows only at the end. Many others have a regular
    expression with `{4}` and without quotes.

    ## References
    - https://nginx.org/en/docs/beginners_guide.html#conf_structure
    """

    code = "NGX001"
    name = "syntax-error"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        return 200;
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
                    add_header X-App "one;
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
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    location ~ ^/[0-9]{4}$ {
                        return 200;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events;
            http {
            }
            """
        ),
        Example(
            {
                "nginx.conf": "events {}\nhttp { include sites/*.conf; }\n",
                "sites/a.conf": "include sites/b.conf;\n",
                "sites/b.conf": "include sites/a.conf;\n",
            }
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        add_header X-App "one { two";
                        return 200 ok};
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for file in config.root.files:
            if isinstance(file.tree, NginxFile) and file.tree.errors:
                yield from islice(self._problems(file.tree), _MOST_IN_A_FILE)
        yield from self._blocks(config)
        yield from self._cycles(config)

    def _cycles(self, config: NginxConfig) -> Iterator[Finding]:
        for _, include in config.includes:
            if include.problem == "cycle":
                yield self.finding(
                    include.directive,
                    f'"{include.pattern}" leads back to a file that is being read, so nginx reads'
                    " without end and does not start",
                    advice="take this include, or the one that leads here, away",
                    span=include.directive.words[1].span,
                )

    def _problems(self, tree: NginxFile) -> Iterator[Finding]:
        braces = quantifier_braces(tree)
        for brace in _first_of_each_line(tree, braces):
            yield self._quantifier(Span(tree.source, brace, brace + 1))
        unclosed = {
            directive.block.open: directive
            for directive in tree.walk()
            if directive.block is not None and directive.block.close is None
        }
        for problem in tree.errors:
            # After such a brace, the others cannot be told to be right or wrong.
            if problem.kind == "missing-semicolon" or (braces and problem.kind in _OF_BRACES):
                continue
            directive = unclosed.get(problem.span.start)
            if problem.kind == "open-block" and directive is not None:
                yield self._open_block(directive)
            else:
                yield self._other(problem)

    def _quantifier(self, brace: Span) -> Finding:
        source = brace.source
        return self.finding(
            Place(source.line_span(source.line_of(brace.start))),
            'this "{" begins a block, since the regular expression around it is not quoted',
            advice='put the regular expression into "quotes"',
            span=brace,
        )

    def _other(self, problem: SyntaxProblem) -> Finding:
        source = problem.span.source
        line = source.line_span(source.line_of(problem.span.start))
        return self.finding(
            Place(line), problem.message, advice=_ADVICE[problem.kind], span=problem.span
        )

    def _open_block(self, directive: Directive) -> Finding:
        end = _last_content(directive)
        line = end.begin_position.line
        at_end = directive.full_span.end >= len(directive.source.data)
        where = "at the end of the file" if at_end else f"after line {line}"
        return self.finding(
            directive,
            f'the block of "{directive.name}" is not closed; a "}}" is probably missing {where}',
            advice=f'close the block with "}}" {where}',
            span=directive.words[0].span if directive.words else directive.span,
            related=(Label(end, 'a "}" is probably missing after this'),),
        )

    def _blocks(self, config: NginxConfig) -> Iterator[Finding]:
        """Directives with a block that take none, and without one that need it."""
        damage = config.once(Damage)
        for context, directive in known_directives(config):
            if not ends_wrongly(directive, context) or damage.touches(directive):
                continue
            if directive.block is not None:
                yield self.finding(
                    directive,
                    f'"{directive.name}" has no block, so nginx expects ";" and not "{{"',
                    advice=f'end "{directive.name}" with ;',
                )
            else:
                yield self.finding(
                    directive,
                    f'"{directive.name}" has no block: nginx expects "{{" after it',
                    advice=f"give {directive.name} a block, {directive.name} ... {{ }}",
                )


def _first_of_each_line(tree: NginxFile, offsets: list[int]) -> list[int]:
    lines: dict[int, int] = {}
    for offset in sorted(offsets):
        lines.setdefault(tree.source.line_of(offset), offset)
    return list(lines.values())


def _last_content(directive: Directive) -> Span:
    """The last byte before the place where the block was taken to end."""
    source = directive.source
    assert directive.block is not None
    end = max(
        len(source.data[: directive.block.end].rstrip(BLANKS)),
        directive.block.open + 1,
    )
    return Span(source, end - 1, end)
