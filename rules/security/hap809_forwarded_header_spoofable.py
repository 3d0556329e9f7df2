from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.security.forwarded_headers import FORWARDED_FOR, HEADERS, HeaderRules
from gwlint.rules.security.strangers import Gate, Reach, open_binds
from gwlint.syntax.haproxy.amend import line_after, line_before, replaced
from gwlint.syntax.haproxy.tree import Line


class ForwardedHeaderSpoofable(HaproxyRule):
    """What the application reads about the client may be what the client wrote.

    ## Problem
    X-Forwarded-For, X-Forwarded-Proto or the like is added to what the client sent, or set for some
    requests only, on a port that strangers reach.

    ## Why
    Measured on 2.6.12 and 2.8.25 with a client that sent X-Forwarded-For: 6.6.6.6 and
    X-Forwarded-Proto: https in the clear. `option forwardfor` added a second X-Forwarded-For behind
    the client's, and `add-header` did alike; with `if-none` the client's was the only one;
    `set-header X-Forwarded-Proto https if { ssl_fc }` let the client's https pass.

    ## In the log
    Nothing in HAProxy; the application logs the address that the client made up.

    ## Silent when
    The header is deleted or set for all requests, in the frontend or in the backend; a rule here
    reads the header, so that another proxy stands in front; a rule judges who asks (`src`, ...);
    the port is on a loopback or private address, or takes the PROXY protocol; plain requests are
    redirected, or no port is plain, and the header is set for TLS; rules in Lua, or with patterns,
    may treat it. Plain `option forwardfor` is information: an application that reads the last one
    is right, and the manual says so.

    ## Fix safety
    Deletes the client's header, or writes set-header. Unsafe: where another proxy stands in front
    after all, its header is lost.

    ## Learnt
    All that real files showed was plain `option forwardfor`: a fault only with applications that
    read the first address, hence information.

    ## References
    - HAProxy configuration manual, section 4.2, keywords option forwardfor, http-request set-header
    """

    code = "HAP809"
    name = "forwarded-header-spoofable"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :80
                option forwardfor if-none
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :80
                bind :443 ssl crt /etc/haproxy/site.pem
                http-request set-header X-Forwarded-Proto https if { ssl_fc }
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                option forwardfor
            frontend web
                bind :80
                http-request add-header X-Forwarded-Proto http
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
                option forwardfor
            frontend web
                bind :80
                bind :443 ssl crt /etc/haproxy/site.pem
                http-request del-header X-Forwarded-For
                http-request set-header X-Forwarded-Proto https if { ssl_fc }
                http-request set-header X-Forwarded-Proto http if !{ ssl_fc }
                default_backend app
            frontend inner
                bind 127.0.0.1:8080
                default_backend app
            backend app
                server s1 10.0.0.1:80
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole:
            return
        rules_by_backend: dict[str, HeaderRules] = {}
        for frontend in config.frontends:
            if frontend.is_disabled or not frontend.is_http or not _is_open(frontend):
                continue
            rules = HeaderRules(frontend)
            backends = _backends(config, frontend, rules_by_backend)
            if backends is None:
                continue
            yield from self._of_option(frontend, rules, backends)
            for header in sorted(HEADERS):
                if not rules.reads(header):
                    yield from self._of_rules(frontend, rules, header)

    def _of_option(
        self, frontend: Proxy, rules: HeaderRules, backends: list[HeaderRules]
    ) -> Iterator[Finding]:
        """`option forwardfor`, of the frontend or of the first backend that has it."""
        if rules.removes(FORWARDED_FOR) or rules.reads(FORWARDED_FOR):
            return
        own = frontend.option("forwardfor")
        for backend in backends:
            theirs = backend.proxy.option("forwardfor")
            lines = [line for line in (own, theirs) if line is not None]
            handled = backend.removes(FORWARDED_FOR) or backend.reads(FORWARDED_FOR)
            if not lines or handled or any(map(_names_another, lines)):
                continue
            line = lines[0]
            if line.conditions:
                continue
            passes_alone = all("if-none" in one.values for one in lines)
            yield self.finding(
                line,
                "the application gets the X-Forwarded-For that the client wrote, and nothing else"
                if passes_alone
                else "the X-Forwarded-For that a client writes stays in front of the one that"
                " HAProxy adds",
                advice="add 'http-request del-header X-Forwarded-For' to the frontend, unless"
                " another proxy stands in front of it",
                severity=Severity.WARNING if passes_alone else Severity.INFO,
                related=(Label(frontend.header.span, "strangers come in here"),),
                fix=_deletion(frontend, "X-Forwarded-For"),
            )
            return

    def _of_rules(self, frontend: Proxy, rules: HeaderRules, header: str) -> Iterator[Finding]:
        if rules.deletes(header):
            return
        adding = rules.of(header, "add-header")
        setting = rules.of(header, "set-header")
        if adding and not setting:
            line = adding[0]
            if line.section is frontend.section and not line.conditions:
                action = line.arguments[0]
                yield self.finding(
                    line,
                    f"the {line.values[1]} that a client writes stays in front of the one that"
                    " HAProxy adds",
                    advice="write set-header",
                    span=action.span,
                    fix=Fix(
                        "replace the client's header",
                        Safety.UNSAFE,
                        tuple(replaced(one.arguments[0], "set-header") for one in adding),
                    )
                    if rules.covers_all(adding)
                    else None,
                )
        elif setting and not _is_covered(frontend, rules, setting):
            line = setting[0]
            if line.section is not frontend.section or line.conditions:
                return
            name = line.values[1]
            yield self.finding(
                line,
                f"requests that this condition leaves out keep the {name} that the client wrote",
                advice=f"put 'http-request del-header {name}' before",
                span=line.arguments[1].span,
                fix=Fix(
                    "delete the client's header",
                    Safety.UNSAFE,
                    (line_before(line, f"http-request del-header {name}"),),
                ),
            )


