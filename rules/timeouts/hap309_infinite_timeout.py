from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.timeouts.haproxy_placement import names
from gwlint.syntax.haproxy.tree import Line

_MODES = ("http", "tcp")


class InfiniteTimeout(HaproxyRule):
    """A timeout of 0 is none: a side that hangs holds its connection for ever.

    ## Problem
    `timeout client 0`, `timeout server 0` and `timeout connect 0` are written as if they were a
    choice, but mean the same as no timeout at all.

    ## Why
    Measured on HAProxy 2.6.12 with an application that hangs: without timeouts the client hung too;
    with them it got 504. HAProxy itself says "missing timeouts" of a 0 as of a timeout that is not
    there.

    ## In the log
    At start, and when the configuration is tested: `[WARNING] config : missing timeouts for
    frontend 'web'.` or `[WARNING] config : missing timeouts for backend 'app'.`

    ## Silent when
    No proxy with servers or a bind uses the value; another timeout, such as tunnel or check, is 0;
    the mode is neither http nor tcp.

    ## Fix safety
    No fix: how long a connection may be idle is the author's to say.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, section 4.2, timeout client, timeout server, timeout connect
    """

    code = "HAP309"
    name = "infinite-timeout"
    severity = Severity.WARNING
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 0

            backend app
                server one 127.0.0.1:3000
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
                timeout server 10m
                timeout tunnel 0

            backend app
                server one 127.0.0.1:3000
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        faulty: dict[Line, list[Proxy]] = {}
        for proxy in config.proxies:
            for kind in _needed(proxy):
                line = proxy.effective("timeout", kind).line
                timeout = proxy.timeout(kind)
                if line is not None and timeout is not None and timeout.seconds == 0:
                    faulty.setdefault(line, []).append(proxy)
        for line, proxies in faulty.items():
            side = line.arguments[0].value
            held = "connection attempts" if side == "connect" else f"{side}s that hang"
            yield self.finding(
                line,
                f"{line.normalised} is no timeout at all: {held} of {names(proxies)} are waited"
                " for without end",
                advice="write the longest time that the side may be silent, such as 1h",
                span=line.arguments[1].span,
            )


def _needed(proxy: Proxy) -> list[str]:
    """The timeouts that limit something in this proxy."""
    if proxy.mode not in _MODES:
        return []
    client = ["client"] if proxy.is_frontend and proxy.binds else []
    return [*client, "connect", "server"] if proxy.is_backend and proxy.servers else client
