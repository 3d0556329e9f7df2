from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.effective import Effective
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.protocol.inherited_lists import (
    MOST_REPEATED,
    is_alike,
    not_repeated,
    shown,
    written_in,
)
from gwlint.rules.protocol.levels import statement_text
from gwlint.syntax.nginx.amend import added_after
from gwlint.syntax.nginx.tree import Directive

_LISTS = ("add_header", "add_trailer")
_INHERIT_SINCE = "1.29.3"

_PROTECTING = frozenset(
    {
        "content-security-policy",
        "cross-origin-embedder-policy",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "permissions-policy",
        "referrer-policy",
        "strict-transport-security",
        "x-content-type-options",
        "x-frame-options",
        "x-robots-tag",
    }
)
"""What browsers and crawlers obey: losing one opens something."""
_CROSS_ORIGIN = "access-control-"
_LABELS = 3


class InheritedResponseHeadersLost(NginxRule):
    """One response header added in an inner block drops all that the outer block adds.

    ## Problem
    `add_header` is inherited only by a block that adds none itself; so is `add_trailer`.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: a location with `add_header X-Cache hit` answered without
    the Strict-Transport-Security header of the outer block. On 1.31.3 (1.29.3 and newer)
    `add_header_inherit merge` kept it.

    ## In the log
    Nothing.

    ## Silent when
    The inner block repeats all the headers; `add_header_inherit` is merge or off; `add_header ""`
    empties the list on purpose; `more_set_headers` sets the header; an `if` answers preflight
    requests (OPTIONS); a file that could not be read may repeat them. It is information where no
    header is lost that browsers obey.

    ## Fix safety
    Repeats the lost ones behind those of the inner block. Unsafe, since dropping them may have been
    intended. There is none for a file whose includers add different headers.

    ## Versions
    `add_header_inherit` came with nginx 1.29.3. Without a target the advice names the version.

    ## Versions
    `add_header_inherit` exists from nginx 1.29.3 on; without a target the advice names it so.

    ## Learnt
    Typical places are locations for static files, which add Cache-Control and lose all the headers
    that protect the site.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header
    - https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header_inherit
    """

    code = "NGX807"
    name = "inherited-response-headers-lost"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    root /srv;
                    add_header X-Frame-Options DENY always;
                    add_header X-Content-Type-Options nosniff always;
                    location /static/ {
                        add_header Cache-Control "public, max-age=3600";
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                add_trailer X-Hash $request_id;
                server {
                    listen 8080;
                    root /srv;
                    add_trailer X-Time $msec;
                }
            }
            """
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    root /srv;
                    add_header X-Frame-Options DENY always;
                    location /static/ {
                        add_header Cache-Control "public, max-age=3600";
                        add_header x-frame-options SAMEORIGIN always;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                add_header_inherit merge;
                server {
                    listen 8080;
                    root /srv;
                    add_header X-Frame-Options DENY always;
                    location /static/ {
                        add_header Cache-Control "public, max-age=3600";
                    }
                }
            }
            """,
            target="1.31.3",
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for name in _LISTS:
            levels = {id(context): context for context, _ in config.find(name)}
            for level in levels.values():
                if level.parent is None or not level.is_complete or _answers_preflights(level):
                    continue
                if level.effective(f"{name}_inherit").value in ("merge", "off"):
                    continue
                inner = level.effective(name)
                lost = _lost(inner, level.parent)
                if lost:
                    yield self._found(config, level, inner, lost)

    def _found(
        self, config: NginxConfig, level: Context, inner: Effective, lost: list[Directive]
    ) -> Finding:
        own = written_in(level, inner)
        statement = own[0] if own else level.directive or inner.directives[0]
        fix = None
        if (
            own
            and len(lost) < MOST_REPEATED
            and is_alike(config, level, lost, partial(_lost, inner))
        ):
            edit = added_after(own[-1], *map(statement_text, lost))
            fix = Fix("repeat what is lost", Safety.UNSAFE, (edit,))
        newer = "" if config.is_at_least(_INHERIT_SINCE) else f" (nginx {_INHERIT_SINCE} and newer)"
        return self.finding(
            statement,
            f"{inner.name} here drops what the outer block adds: {shown(lost)}",
            advice=f"repeat them here, or set '{inner.name}_inherit merge'{newer}",
            span=statement.words[0].span,
            severity=Severity.WARNING if any(map(_protects, lost)) else Severity.INFO,
            related=tuple(Label(one.span, "lost here") for one in lost[:_LABELS]),
            fix=fix,
        )


def _lost(inner: Effective, outside: Context) -> list[Directive]:
    """What the outer level adds and the inner one does not; nothing where that is intended."""
    if any(one.values[:1] == [""] for one in inner.directives):
        return []
    outer = outside.effective(inner.name).directives
    lost = not_repeated(inner, outer[:MOST_REPEATED], ignores_case=True)
    level = inner.context
    elsewhere = _set_by_another_module(level) if level is not None and lost else set()
    return [
        one
        for one in lost
        if one.values[0] and one.values[1] and one.values[0].lower() not in elsewhere
    ]


def _set_by_another_module(level: Context) -> set[str]:
    """The headers that `more_set_headers` sets at this level, in lower case."""
    return {
        value.partition(":")[0].strip().lower()
        for directive in level.effective("more_set_headers").directives
        for value in directive.values
    }


def _answers_preflights(level: Context) -> bool:
    """Whether it is an `if` for OPTIONS: nobody shows or keeps its answers."""
    directive = level.directive
    return directive is not None and directive.name == "if" and "OPTIONS" in directive.normalised


def _protects(directive: Directive) -> bool:
    name = directive.values[0].lower()
    return name in _PROTECTING or name.startswith(_CROSS_ORIGIN)
