from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.syntax.haproxy.amend import replaced
from gwlint.syntax.haproxy.tree import Line

_HEADER = "strict-transport-security"
_SETTING = frozenset({"add-header", "set-header"})
_TOUCHING = _SETTING | {"del-header", "replace-header", "replace-value"}
_ENDING = frozenset({"allow", "deny", "return"})
_SINCE = "2.2"


class HstsMissingOnErrors(HaproxyRule):
    """What HAProxy answers by itself lacks the Strict-Transport-Security header.

    ## Problem
    The header is set with `http-response`, whose rules see only what servers answer.

    ## Why
    Measured on 2.6.12 and 2.8.25: with `http-response set-header` the 503 without a server, the 403
    of `deny`, the redirect and the answer of `return` came without the header; with
    `http-after-response set-header` each of them had it, and the servers' answers too. A browser
    that sees only such an answer at its first visit learns nothing.

    ## In the log
    Nothing.

    ## Silent when
    `http-after-response` sets it in the same section, or in each frontend that leads to the
    backend; the target is below 2.2, which has no such rules; the mode is tcp.

    ## Fix safety
    Writes `http-after-response`. Safe: answers of servers keep the header, others get it. There is
    none where a rule of `http-response` ends the list or touches the header again.

    ## Versions
    `http-after-response` needs HAProxy 2.2. Without a target it is taken to be there.

    ## Versions
    `http-after-response` exists from HAProxy 2.2 on; for an older target nothing is said.

    ## Learnt
    Nearly all real files that set the header set it this way.

    ## References
    - HAProxy configuration manual, section 4.2, keywords http-after-response, http-response
    - RFC 6797, section 7.1
    """

    code = "HAP808"
    name = "hsts-missing-on-errors"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :443 ssl crt /etc/haproxy/site.pem
                http-response set-header Strict-Transport-Security max-age=63072000
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :443 ssl crt /etc/haproxy/site.pem
                http-after-response set-header Strict-Transport-Security max-age=63072000
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if config.is_older_than(_SINCE):
            return
        for proxy in config.proxies:
            mode = proxy.effective("mode")
            if proxy.is_disabled or (mode.is_set and not proxy.is_http):
                continue
            lines = _setting(proxy, "http-response")
            if not lines or _is_set_after(config, proxy):
                continue
            for line in lines:
                yield self._found(proxy, line)

    def _found(self, proxy: Proxy, line: Line) -> Finding:
        keyword = line.words[0]
        is_fixable = _is_alone(proxy, line)
        return self.finding(
            line,
            "answers of HAProxy itself, such as a 503 or a redirect, lack Strict-Transport-Security"
            ": http-response rules see only the answers of servers",
            advice=f"write http-after-response (HAProxy {_SINCE} and newer)",
            span=keyword.span,
            fix=Fix(
                "set it on all answers",
                Safety.SAFE,
                (replaced(keyword, "http-after-response"),),
            )
            if is_fixable
            else None,
        )


def _setting(proxy: Proxy, keyword: str) -> list[Line]:
    return [
        line
        for line in proxy.own(keyword)
        if len(line.values) > 1 and line.values[0] in _SETTING and line.values[1].lower() == _HEADER
    ]


def _is_set_after(config: HaproxyConfig, proxy: Proxy) -> bool:
    if _setting(proxy, "http-after-response"):
        return True
    users = [one for one in config.users_of(proxy) if one is not proxy] if proxy.is_backend else []
    return bool(users) and all(_setting(one, "http-after-response") for one in users)


def _is_alone(proxy: Proxy, line: Line) -> bool:
    """Whether no other rule for answers hides this one or changes what it sets."""
    for other in proxy.lines("http-response"):
        values = other.values
        if other is line or not values:
            continue
        if values[0] in _ENDING or values[0].startswith("lua."):
            return False
        touches = len(values) > 1 and values[0] in _TOUCHING
        if touches and (values[1].lower() == _HEADER or "-m" in values):
            return False
    return True
