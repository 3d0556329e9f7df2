from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.capacity.connections import (
    DEFAULT_CONNECTIONS,
    FILES_PER_CONNECTION,
    Connections,
    connections,
    first_block,
    number,
)
from gwlint.syntax.nginx.amend import added_before, added_inside, replaced

_USUAL = frozenset({DEFAULT_CONNECTIONS, 768})
"""The default of nginx, and what Debian and Ubuntu ship."""

_WANTED = 4096


class WorkerConnectionsLow(NginxRule):
    """A worker may have few connections, and each proxied request takes two of them.

    ## Problem
    `worker_connections` counts all connections of a worker: those of clients, idle ones included,
    and those to the application. With 512, 256 clients fill a worker.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3 with 20 connections: of 300 requests from many clients at a
    time 27 were answered, the other connections were closed or reset; with enough of them all 300
    were answered.

    ## In the log
    `[alert] ... worker_connections are not enough`, and
    `[warn] ... worker_connections are not enough, reusing connections`.

    ## Silent when
    The number is set and above 768; no request is passed on; the main file is not known
    completely. Below 512 it is a warning; 512, the default, and 768 are information.

    ## Fix safety
    Sets 4096, and `worker_rlimit_nofile` to twice that where it is unset or lower, since each
    connection needs a file (NGX702). It takes memory and files, so the fix is unsafe.

    ## Learnt
    Values below 512 are mostly copied from examples of the 2000s or from small containers.

    ## References
    - https://nginx.org/en/docs/ngx_core_module.html#worker_connections
    - https://nginx.org/en/docs/ngx_core_module.html#worker_rlimit_nofile
    """

    code = "NGX701"
    name = "worker-connections-low"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {
                worker_connections 128;
            }
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            worker_rlimit_nofile 1024;
            events {}
            http {
                server {
                    listen 8080;
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
            worker_rlimit_nofile 8192;
            events {
                worker_connections 4096;
            }
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
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
                    root /srv;
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        found = connections(config)
        if found is None or not config.passes or found.count < 1:
            return
        if found.count >= DEFAULT_CONNECTIONS and found.count not in _USUAL:
            return
        is_default = found.directive is None
        said = "worker_connections is not set, so" if is_default else ""
        yield self.finding(
            found.directive or found.events,
            f"{said} a worker has {found.count} connections, which"
            f" {max(found.count // 2, 1)} proxied requests at a time use up".strip(),
            advice=f"set worker_connections {_WANTED} or more, and worker_rlimit_nofile to"
            " twice that",
            severity=Severity.INFO if found.count in _USUAL else Severity.WARNING,
            fix=Fix("allow more connections", Safety.UNSAFE, tuple(_edits(config, found))),
        )


def _edits(config: NginxConfig, found: Connections) -> Iterator[Edit]:
    if found.directive is None:
        yield added_inside(found.events, f"worker_connections {_WANTED};")
    else:
        yield replaced(found.directive.words[1], str(_WANTED))
    files = _WANTED * FILES_PER_CONNECTION
    limit = config.main.first("worker_rlimit_nofile")
    if limit is None:
        block = first_block(config.main) or found.events
        yield added_before(block, f"worker_rlimit_nofile {files};")
    elif (now := number(limit)) is not None and now < files:
        yield replaced(limit.words[1], str(files))
