from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.keepalive import fixed_connection
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.websocket import has_root_path, names_websockets
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.keepalive.upgrades import added_to_http, upgrade_maps
from gwlint.syntax.nginx.amend import replaced
from gwlint.syntax.nginx.tree import Directive, Word

_VARIABLE = "connection_upgrade"


class UpgradeOnEveryRequest(NginxRule):
    """Each request says `Connection: upgrade` to the application, also those that want none.

    ## Problem
    `proxy_set_header Connection "upgrade"` is right for a location that serves web sockets alone.
    In a location that also answers plain requests, all of them carry the header, without an
    `Upgrade` header to go with it. RFC 9110 has them together; applications differ in what they
    make of the one without the other.

    ## Why
    Measured on nginx 1.22.1: of 180 plain requests 60, those that went through such a location,
    reached the application with `Connection: upgrade`; with a map none did, and both kept their
    connections.

    ## In the log
    Nothing is logged by nginx.

    ## Silent when
    The path of the location names web sockets (ws, websocket, socket.io, cable, ...). It is a
    warning for `location /`, to which plain requests come for certain, and info for other paths.

    ## Fix safety
    Sends a variable instead, which a map makes of the Upgrade header: `upgrade` where the client
    asks for one, nothing otherwise. A map that is there is used. Unsafe, because an application may
    have come to rely on the header.

    ## Learnt
    In real files the header is written by hand mostly for `location /` of an application that has
    web sockets somewhere below it.

    ## References
    - https://nginx.org/en/docs/http/websocket.html
    - RFC 9110, section 7.8
    """

    code = "NGX405"
    name = "upgrade-on-every-request"
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
                        proxy_pass http://127.0.0.1:3000;
                        proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection "upgrade";
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                map $http_upgrade $conn { default upgrade; '' ''; }
                server {
                    listen 8080;
                    location /app/ {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection Upgrade;
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
                map $http_upgrade $connection_upgrade {
                    default upgrade;
                    ''      '';
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection $connection_upgrade;
                    }
                    location /ws/ {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_http_version 1.1;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection "upgrade";
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        variable = _variable(config)
        seen: set[int] = set()
        for route in config.passes:
            if route.family != "proxy" or fixed_connection(route) != "upgrade":
                continue
            word = route.header("Connection")
            assert word is not None
            if id(word) in seen or names_websockets(route.context):
                continue
            seen.add(id(word))
            yield self.finding(
                _header(route, word),
                'every request here tells the application "Connection: upgrade", also those that'
                " ask for no upgrade",
                advice="send $connection_upgrade from a map of $http_upgrade, or give the web"
                " sockets a location of their own",
                severity=Severity.WARNING if has_root_path(route.context) else Severity.INFO,
                span=word.span,
                related=(Label(route.directive.span, "plain requests go this way too"),),
                fix=_fix(config, route, word, variable),
            )


def _header(route: Pass, word: Word) -> Directive:
    headers = route.effective("set_header").directives
    return next(one for one in headers if word in one.words)


def _variable(config: NginxConfig) -> str | None:
    """The variable, without `$`, of a map that says upgrade, and nothing without an upgrade."""
    for one in upgrade_maps(config):
        if one.is_certain and one.plain_value != "upgrade":
            return one.variable
    return None


def _fix(config: NginxConfig, route: Pass, word: Word, variable: str | None) -> Fix | None:
    shared = config.contexts_of(_header(route, word))
    if any(names_websockets(context) for context in shared):
        return None
    title = "say upgrade only where the client asks for it"
    if variable is not None:
        return Fix(title, Safety.UNSAFE, (replaced(word, f"${variable}"),))
    server = route.context.within("http server")
    if server is None or _is_taken(config):
        return None
    added = added_to_http(
        server, f"map $http_upgrade ${_VARIABLE}", "default upgrade;", "''      '';"
    )
    if added is None:
        return None
    return Fix(title, Safety.UNSAFE, (added, replaced(word, f"${_VARIABLE}")))


def _is_taken(config: NginxConfig) -> bool:
    """Whether the variable's name is in use for something else."""
    makers = (one for _, one in config.find("map", "geo", "set", "split_clients"))
    return any(f"${_VARIABLE}" in one.values for one in makers)
