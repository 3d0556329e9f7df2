from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.syntax.nginx.amend import replaced

_SETTERS = ("proxy_set_header", "grpc_set_header")
_SPELLINGS = frozenset({"$http_host", "${http_host}"})


class HostFromClient(NginxRule):
    """The application gets a Host that the client wrote, not the one that chose the server.

    ## Problem
    `proxy_set_header Host $http_host` passes on the header as it came.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: for `GET http://good.example/ HTTP/1.1` with
    Host: evil.example nginx chose the server good.example, and the application got evil.example;
    with `$host` it got good.example. An application that builds links from Host puts the wrong name
    into mails and caches.

    ## In the log
    Nothing: `$host` shows the name that nginx used.

    ## Silent when
    The value is another one, such as `$host` or a name.

    ## Fix safety
    Writes `$host`. Unsafe: it has no port, so that an application on another port than 80 and 443
    builds links without it; `$host:$server_port` has one.

    ## Versions
    Below nginx 1.29.4 only. Without a target an older version is assumed.

    ## Learnt
    Many manuals of applications show `$http_host`, for the port's sake.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#var_host
    """

    code = "NGX804"
    name = "host-from-client"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_set_header Host $http_host;
                        proxy_pass http://127.0.0.1:3000;
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
                        proxy_set_header Host $host;
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        seen: set[int] = set()
        for _, directive in config.find(*_SETTERS):
            values = directive.values
            if id(directive) in seen or len(values) != 2 or values[0].lower() != "host":
                continue
            seen.add(id(directive))
            if values[1] in _SPELLINGS:
                word = directive.words[2]
                yield self.finding(
                    directive,
                    "the application gets the Host header as the client wrote it, which need not be"
                    " the name that chose this server",
                    advice="use $host, or $host:$server_port where the port matters",
                    span=word.span,
                    fix=Fix(
                        "pass the name that nginx used", Safety.UNSAFE, (replaced(word, "$host"),)
                    ),
                )
