from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.syntax.haproxy.tree import Line

_FORMATS = ("httplog", "httpslog", "tcplog")


class NoLog(HaproxyRule):
    """Requests leave no line in a log, or one without status and termination state.

    ## Problem
    A frontend logs only when it has a `log` line, own or from its defaults, and `log global` only
    when the global section names a target. Without `option httplog`, a `log-format` or the like a
    line says who connected and nothing of the answer.

    ## Why
    What this linter warns of shows itself in the log of HAProxy: which server a 502 or 503 came
    from, after which time, in which termination state. Without it nobody can tell.

    ## In the log
    Nothing, or only: `Connect from 192.0.2.7:33333 to 192.0.2.1:80 (web/HTTP)`.

    ## Silent when
    `.if` decides about one of the lines; the frontend is disabled, or only shows statistics; the
    file is a part of a configuration.

    ## Fix safety
    None: where the log goes is the author's decision.

    ## Learnt
    30 of 48 findings in published files read, drawn: all right that nothing useful is logged. Where
    the global section has a target, what is missing is `log global`, and the message says so.

    ## References
    - HAProxy configuration manual, section 8 and section 4.2, keywords log and option httplog
    """

    code = "HAP904"
    name = "no-log"
    severity = Severity.INFO
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            frontend web
                bind 127.0.0.1:8080
                default_backend app

            backend app
                server s1 127.0.0.1:3000
            """
        ),
        Example.haproxy(
            """
            global
                log stdout format raw local0

            defaults
                mode http
                log global
                option dontlognull
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            frontend web
                bind 127.0.0.1:8080
                default_backend app

            backend app
                server s1 127.0.0.1:3000
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            global
                log stdout format raw local0

            defaults
                mode http
                log global
                option httplog
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            frontend web
                bind 127.0.0.1:8080
                default_backend app

            backend app
                server s1 127.0.0.1:3000
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole or config.is_fragment:
            return
        has_target = config.global_line("log") is not None
        silent: list[Proxy] = []
        poor: list[Proxy] = []
        for proxy in config.frontends:
            lines = list(proxy.lines("log"))
            if _is_left_alone(proxy, lines):
                continue
            if not any(_has_target(line, has_target) for line in lines):
                silent.append(proxy)
            elif not _has_format(proxy):
                poor.append(proxy)
        if silent:
            yield self.finding(
                silent[0].header,
                f"no {'request' if silent[0].is_http else 'connection'} is logged{_also(silent)}: "
                + ("'log global' is missing" if has_target else "there is no log target"),
                advice=("set" if has_target else "set 'log' in global, and")
                + " 'log global' with 'option httplog' (or tcplog in mode tcp) in defaults",
            )
        if poor:
            yield self.finding(
                poor[0].header,
                f"log lines have neither status nor termination state{_also(poor)}: no format is"
                " chosen",
                advice="set 'option httplog' (or tcplog in mode tcp)",
            )


def _also(proxies: list[Proxy]) -> str:
    return "" if len(proxies) == 1 else f" here and in {len(proxies) - 1} more"


def _is_left_alone(proxy: Proxy, lines: list[Line]) -> bool:
    if proxy.is_disabled or proxy.header.conditions or not proxy.binds:
        return True
    if any(line.conditions or line.modifier is not None for line in lines):
        return True
    return not (proxy.routes or proxy.servers) or not proxy.is_option_certain("httplog")


def _has_target(line: Line, has_global: bool) -> bool:
    return bool(line.arguments) and (line.values[0] != "global" or has_global)


def _has_format(proxy: Proxy) -> bool:
    return any(proxy.lines("log-format")) or any(
        any(proxy.lines("option", name)) for name in _FORMATS
    )
