from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.syntax.places import context_name, known_directives
from gwlint.syntax.nginx.directives import ANY_CONTEXT, lookup


class DirectiveNotAllowedHere(NginxRule):
    """The directive exists, but may not stand in this block.

    ## Problem
    Each directive belongs to certain blocks. `proxy_pass` straight in `server` is refused.

    ## Why
    nginx refuses the whole configuration: it does not start, and a reload keeps the old one.

    ## In the log
    `[emerg] "proxy_pass" directive is not allowed here in ...`

    ## Silent when
    The block itself is unknown or misplaced; braces do not balance, so that it is not certain in
    which block the directive stands.

    ## Fix safety
    None: into which block it should go is the author's decision.

    ## Learnt
    A block in the wrong place makes all that it holds look wrong; only the block is reported.

    ## References
    - https://nginx.org/en/docs/dirindex.html ("Context" of each directive)
    """

    code = "NGX003"
    name = "directive-not-allowed-here"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    proxy_pass http://127.0.0.1:3000;
                }
            }
            """
        ),
        Example.nginx("events {}\nserver { listen 8080; }\nhttp { }\n"),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        if config.has_broken_blocks:
            return
        for context, directive in known_directives(config):
            spec = lookup(directive.name)
            if spec is None or spec.allowed_in(context.kind):
                continue
            homes = [context_name(kind) for kind in sorted(spec.contexts - {ANY_CONTEXT})]
            related: tuple[Label, ...] = ()
            if context.directive is not None:
                related = (Label(context.directive.span, "the block it stands in"),)
            yield self.finding(
                directive,
                f'"{directive.name}" is not allowed in {context_name(context.kind)};'
                f" it belongs in {_either(homes)}",
                advice=f"move it into {_either(homes)}",
                span=directive.words[0].span,
                related=related,
            )


def _either(names: list[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} or {names[-1]}"
