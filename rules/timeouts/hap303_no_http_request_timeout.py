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

_VALUE = "10s"


class NoHttpRequestTimeout(HaproxyRule):
    """A client may take for ever to send its request headers.

    ## Problem
    `timeout client` starts anew with each byte. Only `timeout http-request` limits how long the
    headers as a whole may take, and it has no default.

    ## Why
    Measured on HAProxy 2.6.12: clients that send a byte a second were never cut off, whatever
    `timeout client` said, and kept the frontend's slots; with `timeout http-request` they got 408
    and everybody else was served. A few hundred such clients fill maxconn.

    ## In the log
    Nothing until the clients leave: `web/<NOSRV> ... 400 ... CR--`. With the timeout
    `web/<NOSRV> ... 408 ... cR--`.

    ## Silent when
    The frontend is not in mode http or has no bind; the file holds neither global nor defaults, so
    that others complete it; `.if` decides whether the timeout is there.

    ## Fix safety
    Adds `timeout http-request 10s` to the defaults section, or to the frontend where it has none.
    It ends nothing but requests whose headers take more than ten seconds, so the fix is safe.

    ## Learnt
    10 of 43 findings in published files read, all right.

    ## References
    - HAProxy configuration manual, section 4.2, timeout http-request
    """

    code = "HAP303"
    name = "no-http-request-timeout"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

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
                timeout server 30s
                timeout http-request 10s

            frontend www
                bind :8080
                default_backend app

            backend app
                server one 127.0.0.1:3000
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole:
            return
        faulty = [proxy for proxy in config.frontends if _is_faulty(proxy)]
        for section, proxies in by_home(faulty).items():
            yield self.finding(
                section.header,
                f"no timeout http-request for {names(proxies)}: clients that send their headers"
                " slowly keep their slots for ever",
                advice="set timeout http-request, such as 10s",
                fix=Fix(
                    "limit the time for request headers",
                    Safety.SAFE,
                    (setting_added(section, f"timeout http-request {_VALUE}"),),
                ),
            )


def _is_faulty(proxy: Proxy) -> bool:
    if not proxy.is_http or not proxy.binds:
        return False
    return not proxy.effective("timeout", "http-request").is_set and not is_written_conditionally(
        proxy, "timeout", "http-request"
    )
