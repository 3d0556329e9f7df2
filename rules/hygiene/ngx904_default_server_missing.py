from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.sockets import Listen, Socket, servers_are_known, sockets_of
from gwlint.rule import Example, Finding, Label, NginxRule, Severity

_CATCH_ALL = frozenset({"", "_", "*"})
_HTTP_SERVER = "http server"


class DefaultServerMissing(NginxRule):
    """Requests for unknown hosts reach an application that is not meant for them.

    ## Problem
    Of several servers on one address none is the `default_server`, so the first one gets all
    requests whose host is none of the names: scans, other people's domains, requests by address.
    Which one is the first changes with the name of an included file. Two `default_server` on one
    address are refused.

    ## Why
    Measured on nginx 1.22.1: a request for an unknown host reached the application of the first
    server and was answered with 200; with a default server that returns 444, its connection was
    closed. With two default servers nginx does not start.

    ## In the log
    `[emerg] a duplicate default server for 0.0.0.0:80 in ...` for two. For none, nothing.

    ## Silent when
    The first server has no name, `_`, or a regular expression, and so is meant for all hosts; it
    passes nothing on; it is the only one on its address; not all servers are known (fragments,
    includes that could not be read).

    ## Fix safety
    None: what an unknown host should get is a decision.

    ## Learnt
    A first server that only redirects to https is not counted: it has no application.

    ## References
    - https://nginx.org/en/docs/http/request_processing.html
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#listen
    """

    code = "NGX904"
    name = "default-server-missing"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    server_name app.example.com;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
                server {
                    listen 8080;
                    server_name www.example.com;
                    location / {
                        proxy_pass http://127.0.0.1:3001;
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
                    listen 8080 default_server;
                    server_name app.example.com;
                }
                server {
                    listen 8080 default_server;
                    server_name www.example.com;
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
                    listen 8080 default_server;
                    return 444;
                }
                server {
                    listen 8080;
                    server_name app.example.com;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        applications = _applications(config) if servers_are_known(config) else {}
        reported: set[int] = set()
        for socket in config.once(sockets_of):
            yield from self._two(socket)
            first = socket.listens[0]
            if id(first.server) in reported or first.directive is None:
                continue
            route = applications.get(id(first.server))
            if route is not None and _is_by_chance(socket):
                reported.add(id(first.server))
                yield self.finding(
                    first.directive,
                    f"requests for hosts that no server on {first.text} names reach this one, the"
                    " first, and its application",
                    advice=f"add a server with listen {first.text} default_server that returns 444"
                    " or 404",
                    severity=Severity.INFO,
                    related=(Label(route.word.span, "the application"),),
                )

    def _two(self, socket: Socket) -> Iterator[Finding]:
        first: Listen | None = None
        for listen in socket.listens:
            directive = listen.directive
            if directive is None or not listen.is_default:
                continue
            if first is None:
                first = listen
            elif first.server is not listen.server and first.directive is not None:
                yield self.finding(
                    directive,
                    f"{listen.text} has a default server already, so nginx does not start",
                    advice="take default_server from one of the two",
                    related=(Label(first.directive.span, "the other one"),),
                )


def _applications(config: NginxConfig) -> dict[int, Pass]:
    """id of a server -> the first route in it that passes requests on."""
    found: dict[int, Pass] = {}
    for route in config.passes:
        server = route.context.within(_HTTP_SERVER)
        if server is not None:
            found.setdefault(id(server), route)
    return found


def _is_by_chance(socket: Socket) -> bool:
    """Whether a server with names of its own is the default because it is the first."""
    servers = {id(one.server) for one in socket.listens}
    if len(servers) < 2 or any(one.is_default for one in socket.listens):
        return False
    names = _names(socket.listens[0].server)
    return bool(names) and not any(name in _CATCH_ALL or name[0] in "~$" for name in names)


def _names(server: Context) -> list[str]:
    return [name for directive in server.own("server_name") for name in directive.values]
