from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.upstream import Upstream, UpstreamServer
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.health.workers import is_one_worker
from gwlint.syntax.nginx.amend import replaced

_ENOUGH = "max_fails=3"


class OneBlipTakesAllDown(NginxRule):
    """One failed request at each server, and the whole upstream answers 502 for seconds.

    ## Problem
    With `max_fails=1`, the default, a single failed request takes a server out for `fail_timeout`,
    10 s by default. One failure at each server, as a deploy or a slow moment of the database makes,
    and no server is left although all are well again.

    ## Why
    Measured on nginx 1.22.1 with two servers and one failure at each: every request got 502 for
    10.4 to 10.8 s, 80 of 90; with `max_fails=3` 3 of 90. One slow request can do it alone: a GET
    that took longer than the read timeout was tried at both, and all requests of the next 10.3 s
    got 502. Several workers without a `zone` count each for itself.

    ## In the log
    `no live upstreams while connecting to upstream`, after `[warn] upstream server temporarily
    disabled while connecting to upstream` for each server.

    ## Silent when
    One server only, for which nginx ignores `max_fails` (unless its name has several addresses);
    one that counts to more than 1, or not at all; `fail_timeout` 0; servers come from a file or an
    include that could not be read.

    ## Fix safety
    Sets `max_fails=3` at each server. Unsafe, because a server that is dead for good then costs two
    more failed tries, within each `fail_timeout`, before it is left out.

    ## Learnt
    37 of 140 findings in real files read, all that are no contest entries among them: all right,
    with `max_fails` at 1 for each server, though a third of the real files that pass requests has
    such an upstream. Nearly all run with the default, and few authors know of it: the answers say
    502 and nothing points at the upstream block. 12 of the 37 have several workers without a
    `zone`, for which "all requests" said too much: the message now speaks of the worker.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
    """

    code = "NGX504"
    name = "one-blip-takes-all-down"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001 max_fails=1 fail_timeout=30s;
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                upstream app { server 127.0.0.1:3000; server 127.0.0.1:3001 backup; }
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
                    server 127.0.0.1:3000 max_fails=3;
                    server 127.0.0.1:3001 max_fails=3;
                }
                upstream one {
                    server 127.0.0.1:3002;
                    server 127.0.0.1:3003 down;
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for upstream in config.upstreams:
            if not upstream.is_http or upstream.has_dynamic_servers or not upstream.has_failover:
                continue
            servers = [server for server in upstream.servers if not server.is_down]
            outage = min(server.fail_timeout for server in servers)
            if outage <= 0 or any(server.max_fails != 1 for server in servers):
                continue
            yield self.finding(
                upstream.directive,
                f'one failed request at each of the {len(servers)} servers of "{upstream.name}"'
                f" leaves none for {outage:g} s, and {_who(config, upstream)} 502",
                advice=f"set {_ENOUGH} at each server (the default is 1)",
                related=(Label(servers[0].directive.span, "out after one failure"),),
                fix=Fix(
                    "bear single failures", Safety.UNSAFE, tuple(_patient(one) for one in servers)
                ),
            )


def _who(config: NginxConfig, upstream: Upstream) -> str:
    if upstream.zone is not None or is_one_worker(config):
        return "all requests get"
    return "the worker that saw it answers all its requests with"


def _patient(server: UpstreamServer) -> Edit:
    word = server.parameter("max_fails")
    if word is not None:
        return replaced(word, _ENOUGH)
    directive = server.directive
    return Edit.insert(directive.source, directive.words[-1].end, f" {_ENOUGH}")
