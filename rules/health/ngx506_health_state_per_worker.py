from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.upstream import Upstream
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.health.workers import several_workers
from gwlint.syntax.nginx.amend import added_before, added_inside

_KIBIBYTES_PER_SERVER = 2
_LEAST_KIBIBYTES = 64

_ZONE_PARAMETER = re.compile(r"(?:keys_zone=|zone=|shared:)([^:]+)")


class HealthStatePerWorker(NginxRule):
    """Each worker learns for itself which server is dead, and counts connections for itself.

    ## Problem
    Without a `zone` the state of an upstream belongs to the worker: failures, and the connections
    that `max_conns` limits.

    ## Why
    Measured on nginx 1.22.1 with four workers: a dead server stalled four requests instead of one,
    and `max_conns=3` let 12 connections through.

    ## In the log
    `[warn] upstream server temporarily disabled while connecting to upstream` once for each worker.

    ## Silent when
    One worker, which is the default; the number of workers is not known, as in a fragment; without
    `max_conns`, one server, or servers that count no failures (`max_fails` or `fail_timeout` 0). It
    is a warning with `max_conns`, and info otherwise.

    ## Fix safety
    Adds a `zone` with memory for the servers (64k, or 2k for each). Safe: it shares what each
    worker learnt alone, and needs nginx 1.9.0.

    ## Versions
    `zone` needs nginx 1.9.0.

    ## Learnt
    36 of 56 findings in real files read: 35 right, all of them info for `worker_processes auto` or
    a number. One had `fail_timeout=0` at both servers, where no worker takes note of failures; such
    upstreams are left alone now.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#zone
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
    """

    code = "NGX506"
    name = "health-state-per-worker"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            worker_processes 4;
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000 max_conns=100;
                }
            }
            """
        ),
        Example.nginx(
            """
            worker_processes auto;
            events {}
            http {
                upstream app { server 127.0.0.1:3000; server 127.0.0.1:3001; }
            }
            """
        ),
    )
    good = (
        Example.nginx(
            """
            worker_processes auto;
            events {}
            http {
                upstream app {
                    zone app 64k;
                    server 127.0.0.1:3000 max_conns=100;
                    server 127.0.0.1:3001 max_conns=100;
                }
                upstream one {
                    server 127.0.0.1:3002;
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000 max_conns=100;
                    server 127.0.0.1:3001;
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        directive = several_workers(config)
        if directive is None:
            return
        names = _zone_names(config)
        for upstream in config.upstreams:
            if upstream.zone is not None or not upstream.context.is_complete:
                continue
            limited = next((one for one in upstream.servers if one.number("max_conns", 0)), None)
            if limited is None and not _takes_note_of_failures(upstream):
                continue
            name = _free_name(upstream, names)
            yield self.finding(
                upstream.directive,
                _message(upstream, is_limited=limited is not None),
                advice=f"add zone {name} {_size(upstream)} to the upstream",
                severity=Severity.INFO if limited is None else Severity.WARNING,
                related=(Label(directive.span, "several workers"),),
                fix=Fix("share the state among workers", Safety.SAFE, (_zone(upstream, name),)),
            )


def _takes_note_of_failures(upstream: Upstream) -> bool:
    return upstream.has_failover and any(
        one.max_fails != 0 and one.fail_timeout > 0 for one in upstream.servers if not one.is_down
    )


def _message(upstream: Upstream, *, is_limited: bool) -> str:
    if is_limited:
        return (
            f'max_conns of "{upstream.name}" holds for each worker, so the servers get several'
            " times as many connections"
        )
    return f'each worker finds out for itself which server of "{upstream.name}" is dead'


def _zone_names(config: NginxConfig) -> set[str]:
    """The names of all shared memory; one name for two uses is refused."""
    found: set[str] = set()
    for _, directive in config.everything():
        for value in directive.values:
            if "zone=" in value or "shared:" in value:
                found.update(_ZONE_PARAMETER.findall(value))
    found.update(one.values[0] for _, one in config.find("zone", "keyval_zone") if one.values)
    return found


def _free_name(upstream: Upstream, names: set[str]) -> str:
    name = upstream.name
    while name in names:
        name += "_upstream"
    return name


def _size(upstream: Upstream) -> str:
    return f"{max(_LEAST_KIBIBYTES, _KIBIBYTES_PER_SERVER * len(upstream.servers))}k"


def _zone(upstream: Upstream, name: str) -> Edit:
    statement = f"zone {name} {_size(upstream)};"
    block = upstream.directive.block
    first = None if block is None else next(iter(block.directives), None)
    if first is None:
        return added_inside(upstream.directive, statement)
    return added_before(first, statement)
