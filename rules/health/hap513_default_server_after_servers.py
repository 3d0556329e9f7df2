from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.source import decode
from gwlint.syntax.haproxy.amend import line_before, line_removed
from gwlint.syntax.haproxy.tree import Line

_SERVERS = ("server", "server-template")


class DefaultServerAfterServers(HaproxyRule):
    """A default-server line stands behind the servers, where it counts for none of them.

    ## Problem
    `default-server` sets what the server lines after it begin with. Those before it are made
    already and do not change.

    ## Why
    Measured on HAProxy 2.6.12 and 2.8.25: with `default-server check` behind the servers, no check
    ran and a dead server stayed in use; HAProxy accepted the file without a word.

    ## In the log
    Nothing; what the line should have done is missing, as the lines about the health of servers.

    ## Silent when
    A server line follows, for which it may be meant; no server line stands before it; it or a
    server of the section stands under `.if`.

    ## Fix safety
    Moves the line in front of the first server. Unsafe, because what it says is then done for the
    first time.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 4.2, default-server
    """

    code = "HAP513"
    name = "default-server-after-servers"
    severity = Severity.WARNING
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
                server two 127.0.0.1:3001
                default-server check inter 2s  # for both
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
                default-server check
                server one 127.0.0.1:3000
                default-server backup
                server two 127.0.0.1:3001
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for backend in config.backends:
            found = _behind_servers(backend)
            if found is None:
                continue
            first, late = found
            # Several lines would be put in the same place: they move one a round, in order.
            for line in late:
                moved = (line_before(first, _text(line)), line_removed(line))
                yield self.finding(
                    line,
                    f"default-server counts for the servers after it, and {backend.name} has none"
                    " there",
                    advice="move the line in front of the servers",
                    span=line.words[0].span,
                    related=(Label(first.span, "made before, without it"),),
                    fix=Fix("move default-server up", Safety.UNSAFE, moved),
                )


def _text(line: Line) -> str:
    """The statement with its comment, as written."""
    end = line.span.end if line.comment is None else line.comment.end
    return decode(line.source.data[line.span.start : end])


def _behind_servers(backend: Proxy) -> tuple[Line, list[Line]] | None:
    """The first server line and the default-server lines behind the last one."""
    lines = [one for one in backend.section.lines if one.keyword in ("default-server", *_SERVERS)]
    if any(line.conditions for line in lines):
        return None
    places = [place for place, line in enumerate(lines) if line.keyword in _SERVERS]
    return (lines[places[0]], lines[places[-1] + 1 :]) if places else None
