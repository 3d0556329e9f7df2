from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.timeouts.haproxy_placement import (
    by_home,
    is_written_conditionally,
    names,
    setting_added,
)

_VALUES = {"connect": "5s", "client": "30s", "server": "30s"}
_MODES = ("http", "tcp")

_OLD_NAMES = {"client": "clitimeout", "connect": "contimeout", "server": "srvtimeout"}


class MissingTimeouts(HaproxyRule):
    """A proxy has no timeout, so a hung application or client holds its connection for ever.

    ## Problem
    `timeout connect`, `timeout client` and `timeout server` have no default: without them HAProxy
    waits without end.

    ## Why
    Measured on HAProxy 2.6.12 with an application that hangs: without timeouts the client hung too;
    with them it got 504. Connections pile up until maxconn is reached, and then nobody is served.

    ## In the log
    At start, and when the configuration is tested: `[WARNING] config : missing timeouts for
    frontend 'web'.` or `[WARNING] config : missing timeouts for backend 'app'.`

    ## Silent when
    The file holds neither global nor defaults, so that others complete it; `.if` decides whether
    the timeout is there; the proxy is not in mode http or tcp.

    ## Fix safety
    Adds what is missing to the defaults section, or to the proxy where it has none: connect 5s,
    client and server 30s. Unsafe, because a request that takes longer is then ended.

    ## Learnt
    All 7 findings in published files read, all right, none of them in a file that is in use.

    ## References
    - HAProxy configuration manual, section 4.2, timeout connect, timeout client, timeout server
    """

    code = "HAP301"
    name = "missing-timeouts"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s

            frontend www
                bind :8080
                default_backend app

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

            frontend www
                bind :8080
                default_backend app

            backend app
                timeout server 30s
                server one 127.0.0.1:3000
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole:
            return
        faulty = [proxy for proxy in config.proxies if _missing(proxy)]
        for section, proxies in by_home(faulty).items():
            kinds = [kind for kind in _VALUES if any(kind in _missing(one) for one in proxies)]
            missing = " and ".join(f"timeout {kind}" for kind in kinds)
            yield self.finding(
                section.header,
                f"no {missing} for {names(proxies)}: a side that hangs holds its connection"
                " for ever",
                advice=f"set {missing} here",
                fix=Fix(
                    f"set {missing}",
                    Safety.UNSAFE,
                    (setting_added(section, *(f"timeout {one} {_VALUES[one]}" for one in kinds)),),
                ),
            )


def _missing(proxy: Proxy) -> list[str]:
    """The timeouts that the proxy needs and has not."""
    if proxy.mode not in _MODES:
        return []
    needed = []
    if proxy.is_frontend and proxy.binds:
        needed.append("client")
    if proxy.is_backend and proxy.servers:
        needed += ["connect", "server"]
    return [
        kind
        for kind in needed
        if not proxy.effective("timeout", kind).is_set
        and not is_written_conditionally(proxy, "timeout", kind)
        and not _is_said_of_old(proxy, kind)
    ]


def _is_said_of_old(proxy: Proxy, kind: str) -> bool:
    """Whether it is set by its name before 2.1, which HAP005 replaces."""
    old = _OLD_NAMES[kind]
    return any(proxy.lines(old)) or any(proxy.lines("timeout", old))
