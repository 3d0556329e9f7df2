from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.addresses.destinations import upstreams_are_known
from gwlint.rules.addresses.listeners import Listeners, Listening, Reached
from gwlint.rules.addresses.locations import Location
from gwlint.syntax.values.address import Address

_SAME_HOST = frozenset({"$host", "$http_host", "$host:$server_port", "$host:$proxy_port"})
"""Values of the header Host that lead to the server that had the request before."""

_BRANCHES = (
    "if",
    "return",
    "rewrite",
    "limit_except",
    "auth_request",
    "try_files",
    "internal",
    "deny",
)
"""What may stop a request on its second way through the location."""


class ProxyLoop(NginxRule):
    """The destination is the server block itself, so a request goes round in circles.

    ## Problem
    `proxy_pass` leads to an address on which the same server listens, with a path that the same
    location takes again. Often the port of the application was mixed up with that of nginx.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: one request took all 512 connections of the worker within
    0.1 s and was then answered with 502; every other client of the worker fails meanwhile.

    ## In the log
    `[alert] ... worker_connections are not enough`, and `recv() failed (104: Connection reset by
    peer) while reading response header from upstream` with nginx's own address.

    ## Silent when
    The configuration is a fragment, or includes a file that could not be read; only some servers
    of an upstream lead back; the Host header is changed and other servers listen there too; the
    location has a condition, a rewrite, `internal` or `deny`, which may end the circle; the
    destination is another machine, or TLS where plain text is expected.

    ## Fix safety
    There is none: only the operator knows where the application is.

    ## Learnt
    An `internal` location may well pass to its own port: what comes back from outside ends there.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
    - https://nginx.org/en/docs/http/request_processing.html
    """

    code = "NGX103"
    name = "proxy-loop"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:8080;
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
                    server localhost:80;
                }
                server {
                    listen 80;
                    server_name app.example;
                    location / {
                        proxy_set_header Host $host;
                        proxy_pass http://app;
                    }
                }
                server {
                    listen 80;
                    server_name other.example;
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
                        proxy_pass http://127.0.0.1:8080/app/;
                    }
                    location /app/ {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
                server {
                    listen 127.0.0.1:3000;
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        if not upstreams_are_known(config):
            return
        listeners = config.once(Listeners)
        for route in config.passes:
            if route.family != "proxy" or not route.is_http:
                continue
            server = route.context.within("http server")
            if server is None or not server.is_certain or not _comes_back_here(route):
                continue
            back = _back(route, server, listeners)
            if back is not None:
                yield self._loop(route, back)

    def _loop(self, route: Pass, back: Listening) -> Finding:
        related: tuple[Label, ...] = ()
        if back.directive is not None:
            related = (Label(back.directive.span, "this server listens there itself"),)
        return self.finding(
            route.directive,
            "the destination is this server itself, so each request goes round until nginx has no"
            " connections left, and is answered with 502",
            advice="write the address of the application",
            span=route.word.span,
            related=related,
        )


def _comes_back_here(route: Pass) -> bool:
    """Whether a request to the same server, with the path that is passed on, gets here again."""
    context = route.context
    location = Location.of(context)
    if location is None or location.is_named or "$" in route.word.value or not _is_plain(context):
        return False
    uri = route.destination.uri
    # Without a URI the path stays as it is; otherwise it has to be replaced by itself.
    return not uri or (not location.is_regex and uri == location.pattern)


def _is_plain(context: Context) -> bool:
    """Whether nothing on the way to the pass depends on the request."""
    levels = [level for level in context.outward() if level.kind in ("location", "http server")]
    return all(level.is_complete and not any(map(level.own, _BRANCHES)) for level in levels)


def _addresses(route: Pass) -> list[Address] | None:
    """Everywhere the route leads; None when a part of it is not known."""
    if route.upstream is None:
        return None if route.address is None else [route.address]
    if route.upstream.has_dynamic_servers:
        return None
    found = [server.address for server in route.upstream.servers if not server.is_down]
    known = [address for address in found if address is not None and not address.variables]
    return known if len(known) == len(found) and known else None


def _back(route: Pass, server: Context, listeners: Listeners) -> Listening | None:
    """A listen of the server at which every address of the route arrives."""
    addresses = _addresses(route)
    if addresses is None:
        return None
    back: Listening | None = None
    for address in addresses:
        there = listeners.reached_by(address)
        own = there.by_server.get(id(server))
        if own is None or not _speaks_alike(route, own):
            return None
        if not _chosen_again(route, there):
            return None
        back = own
    return back


def _speaks_alike(route: Pass, own: Listening) -> bool:
    """Whether the socket takes what the route sends: HTTP/1, with TLS or without."""
    # Without TLS, http2 alone expects HTTP/2 from the first byte on.
    if "proxy_protocol" in own.flags or ("http2" in own.flags and not own.is_tls):
        return False
    return own.is_tls is route.destination.is_tls and "quic" not in own.flags


def _chosen_again(route: Pass, there: Reached) -> bool:
    """Whether the request, as it arrives, belongs to the same server once more."""
    if len(there.by_server) == 1:
        return True
    host = route.header("Host")
    return host is not None and host.value in _SAME_HOST
