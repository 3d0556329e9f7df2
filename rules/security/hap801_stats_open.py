from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.security.passwords import is_published
from gwlint.rules.security.stats_pages import StatsPage, reachable_pages
from gwlint.rules.security.strangers import Reach
from gwlint.syntax.haproxy.tree import Line

_ADVICE = "add 'stats auth', or 'http-request deny unless { src ... }', or listen on 127.0.0.1 only"


class StatsOpen(HaproxyRule):
    """The statistics page is open to whoever reaches its port.

    ## Problem
    The page asks for no password, or for one that stands in manuals and lists of defaults, and no
    rule asks who the client is.

    ## Why
    Measured on 2.6.12 and 2.8.25: any `stats` line turns the page on, and without `stats auth` it
    answers 200 to everybody: the names, addresses, states and loads of all servers. A section that
    has a `stats` line of its own inherits none from `defaults`: with `stats auth` there and
    `stats uri` here the page was open.

    ## In the log
    `web web/<STATS> 0/0/0/0/0 200 ... LR-- ... "GET /haproxy?stats HTTP/1.1"`

    ## Silent when
    The port is on a loopback address or a socket, or wants a certificate of the client; an
    `http-request` or `tcp-request` rule judges who asks (`src`, `http_auth`, ...); `stats
    http-request` denies or asks; the page is a backend that no frontend here leads to, or only on
    conditions about the client; the mode is tcp; `.if` decides. On private addresses only, it is
    information.

    ## Fix safety
    None: who may see the page, and with which password, is not known.

    ## Learnt
    The page is often on a port of its own, in a section that has only `stats` lines: the examples
    of tutorials without their last line.

    ## References
    - HAProxy configuration manual, section 4.2, keywords stats enable, stats auth, stats uri
    """

    code = "HAP801"
    name = "stats-open"
    severity = Severity.ERROR
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend stats
                bind :8404
                stats enable
                stats uri /stats
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                stats auth ops:Vq8-hw2k-Zz
            listen stats
                bind :8404
                stats uri /
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            listen stats
                bind :8404
                stats enable
                stats auth admin:admin
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend stats
                bind :8404
                stats uri /stats
                stats auth ops:Vq8-hw2k-Zz
            frontend local
                bind 127.0.0.1:8405
                stats uri /stats
            frontend office
                bind :8406
                http-request deny unless { src 10.0.0.0/8 }
                stats uri /stats
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for page in reachable_pages(config):
            if page.has_own_guard:
                continue
            credentials = page.of("auth")
            if not credentials:
                yield self._open(page)
            for line in credentials:
                if _is_published(line):
                    yield self._published(page, line)

    def _open(self, page: StatsPage) -> Finding:
        labels = [Label(page.port.span, "it can be reached here")]
        if page.lost:
            labels.append(
                Label(
                    page.lost[0].span,
                    "this holds only in sections without 'stats' lines of their own",
                )
            )
        return self.finding(
            page.statement,
            f"whoever reaches the port reads the statistics page {page.uri}: names, addresses and"
            " states of all servers",
            advice=_ADVICE,
            severity=Severity.WARNING if page.reach is Reach.ANYWHERE else Severity.INFO,
            related=tuple(labels),
        )

    def _published(self, page: StatsPage, line: Line) -> Finding:
        is_public = page.reach is Reach.ANYWHERE
        return self.finding(
            line,
            f"the password of the statistics page {page.uri} stands in manuals and lists of"
            " defaults, which attackers try first",
            advice="choose a password of its own",
            span=line.arguments[1].span,
            severity=Severity.ERROR if is_public else Severity.WARNING,
            related=(Label(page.port.span, "the page can be reached here"),),
        )


def _is_published(line: Line) -> bool:
    if len(line.arguments) < 2 or line.arguments[1].references:
        return False
    user, colon, password = line.values[1].partition(":")
    return bool(colon) and is_published(user, password)
