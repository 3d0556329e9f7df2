from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.syntax.haproxy.tree import Line, Section

_IGNORED = frozenset(
    {
        "cookie", "http-after-response", "http-request", "http-response", "monitor-uri", "redirect",
        "stats",
    }
)  # fmt: skip
"""Measured on 2.6.12 and 2.8.25: HAProxy warns that it ignores them in mode tcp."""

_IGNORED_OPTIONS = frozenset({"forwardfor", "http-buffer-request", "originalto"})
_HASHES = ("hdr(", "uri", "url_param")
_NEEDS_FRONTEND = frozenset({"monitor-uri"})


class HttpRuleInTcpMode(HaproxyRule):
    """A line that needs mode http stands in a section of mode tcp, and is ignored.

    ## Problem
    http-request rules, redirects, cookies, statistics, `observe layer7` and the like do nothing in
    mode tcp, which is also the mode where nobody sets one. `option httplog` becomes tcplog.

    ## Why
    Measured on 2.6.12 and 2.8.25: HAProxy starts with a warning and ignores them; `balance uri`,
    `hdr` and `url_param` become roundrobin. What was to be denied passes. Of `observe layer7` it
    says [ALERT], starts all the same, and counts no error: a server that answered 500 stayed in.

    ## In the log
    `[WARNING] config : 'http-request' rules ignored for frontend 'web' as they require HTTP mode.`

    ## Silent when
    The line is inherited from a defaults section, which may be meant for others; the connection is
    upgraded by `tcp-request content switch-mode http`; the mode stands in an `.if` block, or may be
    set in a file that was not read; the section is disabled. `option httplog` that is inherited is
    info, although HAProxy warns of it.

    ## Fix safety
    None: `mode http` changes everything that the section does.

    ## Learnt
    In the real configuration where it was found, TLS is passed through to the servers: the sections
    set headers and cookies that no client or server ever sees. All 10 findings in published files
    read, all right.

    ## References
    - HAProxy configuration manual, section 4.2, keyword mode
    """

    code = "HAP602"
    name = "http-rule-in-tcp-mode"
    severity = Severity.WARNING
    bad = (
        Example.haproxy(
            """
            defaults
                timeout connect 5s
            frontend web
                bind :8080
                http-request deny if { src 10.1.0.0/16 }
                default_backend app
            backend app
                balance uri
                cookie S insert
                option forwardfor
                server s1 10.0.0.1:80 cookie a
            """
        ),
        Example.haproxy(
            """
            defaults
                mode tcp
                log global
                option httplog
                timeout connect 5s
            listen app
                bind :8080
                server s1 10.0.0.1:80 check observe layer7 on-error mark-down
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                option forwardfor
            frontend web
                bind :8080
                http-request deny if { src 10.1.0.0/16 }
                default_backend app
            backend app
                balance uri
                server s1 10.0.0.1:80
            frontend raw
                mode tcp
                bind :8081
                tcp-request connection reject if { src 10.1.0.0/16 }
                default_backend app
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole:
            return
        told: set[Line] = set()
        for proxy in config.proxies:
            mode = proxy.effective("mode")
            if proxy.mode != "tcp" or not mode.is_certain or proxy.is_disabled:
                continue
            if any(word.references for word in mode.words) or _switches(proxy):
                continue
            yield from self._proxy(proxy)
            yield from self._servers(proxy)
            line = _http_log(proxy)
            if line is not None and line not in told:
                told.add(line)
                yield self._log(proxy, line)

    def _servers(self, proxy: Proxy) -> Iterator[Finding]:
        for server in proxy.servers:
            observe = server.parameter("observe")
            if observe is None or observe.value is None or observe.value.value != "layer7":
                continue
            is_own = server.parsed.last("observe") is not None
            yield self.finding(
                server.line,
                f'{proxy.kind} "{proxy.name}" is in mode tcp, where "observe layer7" is ignored: no'
                " error of this server is counted",
                advice="write observe layer4, or set 'mode http'",
                severity=Severity.WARNING,
                span=observe.keyword.span if is_own else server.line.span,
            )
            return

    def _log(self, proxy: Proxy, line: Line) -> Finding:
        is_own = line.section is proxy.section
        return self.finding(
            line,
            f'{proxy.kind} "{proxy.name}" is in mode tcp, where "option {line.values[0]}" falls'
            " back to tcplog, with a warning",
            advice="write 'option tcplog' in that section",
            severity=Severity.WARNING if is_own else Severity.INFO,
            span=line.words[0].span,
        )

    def _proxy(self, proxy: Proxy) -> Iterator[Finding]:
        mode = proxy.effective("mode")
        cause = Label(
            mode.span or proxy.header.span,
            "mode tcp" if mode.is_set else "no mode is set, so it is tcp",
        )
        seen: dict[str, int] = {}
        for line in proxy.section.lines:
            what = _needs_http(line, proxy)
            if what is None:
                continue
            seen[what] = seen.get(what, 0) + 1
            if seen[what] > 1:
                continue
            effect = (
                "balances by roundrobin instead"
                if line.keyword == "balance"
                else "is ignored, and so are all others of this section"
                if line.keyword.startswith(("http-", "redirect"))
                else "is ignored"
            )
            yield self.finding(
                line,
                f'{proxy.kind} "{proxy.name}" is in mode tcp, where "{what}" {effect}',
                advice="set 'mode http', or remove the line",
                span=line.words[0].span,
                related=(cause,),
            )


_LOG_OPTIONS = frozenset({"httplog", "httpslog", "tcplog"})
_HTTP_LOGS = frozenset({"httplog", "httpslog"})


def _http_log(proxy: Proxy) -> Line | None:
    """The line that chooses a log format of HTTP for a frontend, if that is the last word on it."""
    if not proxy.is_frontend:
        return None
    for section in (proxy.section, *proxy.defaults):
        chosen = _log_choices(section)
        if any(line.conditions for line in chosen):
            return None
        if chosen:
            last = chosen[-1]
            is_http = last.keyword == "option" and last.values[0] in _HTTP_LOGS
            return last if is_http and last.modifier is None else None
    return None


@lru_cache(maxsize=1024)
def _log_choices(section: Section) -> tuple[Line, ...]:
    """Remembered, since thousands of proxies may have one defaults section."""
    return tuple(line for line in section.lines if _chooses_log(line))


def _chooses_log(line: Line) -> bool:
    if line.keyword == "option":
        return bool(line.arguments) and line.values[0] in _LOG_OPTIONS
    return line.keyword == "log-format"


def _switches(proxy: Proxy) -> bool:
    return any("switch-mode" in line.values for line in proxy.lines("tcp-request"))


def _needs_http(line: Line, proxy: Proxy) -> str | None:
    """What of the line mode tcp ignores; None when it has a meaning there."""
    if line.modifier is not None or line.conditions or not line.arguments:
        return None
    first = line.values[0]
    if line.keyword == "option" and first in _IGNORED_OPTIONS:
        return f"option {first}"
    if line.keyword == "balance" and first.startswith(_HASHES) and proxy.is_backend:
        return f"balance {first}"
    # Elsewhere they do nothing in mode http either, which is another matter (HAP003).
    is_misplaced = (line.keyword in _NEEDS_FRONTEND and not proxy.is_frontend) or (
        line.keyword == "cookie" and not proxy.is_backend
    )
    return line.keyword if line.keyword in _IGNORED and not is_misplaced else None
