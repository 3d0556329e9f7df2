from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.model.nginx.sockets import sockets_of
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.security.access import Access
from gwlint.syntax.nginx.amend import added_after


class StatusPageOpen(NginxRule):
    """The status page is open to everybody.

    ## Problem
    `stub_status` stands where nobody is refused.

    ## Why
    Measured on nginx 1.22.1: the page told everybody the numbers of connections and requests, from
    which load and times of restarts can be read.

    ## In the log
    `"GET /nginx_status HTTP/1.1" 200`

    ## Silent when
    `deny`, a password, `internal` or an `if` that returns guards it; the server listens on loopback
    addresses or sockets only; a file that could not be read may hold a guard or a `listen`.

    ## Fix safety
    Adds `allow 127.0.0.1` and `deny all`. Unsafe: a monitor on another machine is refused.

    ## Learnt
    Where it is open, the server is often one for monitoring, on a port of its own, which a firewall
    may guard.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_stub_status_module.html
    """

    code = "NGX817"
    name = "status-page-open"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location /nginx_status {
                        stub_status;
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
                    location /nginx_status {
                        stub_status;
                        allow 127.0.0.1;
                        deny all;
                    }
                }
                server {
                    listen 127.0.0.1:8081;
                    location /nginx_status {
                        stub_status;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        pages = list(config.find("stub_status"))
        if not pages:
            return
        local, access = _local_servers(config), Access()
        for context, directive in pages:
            server = context.within("http server")
            if server is None or id(server) in local or access.is_restricted(context):
                continue
            fix = None
            if directive.parent is context.directive and not context.own("allow"):
                edit = added_after(directive, "allow 127.0.0.1;", "deny all;")
                fix = Fix("let this machine in only", Safety.UNSAFE, (edit,))
            yield self.finding(
                directive,
                "everybody reads the status page: numbers of connections and requests",
                advice="add 'allow' for the monitor and 'deny all'",
                span=directive.words[0].span,
                fix=fix,
            )


def _local_servers(config: NginxConfig) -> set[int]:
    """The servers that listen on this machine only, by `id` of their context."""
    listening: dict[int, list[bool]] = {}
    contexts: dict[int, Context] = {}
    for socket in sockets_of(config):
        for listen in socket.listens:
            address = listen.address
            is_local = address.is_loopback or not address.family.is_network
            listening.setdefault(id(listen.server), []).append(is_local)
            contexts[id(listen.server)] = listen.server
    return {key for key, ones in listening.items() if all(ones) and contexts[key].is_complete}
