from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.syntax.listen_amends import (
    ServerSockets,
    http2_edits,
    parameter,
    parameter_removed,
)
from gwlint.rules.syntax.obsolete import ASSUMED, LISTEN_PARAMETERS, OBSOLETE, Obsolete, Remedy
from gwlint.rules.syntax.places import known_directives
from gwlint.syntax.nginx.amend import removed, replaced
from gwlint.syntax.nginx.tree import Directive, Word
from gwlint.syntax.values.whole_numbers import whole_number

PLAIN_PORT = 80


class RemovedOrDeprecated(NginxRule):
    """The directive or parameter is one that nginx has given up, or will.

    ## Problem
    nginx first warns about a directive that has had its day, then ignores it, and refuses it some
    versions later: `ssl on`, `limit_zone`, `listen ... http2`, `listen ... spdy`, `http2_push`.

    ## Why
    Measured: nginx 1.31.3 does not start with `ssl on` (unknown directive since 1.25.1), and warns
    of `listen ... http2`; 1.22.1 and 1.31.3 refuse `listen ... spdy` and `limit_zone`. An update
    of the package then takes the site down at the next restart.

    ## In the log
    `[emerg] unknown directive "ssl" in ...`, `[warn] the "listen ... http2" directive is
    deprecated, use the "http2" directive instead in ...`, `[warn] the "http2_push" directive is
    obsolete, ignored in ...`.

    ## Silent when
    The target version is older than the change. Without a target, 1.18 is assumed: what changed
    later is info only.

    ## Fix safety
    Safe: it says the same in the way that the target knows, or takes away what has no effect.
    There is no fix when the version is not known and older ones would not understand it (`http2
    on` before 1.25.1), when `ssl on` stands beside a port 80, when the directive is shared by
    servers that it would suit differently, or for http2 in a fragment, whose addresses other
    servers may share.

    ## Versions
    Each directive has the version that took it away or warns of it. Without a target, 1.18 is
    assumed: what changed later is info, and says from which version on it holds.

    ## Learnt
    `listen ... http2` holds for every server of the address, `http2 on` for its own server only.

    ## References
    - https://nginx.org/en/CHANGES
    - https://nginx.org/en/docs/http/ngx_http_v2_module.html#http2
    - https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl
    """

    code = "NGX005"
    name = "removed-or-deprecated"
    severity = Severity.ERROR
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 443;
                    ssl on;
                    ssl_certificate /etc/ssl/site.pem;
                    ssl_certificate_key /etc/ssl/site.key;
                }
            }
            """,
            target="1.28.0",
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 443 ssl http2;
                    listen [::]:443 ssl http2;
                    ssl_certificate /etc/ssl/site.pem;
                    ssl_certificate_key /etc/ssl/site.key;
                    http2_push_preload on;
                }
            }
            """,
            target="1.28.0",
        ),
        Example.nginx(
            """
            events {}
            http {
                limit_zone perip $binary_remote_addr 10m;
                server {
                    listen 8080;
                    location / {
                        satisfy_any on;
                        proxy_redirect_errors on;
                    }
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
                    listen 443 ssl;
                    http2 on;
                    ssl_certificate /etc/ssl/site.pem;
                    ssl_certificate_key /etc/ssl/site.key;
                }
            }
            """,
            target="1.28.0",
        ),
        Example.nginx(
            """
            events {}
            http {
                limit_conn_zone $binary_remote_addr zone=perip:10m;
                server {
                    listen 443 ssl http2;
                    ssl_certificate /etc/ssl/site.pem;
                    ssl_certificate_key /etc/ssl/site.key;
                }
            }
            """,
            target="1.24.0",
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        sockets = ServerSockets(config)
        for context, directive in known_directives(config):
            fact = OBSOLETE.get(directive.name)
            if fact is not None:
                fixes = self._directive_edits(config, sockets, context, directive, fact)
                yield from self._judge(config, directive, directive.words[0], fact, fixes)
            elif directive.name == "listen" and context.kind == "http server":
                yield from self._listen(config, sockets, context, directive)

    def _listen(
        self, config: NginxConfig, sockets: ServerSockets, context: Context, directive: Directive
    ) -> Iterator[Finding]:
        for name, fact in LISTEN_PARAMETERS.items():
            word = parameter(directive, name)
            if word is None:
                continue
            edits: tuple[Edit, ...] | None = None
            if name == "spdy":
                edits = (parameter_removed(directive, word),)
            elif name == "http3" and config.is_at_least(fact.warned):
                edits = (replaced(word, fact.instead),)
            elif name == "http2" and config.is_at_least(fact.warned):
                edits = http2_edits(sockets, context)
            yield from self._judge(config, directive, word, fact, edits)

    def _judge(
        self,
        config: NginxConfig,
        directive: Directive,
        word: Word,
        fact: Obsolete,
        edits: tuple[Edit, ...] | None,
    ) -> Iterator[Finding]:
        what = f'"{word.value}"' if word is directive.words[0] else f'"listen ... {word.value}"'
        state = "has no effect" if fact.remedy is Remedy.REMOVE else "is deprecated"
        version = ASSUMED if config.target is None else config.target
        if fact.is_refused(version):
            severity = Severity.ERROR
            message = f"{what} is refused by nginx {fact.refused} and newer"
        elif fact.is_warned(version):
            later = f", and refused from {fact.refused} on" if fact.refused else ""
            severity = Severity.WARNING
            message = f"{what} {state} from nginx {fact.warned} on{later}"
        elif config.target is None:
            severity = Severity.INFO
            message = f"{what} {state} from nginx {fact.warned} on"
        else:
            return
        advice = f"use {fact.instead}" if fact.instead else "remove it"
        title = f"replace {what}" if fact.instead else f"remove {what}"
        yield self.finding(
            directive,
            message,
            advice=advice,
            span=word.span,
            severity=severity,
            fix=Fix(title, Safety.SAFE, edits) if edits else None,
        )

    def _directive_edits(
        self,
        config: NginxConfig,
        sockets: ServerSockets,
        context: Context,
        directive: Directive,
        fact: Obsolete,
    ) -> tuple[Edit, ...] | None:
        """What puts the directive right; None when that takes a decision."""
        version = ASSUMED if config.target is None else config.target
        name, values = directive.name, directive.values
        if fact.remedy is Remedy.REMOVE:
            # Before it was ignored it did something.
            return (removed(directive),) if fact.is_warned(version) else None
        if fact.remedy is Remedy.RENAME:
            is_free = not context.own(fact.instead)
            return (replaced(directive.words[0], fact.instead),) if is_free else None
        if name == "limit_zone" and len(values) == 3:
            zone, key, size = (word.span.text for word in directive.arguments)
            return (
                replaced(directive.words[0], fact.instead),
                replaced(directive.arguments[0], key),
                replaced(directive.arguments[1], f"zone={zone}:{size}"),
                parameter_removed(directive, directive.arguments[2]),
            )
        if name == "satisfy_any" and len(values) == 1 and not context.own("satisfy"):
            word = "any" if values[0] == "on" else "all"
            return replaced(directive.words[0], "satisfy"), replaced(directive.arguments[0], word)
        if name == "ssl" and len(config.contexts_of(directive)) == 1:
            return _ssl_edits(config, sockets, context, directive)
        return None


def _ssl_edits(
    config: NginxConfig, sockets: ServerSockets, server: Context, directive: Directive
) -> tuple[Edit, ...] | None:
    """`ssl on` becomes `listen ... ssl`; `ssl off` goes where no outer level says otherwise."""
    around = server.parent
    if server.kind != "http server" or around is None:
        return None
    if directive.values == ["off"]:
        return None if around.own("ssl") or not around.is_complete else (removed(directive),)
    edits: list[Edit] = []
    listens = server.own("listen")
    if directive.values != ["on"] or not listens or not server.is_complete:
        return None
    for listen in listens:
        if not listen.arguments or "quic" in listen.values or "ssl" in listen.values[1:]:
            continue
        others = sockets.without(listen, "ssl")
        if others or _is_plain(listen) or len(config.contexts_of(listen)) > 1:
            return None
        edits.append(Edit.insert(listen.source, listen.arguments[0].end, " ssl"))
    return (removed(directive), *edits)


def _is_plain(listen: Directive) -> bool:
    """Whether browsers would expect plain text at the address."""
    last = listen.values[0].rpartition(":")[2]
    return not last.isdecimal() or whole_number(last) == PLAIN_PORT
