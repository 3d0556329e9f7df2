from __future__ import annotations

from collections.abc import Hashable, Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.syntax.places import known_contexts
from gwlint.syntax.nginx.duplicates import is_single, is_single_with_same_arguments
from gwlint.syntax.nginx.tree import Directive
from gwlint.syntax.values.nginx_address import parse_listen_address
from gwlint.syntax.values.problem import ValueProblem

_SINGLE_BLOCKS = frozenset({"events", "http", "stream", "mail", "limit_except"})
_ROOTS = frozenset({"root", "alias"})


class DuplicateDirective(NginxRule):
    """The directive stands twice in one block, which nginx refuses.

    ## Problem
    A directive with one value is written twice at the same level, includes counted in; or two
    locations of a block match the same path, two upstreams or log formats have the same name, or a
    server listens twice on one address.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: the configuration is refused, so nginx does not start, and
    a reload keeps the old one. At different levels the inner value counts, which is no fault.

    ## In the log
    `[emerg] "proxy_read_timeout" directive is duplicate in ...`,
    `[emerg] duplicate location "/" in ...`, `[emerg] duplicate upstream "app" in ...`,
    `[emerg] a duplicate listen 0.0.0.0:80 in ...`.

    ## Silent when
    The directive may be repeated (`add_header`, `server_name`, ...), or is none that was measured;
    braces do not balance, so that the level is not certain.

    ## Fix safety
    None: which of the two is meant is not known.

    ## Learnt
    Most duplicates come from an include that sets what the including block sets as well.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#location
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#upstream
    """

    code = "NGX007"
    name = "duplicate-directive"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    proxy_read_timeout 30s;
                    proxy_read_timeout 60s;
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
                    location /api { return 200; }
                    location ^~ /api { return 204; }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                upstream app { server 127.0.0.1:3000; }
                upstream App { server 127.0.0.1:3001; }
            }
            """
        ),
        Example.nginx("events {}\nhttp { server { listen 8080; listen *:8080; } }\n"),
        Example(
            {
                "nginx.conf": "events {}\nhttp {\n    gzip on;\n    include gzip.inc;\n}\n",
                "gzip.inc": "gzip off;\n",
            }
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                proxy_read_timeout 30s;
                add_header X-One 1;
                add_header X-Two 2;
                server {
                    listen 8080;
                    listen [::]:8080;
                    proxy_read_timeout 60s;
                    location /api { return 200; }
                    location = /api { return 204; }
                    location ~ /api$ { return 204; }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        if config.has_broken_blocks:
            return
        for context in known_contexts(config):
            seen: dict[tuple[str, Hashable], Directive] = {}
            for directive in context.directives:
                if directive.is_entry or not directive.words:
                    continue
                for key in _keys(directive, context):
                    earlier = seen.setdefault(key, directive)
                    if earlier is not directive:
                        yield self._duplicate(directive, earlier)
                        break

    def _duplicate(self, directive: Directive, earlier: Directive) -> Finding:
        line = earlier.span.begin_position.line
        place = f"line {line}"
        if earlier.source is not directive.source:
            place = f"{earlier.source.path} line {line}"
        return self.finding(
            directive,
            f"{_what(directive, earlier)} is a duplicate of the one in {place};"
            " nginx refuses to start",
            advice="keep one of the two",
            related=(Label(earlier.span, "the first one"),),
        )


def _what(directive: Directive, earlier: Directive) -> str:
    if directive.name != earlier.name:
        return f'"{directive.name}" beside "{earlier.name}"'
    if directive.name in ("location", "upstream", "log_format", "listen"):
        return f'{directive.name} "{_shortened(directive)}"'
    return f'"{directive.name}"'


def _shortened(directive: Directive) -> str:
    values = directive.values if directive.name == "location" else directive.values[:1]
    return " ".join(values)


def _keys(directive: Directive, context: Context) -> Iterator[tuple[str, Hashable]]:
    """What may be there only once in the block; two directives with a common key are duplicates."""
    name, kind, values = directive.name, context.kind, directive.values
    if directive.block is not None:
        if name in _SINGLE_BLOCKS:
            yield name, None
        elif name == "location":
            path = _location(values)
            if path is not None:
                yield name, path
        elif name == "upstream" and values:
            yield name, values[0].casefold()
        return
    if kind == "location" and name in _ROOTS:
        yield "root or alias", None
    elif name == "listen":
        address = _listen(directive)
        if address is not None and kind == "http server":
            yield name, address
    elif name == "log_format" and values:
        yield name, values[0]
    elif is_single(name, kind):
        yield name, None
    elif is_single_with_same_arguments(name, kind):
        yield name, tuple(values)


def _location(values: list[str]) -> tuple[bool, str] | None:
    """Whether the match is exact, and the path; None for regular expressions and names.

    `/a` and `^~ /a` are the same to nginx; a name that is repeated is not refused (measured).
    """
    if len(values) == 2:
        modifier, path = values
    elif len(values) == 1:
        path = values[0]
        modifier = next((sign for sign in ("=", "^~", "~", "@") if path.startswith(sign)), "")
        path = path[len(modifier) :]
    else:
        return None
    return (modifier == "=", path) if modifier in ("", "=", "^~") else None


def _listen(directive: Directive) -> Hashable:
    """What tells the listening sockets of one server apart; None when it cannot be read."""
    values = directive.values
    if not values:
        return None
    try:
        address = parse_listen_address(values[0])
    except ValueProblem:
        return None
    host = address.canonical_host or "0.0.0.0"
    return (address.path or host, address.port, address.port_end, "quic" in values[1:])
