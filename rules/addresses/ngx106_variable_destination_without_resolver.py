from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.variables import Variables
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.addresses.variable_destinations import KnownHosts, certain_hosts


class VariableDestinationWithoutResolver(NginxRule):
    """The destination holds a variable, so its name is looked up at run time, with no resolver.

    ## Problem
    A variable anywhere in `proxy_pass`, be it only `$request_uri` at its end, makes nginx look up
    the host when a request comes. For that it asks the servers of `resolver` and nothing else:
    not /etc/hosts, not /etc/resolv.conf. The same holds for fastcgi, uwsgi, scgi and grpc.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: each request became a 502, for `http://$app` as for
    `http://localhost:3000$request_uri`. The file passes `nginx -t`, and works until the variable
    is added.

    ## In the log
    `[error] no resolver defined to resolve app.example`

    ## Silent when
    A `resolver` is set for the place, or could be in a file that was not read; the host is an IP
    address, a socket, an upstream without a port behind it, or the host and port of a pass without
    variables, whose addresses nginx then uses (measured); the host is not known, since it comes
    from the request, from another module or from another language.

    ## Fix safety
    There is none: the address of the name server has to be known.

    ## Learnt
    An upstream with a port behind its name is looked up as a host name (measured): `http://app:80`
    in a variable does not mean `upstream app`.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver
    """

    code = "NGX106"
    name = "variable-destination-without-resolver"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        set $app app.example;
                        proxy_pass http://$app;
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
                    listen 8080;
                    location / {
                        proxy_pass http://localhost:3000$request_uri;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                }
                map $host $pool {
                    default app;
                    old.example old.internal:3000;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://$pool;
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
                upstream app {
                    server 127.0.0.1:3000;
                }
                map $host $pool {
                    default app;
                    old.example 127.0.0.1:3001;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://$pool$request_uri;
                    }
                    location /name {
                        resolver 127.0.0.53;
                        set $app app.example;
                        proxy_pass http://$app;
                    }
                    location /any {
                        proxy_pass http://$arg_host;
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
        for route in config.passes:
            if "$" not in route.word.value or route.family == "memcached":
                continue
            resolver = route.context.effective("resolver")
            if resolver.is_set or not resolver.is_certain:
                continue
            hosts = sorted(
                {
                    (host.name, host.port or "")
                    for host in certain_hosts(route, variables)
                    if not known[route.is_http].has(host)
                }
            )
            if hosts:
                yield self._found(route, hosts, known[route.is_http])

    def _found(self, route: Pass, hosts: list[tuple[str, str]], known: KnownHosts) -> Finding:
        name, port = hosts[0]
        more = f" (and {len(hosts) - 1} more)" if len(hosts) > 1 else ""
        upstream = known.upstreams.get(name.lower())
        related: tuple[Label, ...] = ()
        advice = f'set a resolver, or write an upstream "{name}"'
        if upstream is not None and upstream.directive is not None:
            advice = f'leave out the port :{port}, so that upstream "{name}" is meant'
            related = (Label(upstream.directive.span, "not used for a name with a port"),)
        outcome = "a 502" if route.is_http else "a closed connection"
        return self.finding(
            route.directive,
            f'a variable in {route.directive.name} makes nginx look up "{name}"{more} at run time,'
            f" but no resolver is set here, so the answer is {outcome}",
            advice=advice,
            span=route.word.span,
            related=related,
        )
