from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.buffers import BUFFER_FAMILIES, BUFFERS, HEADER, Buffers, buffers_at
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.model.options import Option
from gwlint.model.quantities import bytes_in
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.buffers.levels import in_kilobytes
from gwlint.syntax.nginx.tree import Directive
from gwlint.syntax.values.whole_numbers import whole_number

DEFAULT_CONNECTIONS = 512
"""`worker_connections` where it is not set."""

GIGABYTE = 1 << 30


class BufferMemory(NginxRule):
    """The buffers for answers can take more memory than the machine may have.

    ## Problem
    Each request may fill its header buffer and all `proxy_buffers` with an answer that the client
    is slow to take, and it has these buffers for itself. What one request may take, times the
    requests that `worker_connections` allow, is what nginx may take.

    ## Why
    Buffers are allocated as they are needed, so nothing shows until many clients are slow at once;
    then the kernel ends a worker with all its connections, or the machine swaps. A proxied request
    takes two of a worker's connections: one to the client, one to the application.

    ## In the log
    Nothing in nginx's own, but `[alert] worker process 123 exited on signal 9` when the kernel runs
    out of memory.

    ## Silent when
    The product is within the budget, 4g by default; the sizes are not set; buffering is off;
    fragments, and whatever an include that could not be read may set. `worker_processes auto`
    counts as one worker.

    ## Fix safety
    None: fewer or smaller buffers, fewer connections or more memory is a decision.

    ## Learnt
    One finding in published files, and right: 256 buffers of 16k beside 16384 connections.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffers
    - https://nginx.org/en/docs/ngx_core_module.html#worker_connections
    """

    code = "NGX207"
    name = "buffer-memory"
    severity = Severity.INFO
    options = (
        Option("budget", bytes_in, "4g", "the memory that buffers for answers may take in all"),
    )
    bad = (
        Example.nginx(
            """
            events {
                worker_connections 4096;
            }
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_buffers 64 128k;
                    }
                }
            }
            """
        ),
    )
    good = (
        Example.nginx(
            """
            events {
                worker_connections 4096;
            }
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_buffers 8 16k;
                        proxy_buffer_size 16k;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        requests, connections = _requests(config)
        reported: set[int] = set()
        for route in config.passes if requests else ():
            if not route.is_http or route.family not in BUFFER_FAMILIES:
                continue
            directive = _set_here(route)
            if directive is None or id(directive) in reported:
                continue
            buffers = buffers_at(route.context, route.family)
            taken = _per_request(buffers)
            if taken * requests <= self.option["budget"]:
                continue
            reported.add(id(directive))
            yield self.finding(
                directive,
                f"one answer may take {in_kilobytes(taken)} of buffers, and the {requests} requests"
                f" that the worker connections allow {taken * requests / GIGABYTE:.1f} GiB",
                advice="use fewer or smaller buffers, or fewer worker_connections; what does not"
                " fit goes to a temporary file",
                related=() if connections is None else (Label(connections.span, "connections"),),
            )


def _requests(config: NginxConfig) -> tuple[int, Directive | None]:
    """How many requests all workers can serve at once, and what says so; 0 when not known."""
    if not config.main.is_complete:
        return 0, None
    workers = config.main.effective("worker_processes").value or "1"
    events = next((one for one in config.main.children if one.kind == "events"), None)
    directive = None if events is None else events.first("worker_connections")
    value = str(DEFAULT_CONNECTIONS)
    if directive is not None and directive.values:
        value = directive.values[0]
    if not value.isdecimal() or (events is not None and not events.is_complete):
        return 0, None
    return whole_number(value) // 2 * (
        whole_number(workers) if workers.isdecimal() else 1
    ), directive


def _set_here(route: Pass) -> Directive | None:
    """What sets the buffers of the route; None when nothing does, or it is not certain."""
    buffering, buffers = route.effective("buffering"), route.effective(BUFFERS)
    header = route.effective(HEADER)
    if not (buffering.is_certain and buffers.is_certain and header.is_certain):
        return None
    if buffering.value == "off":
        return None
    return buffers.directive or header.directive


def _per_request(buffers: Buffers) -> int:
    """Bytes."""
    return buffers.header + buffers.count * buffers.size
