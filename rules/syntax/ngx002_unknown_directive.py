from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.syntax.obsolete import OBSOLETE
from gwlint.rules.syntax.places import Damage, known_directives
from gwlint.syntax.nginx.amend import replaced
from gwlint.syntax.nginx.directives import check_arguments, lookup, suggest
from gwlint.syntax.nginx.tree import Directive

_KNOWN_MODULE = re.compile(
    r"(?:ndk|ngx)_(?:mail|stream|"
    r"http_(?:auth_pam|brotli_filter|brotli_static|cache_purge|dav_ext|echo|fancyindex|geoip2?"
    r"|headers_more_filter|image_filter|js|lua|modsecurity|perl|subs_filter|uploadprogress"
    r"|upstream_fair|vhost_traffic_status|xslt_filter|naxsi)|http"
    r"|stream_(?:geoip2?|js)|nchan|otel|rtmp)_module(?:-debug)?\.so"
)
"""Files of modules whose directives are in the table."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


MOST_SUGGESTIONS = 500
"""How many unknown names are compared with the known ones, half a millisecond each. So many
different ones are no typing mistakes."""


class UnknownDirective(NginxRule):
    """No nginx module has a directive of this name.

    ## Problem
    The name is misspelt, or belongs to a module that gwlint does not know.

    ## Why
    nginx refuses the whole configuration: it does not start, and a reload keeps the old one.

    ## In the log
    `[emerg] unknown directive "proxy_pas" in ...`

    ## Silent when
    The directive stands in a block of an unknown module or in a block of data; the configuration
    loads a module that gwlint does not know, and the name is near no known one; the file is a
    fragment that fits nowhere.

    ## Fix safety
    Safe: with the name as it is, nginx does not start. There is a fix only when one known name is
    near and a directive of that name may stand here with these arguments.

    ## Learnt
    Names that are near nothing are third-party directives more often than faults, so they are
    warnings. A near name counts only when that directive may stand here with these arguments.

    ## References
    - https://nginx.org/en/docs/dirindex.html
    """

    code = "NGX002"
    name = "unknown-directive"
    severity = Severity.ERROR
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pas http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
        Example.nginx("events {}\nhttp { servr { listen 8080; } }\n"),
        Example.nginx("events {}\nhttp { frobnicate on; }\n"),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                map $uri $page {
                    proxy_pas yes;
                }
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
        damage = config.once(Damage)
        may_be_foreign = any(
            not _KNOWN_MODULE.fullmatch(directive.values[0].rpartition("/")[2])
            for _, directive in config.find("load_module")
            if directive.values
        )
        near: dict[tuple[str, str], str | None] = {}
        for context, directive in known_directives(config):
            if lookup(directive.name) is not None or damage.touches(directive):
                continue
            # Known, but no longer to nginx: the business of removed-or-deprecated.
            if directive.name in OBSOLETE:
                continue
            key = directive.name, context.kind
            if key not in near:
                near[key] = suggest(*key) if len(near) < MOST_SUGGESTIONS else None
            meant = near[key]
            if meant is not None and _fits(meant, context.kind, directive):
                yield self._misspelt(directive, meant)
            elif not may_be_foreign:
                yield self._unknown(directive)

    def _misspelt(self, directive: Directive, meant: str) -> Finding:
        return self.finding(
            directive,
            f'nginx has no directive "{directive.name}"; did you mean "{meant}"?',
            advice=f"write {meant}",
            span=directive.words[0].span,
            fix=Fix(f"write {meant}", Safety.SAFE, (replaced(directive.words[0], meant),)),
        )

    def _unknown(self, directive: Directive) -> Finding:
        name = directive.name
        if _NAME.fullmatch(name):
            message = (
                f'no module that gwlint knows has a directive "{name}";'
                " without its module, nginx does not start"
            )
            advice = "load the module it belongs to, or remove it"
        else:
            message = f'"{name}" is not the name of a directive, so nginx does not start'
            advice = "remove it, or write it as a comment"
        return self.finding(
            directive,
            message,
            advice=advice,
            span=directive.words[0].span,
            severity=Severity.WARNING,
        )


def _fits(name: str, context: str, directive: Directive) -> bool:
    """Whether a directive of that name may stand here with these arguments."""
    spec = lookup(name)
    form = None if spec is None else spec.form(context)
    if spec is None or form is None:
        return False
    has_block = directive.block is not None
    right_end = form.block is None or form.block == has_block
    return right_end and check_arguments(spec, context, directive.values) is None
