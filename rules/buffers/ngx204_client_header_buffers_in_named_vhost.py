from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.sockets import Socket, servers_are_known, sockets_of
from gwlint.model.nginx.units import size_of
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.source import decode
from gwlint.syntax.nginx.amend import added_after, arguments_replaced
from gwlint.syntax.nginx.tree import Directive

NAME = "large_client_header_buffers"


class ClientHeaderBuffersInNamedVhost(NginxRule):
    """Larger request buffers in a virtual server do nothing for the request line.

    ## Problem
    nginx reads the request line before it knows the host, so the buffers of the socket's default
    server count for it. A larger `large_client_header_buffers` in another server of the socket is
    used for the headers behind `Host` at most.

    ## Why
    Measured on nginx 1.22.1: with larger buffers in the named server alone, each long request line
    was answered with 414; with the same line in the default server, each with 200.

    ## In the log
    At level info only: `[info] client sent too long URI while reading client request line`. The
    access log has 414.

    ## Silent when
    The server is the default of its sockets; the default server's buffers are as large; the socket
    is one of TLS, where nginx learns the name from the handshake before it reads the request line;
    not all servers are known (fragments, includes that could not be read).

    ## Fix safety
    Gives the default server the same buffers. Unsafe: it then accepts larger requests for every
    name, and each of them takes more memory.

    ## Learnt
    Rare: in none of some 1,200 published files that were read.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#large_client_header_buffers
    - https://nginx.org/en/docs/http/server_names.html#virtual_server_selection
    """

    code = "NGX204"
    name = "client-header-buffers-in-named-vhost"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080 default_server;
                    return 404;
                }
                server {
                    listen 8080;
                    server_name app.example.com;
                    large_client_header_buffers 4 32k;
                    location / {
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
                    listen 8080 default_server;
                    large_client_header_buffers 4 32k;
                    return 404;
                }
                server {
                    listen 8080;
                    server_name app.example.com;
                    large_client_header_buffers 4 32k;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        if not servers_are_known(config):
            return
        reported: set[int] = set()
        for socket in config.once(sockets_of):
            default = socket.default.server
            in_force = _size(default)
            if socket.is_tls or in_force is None:
                continue
            for listen in socket.listens:
                directive = listen.server.first(NAME)
                size = _size(listen.server)
                if directive is None or size is None or listen.server is default:
                    continue
                if size <= in_force or id(directive) in reported:
                    continue
                reported.add(id(directive))
                yield self._at(config, directive, socket)

    def _at(self, config: NginxConfig, directive: Directive, socket: Socket) -> Finding:
        default = socket.default
        there = default.server.effective(NAME)
        place = there.directive or default.directive or default.server.directive
        edit = _edit(config, directive, default.server)
        return self.finding(
            directive,
            f"for request lines the buffers of the default server of {default.text} count,"
            f" {' '.join(there.values)}: a longer URL is answered with 414",
            advice=f"set {directive.normalised} in the default server too, or in http for all",
            related=() if place is None else (Label(place.span, "the default server's"),),
            fix=None
            if edit is None
            else Fix("give the default server the same buffers", Safety.UNSAFE, (edit,)),
        )


def _size(server: Context) -> int | None:
    """Bytes of one buffer; None when they cannot be read."""
    values = server.effective(NAME).values
    return size_of(values[1]) if len(values) == 2 else None


def _edit(config: NginxConfig, wanted: Directive, default: Context) -> Edit | None:
    """None where the default server's own lines stand in a file with other includers."""
    text = " ".join(decode(word.raw) for word in wanted.arguments)
    own = default.first(NAME)
    if own is not None:
        return arguments_replaced(own, text) if len(config.contexts_of(own)) == 1 else None
    anchor = next((one for one in default.directives if one.block is None), None)
    if anchor is None or len(config.contexts_of(anchor)) > 1:
        return None
    return added_after(anchor, f"{NAME} {text};")