def _is_open(frontend: Proxy) -> bool:
    """Whether strangers come in directly, as far as addresses and rules tell."""
    binds = [bind for _, bind, reach in open_binds(frontend) if reach is Reach.ANYWHERE]
    is_direct = any("accept-proxy" not in bind for bind in binds)
    expects = any(frontend.lines("tcp-request", "connection", "expect-proxy"))
    return is_direct and not expects and not Gate(frontend).turns_strangers_away


def _backends(
    config: HaproxyConfig, frontend: Proxy, known: dict[str, HeaderRules]
) -> list[HeaderRules] | None:
    """The backends with servers that requests of a frontend go to; None when there is none."""
    names = dict.fromkeys(route.backend.value for route in frontend.routes)
    proxies = [config.backend_by_name[name] for name in names if name in config.backend_by_name]
    if frontend.is_backend:
        proxies.append(frontend)
    found = [proxy for proxy in proxies if proxy.is_http and proxy.servers]
    if not found:
        return None
    for proxy in found:
        if proxy.name not in known:
            known[proxy.name] = HeaderRules(proxy)
    return [known[proxy.name] for proxy in found]


def _names_another(option: Line) -> bool:
    """Whether `header NAME` names another header than X-Forwarded-For."""
    values = option.values
    if "header" not in values[:-1]:
        return False
    return values[values.index("header") + 1].lower() != FORWARDED_FOR


def _is_covered(frontend: Proxy, rules: HeaderRules, setting: list[Line]) -> bool:
    """Whether all requests that go on have the header set."""
    if rules.covers_all(setting):
        return True
    is_about_tls = any(
        "ssl_fc" in word.value for line in (*setting, *frontend.lines("acl")) for word in line.words
    )
    if not is_about_tls:
        return True
    is_plain = any("ssl" not in bind for _, bind in frontend.binds)
    return not is_plain or _redirects_plain_requests(frontend)


def _redirects_plain_requests(frontend: Proxy) -> bool:
    return any(
        line.values[index : index + 2] == ["scheme", "https"]
        for keyword in ("redirect", "http-request")
        for line in frontend.lines(keyword)
        for index in range(len(line.values) - 1)
    )


def _deletion(frontend: Proxy, header: str) -> Fix | None:
    edit = _first_rule(frontend, f"http-request del-header {header}")
    if edit is None:
        return None
    return Fix("delete the client's header", Safety.UNSAFE, (edit,))


def _first_rule(frontend: Proxy, statement: str) -> Edit | None:
    """The statement as the first `http-request` rule, behind what runs before such rules."""
    rules = frontend.own("http-request")
    if rules:
        return None if rules[0].conditions else line_before(rules[0], statement)
    before = [
        line
        for line in frontend.section.lines
        if line.keyword in ("bind", "tcp-request") and not line.conditions
    ]
    return line_after(before[-1], statement) if before else None
