from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.variables import Variables
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.addresses.variable_destinations import KnownHosts, certain_hosts
from gwlint.syntax.nginx.amend import added_after
from gwlint.syntax.nginx.tree import Directive

LIMIT = "10s"
"""nginx asks again after 5 s without an answer (src/core/ngx_resolver.c), so that one lost packet
costs no request."""


class ResolverTimeoutDefault(NginxRule):
    """A request waits 30 s for a name server that does not answer.

    ## Problem
    A destination with a variable is looked up when a request comes, and `resolver_timeout` is 30s
    unless set. While the name server is away, each request holds a connection for that long.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: with a name server that never answers, clients still had
    no answer after 5 s and gave up; with a short resolver_timeout they got a 502 in time.

    ## In the log
    `app.example could not be resolved (110: Operation timed out)` after 30 s, or only the clients
    that gave up: `client prematurely closed connection`.

    ## Silent when
    `resolver_timeout` is set, or could be in a file that was not read; every host that the
    destination can have is an address or an upstream.

    ## Fix safety
    Safe: sets resolver_timeout 10s beside the resolver. nginx sends its question again after 5 s,
    so a single lost packet still costs no request.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver_timeout
    """

    code = "NGX117"
    name = "resolver-timeout-default"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                resolver 127.0.0.53;
                server {
                    listen 8080;
                    location / {
                        set $app app.internal;
                        proxy_pass http://$app:3000;
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
                resolver 127.0.0.53;
                resolver_timeout 5s;
                server {
                    listen 8080;
                    location / {
                        set $app app.internal;
                        proxy_pass http://$app:3000;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                resolver 127.0.0.53;
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000$request_uri;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        variables = config.once(Variables)
        known = {
            True: KnownHosts(config, is_http=True),
            False: KnownHosts(config, is_http=False),
        }
        reported: set[int] = set()
        for route in config.passes:
            if "$" not in route.word.value or route.family == "memcached":
                continue
            resolver = route.context.effective("resolver")
            timeout = route.context.effective("resolver_timeout")
            directive = resolver.directive
            if directive is None or resolver.value == "off" or id(directive) in reported:
                continue
            if timeout.is_set or not timeout.is_certain or not resolver.is_certain:
                continue
            hosts = certain_hosts(route, variables)
            # Where no host is known, the resolver is there for a reason.
            if hosts and all(known[route.is_http].has(host) for host in hosts):
                continue
            reported.add(id(directive))
            yield self._slow(config, directive, route)

    def _slow(self, config: NginxConfig, resolver: Directive, route: Pass) -> Finding:
        contexts = config.contexts_of(resolver)
        fix = None
        # A file with the resolver may be included where a timeout is set already.
        if not any(context.own("resolver_timeout") for context in contexts):
            edit = added_after(resolver, f"resolver_timeout {LIMIT};")
            fix = Fix("limit the wait for the name server", Safety.SAFE, (edit,))
        return self.finding(
            resolver,
            "when this name server does not answer, each request that needs it waits 30 s, since"
            " resolver_timeout is not set",
            advice=f"set resolver_timeout {LIMIT}",
            related=(Label(route.word.span, "looked up for each request, once the answer is old"),),
            fix=fix,
        )
