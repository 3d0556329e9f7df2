from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.security.request_values import Part, RequestValues
from gwlint.syntax.nginx.tree import Directive, Word

_HEADERS = ("add_header", "add_trailer", "proxy_set_header", "grpc_set_header")
_REDIRECTS = frozenset({"301", "302", "303", "307", "308"})
_PATH = re.compile(r"(?:[/?]|\$\{?(?:document_)?uri\b).*", re.DOTALL)
_ABSOLUTE = ("http://", "https://", "$scheme")


class ResponseSplitting(NginxRule):
    """A client writes headers of its own with %0d%0a in the path.

    ## Problem
    `$uri`, `$document_uri` or a capture that takes line ends stands in a header or in the
    destination of a redirect. nginx has decoded them.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: GET /x%0d%0aX-Injected:%20yes got a header X-Injected from
    `return 301 https://host$uri`, from `rewrite ^ https://host$uri` and from `add_header`; and with
    `proxy_set_header` or `proxy_pass http://app$uri` the application got it. With `$request_uri` it
    stayed encoded. A capture `[^/]*` takes line ends, `.*` does not; in `rewrite` captures are
    encoded again.

    ## In the log
    `"GET /x%0d%0aX-Injected:%20yes HTTP/1.1" 301`

    ## Silent when
    The value is `$request_uri`, an argument or a header, which are not decoded; the capture, or the
    path that the location takes, cannot hold a line end; `return` sends a text; the value is known
    from `map` or `set`; an `if` or `rewrite` of the same level may have made the capture.

    ## Fix safety
    None: `$request_uri` has the arguments too, and a path that was rewritten does not come back.

    ## Learnt
    Redirects to https are where it stands: `return 301 https://$host$uri`.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#var_uri
    - CWE-113
    """

    code = "NGX803"
    name = "response-splitting"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    return 301 https://www.example.com$uri;
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
                    location ~ ^/old/([^/]*)$ {
                        add_header X-Page $1;
                        root /srv;
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
                    listen 8080;
                    location / {
                        return 301 https://www.example.com$request_uri;
                    }
                    location ~ ^/old/(.*)$ {
                        return 301 /new/$1;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        values = RequestValues(config)
        for context, directive, word, text, what in _places(config):
            for part in values.parts(text, context):
                if part.admits_newlines:
                    yield self._found(directive, word, part, what)
                    break

    def _found(self, directive: Directive, word: Word, part: Part, what: str) -> Finding:
        return self.finding(
            directive,
            f"{part.shown} is decoded and may hold line ends, with which a client writes {what}",
            advice="use $request_uri, or a capture that takes no line ends"
            if part.group is None
            else "let the capture take no line ends: [^/\\r\\n]",
            span=word.span,
            related=tuple(Label(one.span, "the value comes from here") for one in part.through),
        )


def _places(config: NginxConfig) -> Iterator[tuple[Context, Directive, Word, str, str]]:
    """The words that get into a header or a request line: with the text of each that counts, and
    with what a client could write there."""
    mine, theirs = "headers of the answer", "headers of the request to the application"
    for context, directive in config.find("return"):
        words = directive.arguments
        if len(words) == 2 and words[0].value in _REDIRECTS:
            yield context, directive, words[1], words[1].value, mine
        elif len(words) == 1 and words[0].value.startswith(_ABSOLUTE):
            yield context, directive, words[0], words[0].value, mine
    for context, directive in config.find("rewrite"):
        if len(directive.words) > 2 and directive.values[1].startswith(_ABSOLUTE):
            # Captures are encoded again here, variables are not.
            text = re.sub(r"\$[0-9]", "", directive.values[1])
            yield context, directive, directive.words[2], text, mine
    for context, directive in config.find(*_HEADERS):
        if len(directive.words) > 2:
            what = mine if directive.name.startswith("add_") else theirs
            yield context, directive, directive.words[2], directive.values[1], what
    for route in config.passes:
        if route.family == "proxy" and route.is_http:
            # What stands in the host is a destination, not a part of the request line.
            path = _PATH.search(route.destination.authority + route.destination.uri)
            text = "" if path is None else path[0]
            yield route.context, route.directive, route.word, text, theirs
