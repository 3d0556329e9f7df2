from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.websocket import is_upgraded
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.capacity.connections import first_block
from gwlint.syntax.nginx.amend import added_before

_WANTED = "10m"


class NoShutdownTimeout(NginxRule):
    """Web sockets keep old workers alive after each reload, without an end.

    ## Problem
    After a reload an old worker goes on until its last connection closes. Web sockets live for
    hours, and each reload leaves another set of workers, with their memory and their connections.

    ## Why
    `worker_shutdown_timeout` is not set by default: nothing ends them.

    ## In the log
    Nothing is logged. The list of processes shows workers that are shutting down.

    ## Silent when
    It is set; no route passes the Upgrade header on; the main file is not known completely.

    ## Fix safety
    Adds `worker_shutdown_timeout 10m`: ten minutes after a reload the web sockets of old workers
    are closed, and clients have to connect again. Unsafe.

    ## Learnt
    It matters where reloads are frequent, as with certificates or generated files: information.

    ## References
    - https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout
    """

    code = "NGX708"
    name = "no-shutdown-timeout"
    severity = Severity.INFO
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location /ws {
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
    good = (
        Example.nginx(
            """
            worker_shutdown_timeout 10m;
            events {}
            http {
                server {
                    listen 8080;
                    location /ws {
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
        main = config.main
        block = first_block(main)
        if block is None or not main.is_complete:
            return
        if main.first("worker_shutdown_timeout") is not None:
            return
        upgraded = next((route for route in config.passes if is_upgraded(route)), None)
        if upgraded is None:
            return
        edit = added_before(block, f"worker_shutdown_timeout {_WANTED};")
        yield self.finding(
            block,
            "web sockets keep old workers alive after each reload, for as long as they like",
            advice=f"set worker_shutdown_timeout, {_WANTED} for example",
            span=block.words[0].span,
            related=(Label(upgraded.directive.span, "carries web sockets"),),
            fix=Fix("end old workers", Safety.UNSAFE, (edit,)),
        )
