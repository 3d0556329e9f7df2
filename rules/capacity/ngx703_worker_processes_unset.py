from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.capacity.connections import first_block
from gwlint.syntax.nginx.amend import added_before


class WorkerProcessesUnset(NginxRule):
    """One worker does all the work, since worker_processes is not set.

    ## Problem
    The default of `worker_processes` is 1, however many processors there are. TLS and compression
    of all clients then share one processor.

    ## Why
    One worker also means that one slow disk read holds all its clients up.

    ## In the log
    Nothing is logged.

    ## Silent when
    It is set, be it to 1; no request is passed on; the main file is not known completely.

    ## Fix safety
    Adds `worker_processes auto`. Several workers count failures of servers apart unless the
    upstream has a `zone`: unsafe.

    ## Learnt
    Files without it are mostly examples and containers, where one processor may be all there is:
    information. A container may also set it with `nginx -g`.

    ## References
    - https://nginx.org/en/docs/ngx_core_module.html#worker_processes
    """

    code = "NGX703"
    name = "worker-processes-unset"
    severity = Severity.INFO
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
                    }
                }
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
        main = config.main
        block = first_block(main)
        if block is None or not main.is_complete or not config.passes:
            return
        if main.first("worker_processes") is not None:
            return
        edit = added_before(block, "worker_processes auto;")
        yield self.finding(
            block,
            "worker_processes is not set, so one worker serves all clients",
            advice="set worker_processes auto",
            span=block.words[0].span,
            fix=Fix("one worker for each processor", Safety.UNSAFE, (edit,)),
        )
