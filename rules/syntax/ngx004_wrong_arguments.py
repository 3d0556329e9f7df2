from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.syntax.places import Damage, ends_wrongly, known_directives
from gwlint.syntax.nginx.directives import check_arguments, lookup


class WrongArguments(NginxRule):
    """The directive has too many or too few arguments, or one of the wrong form.

    ## Problem
    A flag is neither on nor off, a size or time has an unknown unit, a number lies out of range, or
    the count of arguments does not fit.

    ## Why
    nginx refuses the whole configuration: it does not start, and a reload keeps the old one.

    ## In the log
    `[emerg] invalid number of arguments in "proxy_pass" directive in ...`,
    `[emerg] "proxy_read_timeout" directive invalid value in ...`,
    `[emerg] invalid value "yes" in "gzip" directive, it must be "on" or "off" in ...`.

    ## Silent when
    The directive is unknown or misplaced; one version of nginx, or one module, would take the
    arguments; a syntax error makes it doubtful which words belong to it.

    ## Fix safety
    None: the value that was meant is not known.

    ## Learnt
    A count that is wrong by several words is mostly a missing `;` in the line before (NGX008).

    ## References
    - https://nginx.org/en/docs/syntax.html
    """

    code = "NGX004"
    name = "wrong-arguments"
    severity = Severity.ERROR
    bad = (
        Example.nginx("events {}\nhttp { proxy_read_timeout 60sec; }\n"),
        Example.nginx("events {}\nhttp { gzip yes; }\n"),
        Example.nginx("events {}\nhttp { proxy_buffers 8; }\n"),
        Example.nginx("events {}\nhttp { client_max_body_size 10mb; }\n"),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                gzip on;
                proxy_read_timeout 1m30s;
                proxy_buffers 8 8k;
                client_max_body_size 10m;
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        damage = config.once(Damage)
        doubtful = config.has_broken_blocks
        for context, directive in known_directives(config):
            spec = lookup(directive.name)
            if spec is None or damage.touches(directive):
                continue
            # Where braces do not balance, a directive may stand in another block than it seems.
            kind = None if doubtful else context.kind
            if ends_wrongly(directive, context):
                continue
            problem = check_arguments(spec, kind, directive.values)
            if problem is None:
                continue
            index = problem.index
            yield self.finding(
                directive,
                f'"{directive.name}" {problem.message}'
                if index is None
                else f'"{directive.name}": {problem.message}',
                advice="see the syntax of the directive in the documentation",
                span=directive.span if index is None else directive.arguments[index].span,
            )
