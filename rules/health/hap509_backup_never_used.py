from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.checks import protocol_check
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.health.haproxy_backends import (
    balanced_backends,
    checks_added,
    names,
    unchecked,
    working_servers,
)


class BackupNeverUsed(HaproxyRule):
    """A backup server waits for servers to be down that nobody checks, so it never serves.

    ## Problem
    `backup` servers get requests once all others are down. A server without `check` is never down.

    ## Why
    Measured on HAProxy 2.6.12 with a refusing server without check and a healthy backup: every
    request got 503 after three seconds; with `check` all got 200 from the backup.

    ## In the log
    `app/s1 ... 503 ... SC--` for the dead server, and no line that it is DOWN.

    ## Silent when
    Every server that is no backup is checked, tracked, or comes from DNS; there is none, so that
    the backups serve; a `use-server` rule can choose the backup; the file holds neither global nor
    defaults, so that others complete it.

    ## Fix safety
    Adds `check` to the servers that are no backup. A plain check only opens a connection, so no
    server that works is taken out: safe. Unsafe where an option such as httpchk makes the check ask
    for more, since it then runs for the first time.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 5.2, backup, check
    """

    code = "HAP509"
    name = "backup-never-used"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                server one 127.0.0.1:3000
                server two 127.0.0.1:3001 check backup
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                option httpchk GET /health
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                server one 127.0.0.1:3000  # the first choice
                server two 127.0.0.1:3001 backup
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            backend app
                server one 127.0.0.1:3000 check
                server two 127.0.0.1:3001 backup
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in balanced_backends(config):
            backups = [server for server in working_servers(backend) if server.is_backup]
            blind = [server for server in unchecked(backend) if not server.is_backup]
            if not backups or not blind or any(backend.lines("use-server")):
                continue
            own = backups[0].parsed.last("backup")
            edits = checks_added(blind)
            option = protocol_check(backend)
            yield self.finding(
                backups[0].line,
                f"{names(backups)} never gets a request: {names(blind)} of {backend.name} is not"
                " checked, so it counts as up when it is dead",
                advice='add "check" to the servers that are no backup',
                span=None if own is None else own.keyword.span,
                related=tuple(Label(server.line.span, "not checked") for server in blind),
                fix=None
                if edits is None
                else Fix(
                    "check the servers",
                    Safety.SAFE if option is None else Safety.UNSAFE,
                    edits,
                ),
            )
