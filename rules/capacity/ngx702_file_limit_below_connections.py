from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.capacity.connections import FILES_PER_CONNECTION, connections, number
from gwlint.syntax.nginx.amend import replaced


class FileLimitBelowConnections(NginxRule):
    """A worker may open fewer files than it may have connections.

    ## Problem
    Each connection is a file to the system, and a response that is buffered or cached is another
    one. `worker_rlimit_nofile` limits their number.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3 with a limit below `worker_connections`: 156 of 300
    requests became a 500 and others waited half a second longer; none did with a limit above.

    ## In the log
    `[alert] socket() failed (24: Too many open files) while connecting to upstream` and
    `[crit] accept4() failed (24: Too many open files)`; on musl (Alpine)
    `[alert] socket() failed (24: No file descriptors available) while connecting to upstream` and
    `[crit] accept4() failed (24: No file descriptors available)`.

    ## Silent when
    `worker_rlimit_nofile` is not set: the limit of the service then counts, which the
    configuration does not show; it is at least twice `worker_connections`; no request is passed
    on; the main file is not known completely. Between once and twice the connections it is
    information: files are short only when many responses go to disk.

    ## Fix safety
    Raises the limit to twice `worker_connections`. It fails no request: safe. Where the master is
    not root, the hard limit of the service holds all the same.

    ## Learnt
    Equal numbers are common and are too few as well: logs and listening sockets are files too.

    ## References
    - https://nginx.org/en/docs/ngx_core_module.html#worker_rlimit_nofile
    - https://nginx.org/en/docs/ngx_core_module.html#worker_connections
    """

    code = "NGX702"
    name = "file-limit-below-connections"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            worker_rlimit_nofile 1024;
            events {
                worker_connections 2048;
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
    )
    good = (
        Example.nginx(
            """
            worker_rlimit_nofile 4096;
            events {
                worker_connections 2048;
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
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        limit = config.main.first("worker_rlimit_nofile")
        found = connections(config)
        files = None if limit is None else number(limit)
        if limit is None or found is None or files is None or not config.passes:
            return
        wanted = found.count * FILES_PER_CONNECTION
        if files >= wanted:
            return
        is_short = files <= found.count
        outcome = (
            "and files run out first: requests get a 500"
            if is_short
            else "which may leave too few for responses on disk"
        )
        place = found.directive or found.events
        yield self.finding(
            limit,
            f"a worker may open {files} files but have {found.count} connections, {outcome}",
            advice=f"set worker_rlimit_nofile to {wanted} or more",
            severity=Severity.WARNING if is_short else Severity.INFO,
            related=(Label(place.span, f"{found.count} connections"),),
            fix=Fix("allow more files", Safety.SAFE, (replaced(limit.words[1], str(wanted)),)),
        )
