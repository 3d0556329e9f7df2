from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.upstream import Upstream, UpstreamServer
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.nginx.amend import removed

Key = tuple[str, int | None, str | None]


class DuplicateUpstreamServer(NginxRule):
    """The same server stands in an upstream twice.

    ## Problem
    nginx counts each line as a server of its own, although behind both is one process. Often the
    line was copied and the address was not changed, so that another server is missing.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: the server gets a share for each of its lines, and a
    request that it refused is sent to the same server again before the client gets its 502.

    ## In the log
    Two lines `connect() failed (111: Connection refused) while connecting to upstream` with the
    same upstream address for one request.

    ## Silent when
    One of the lines is a `backup` or `down`; an address holds a variable; the names have
    different SRV services.

    ## Fix safety
    Removes the later line when both have the same parameters. Unsafe, since shares of the traffic
    change.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
    """

    code = "NGX110"
    name = "duplicate-upstream-server"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 10.0.0.1:3000;
                    server 10.0.0.2:3000;
                    server 10.0.0.2:3000;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
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
                    server 10.0.0.1:3000;
                    server 10.0.0.2:3000;
                    server 10.0.0.2:3001;
                    server 10.0.0.1:3000 backup;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for upstream in config.upstreams:
            seen: dict[Key, UpstreamServer] = {}
            for server in upstream.servers:
                key = _key(server)
                if key is None or server.is_down or server.is_backup:
                    continue
                first = seen.setdefault(key, server)
                if first is not server:
                    yield self._duplicate(upstream, first, server)

    def _duplicate(
        self, upstream: Upstream, first: UpstreamServer, again: UpstreamServer
    ) -> Finding:
        word = again.address_word
        assert word is not None
        # A file that is included twice has one line for both.
        is_one_line = first.directive is again.directive
        fix = None
        if not is_one_line and first.directive.values[1:] == again.directive.values[1:]:
            fix = Fix("remove the repeated server", Safety.UNSAFE, (removed(again.directive),))
        return self.finding(
            again.directive,
            f'upstream "{upstream.name}" has "{word.value}" twice: it gets a double share, and'
            " what it refused is sent to it again",
            advice="write the address that was meant, or weight=2 on one line",
            span=word.span,
            related=() if is_one_line else (Label(first.directive.span, "the first time"),),
            fix=fix,
        )


def _key(server: UpstreamServer) -> Key | None:
    address = server.address
    if address is None or address.variables or server.parameter("service") is not None:
        return None
    return address.canonical_host or "", address.port, address.path
