from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.addresses.haproxy_unused import names_in, unused_names
from gwlint.syntax.haproxy.tree import Line


class UnusedBackend(HaproxyRule):
    """A backend that nothing routes to, an ACL that no condition asks, or another unused name.

    ## Problem
    A backend is named by no `use_backend` or `default_backend`, an ACL by no condition of its
    section. Often the name is misspelt where it was to be used, or the route was forgotten. The
    same holds for sections that only count where they are named (resolvers, userlist, peers, cache,
    mailers, http-errors, fcgi-app, ring), defaults that no proxy inherits, stick tables and
    bandwidth limits of which no rule makes use, maps that rules write and nothing reads, and for
    cookies: values of servers without a `cookie` line, or that line without values.

    ## Why
    HAProxy accepts both without a word (measured on 2.6.12 and 2.8.25). Health checks of an unused
    backend run all the same; a condition that was forgotten protects nothing. With `cookie S
    insert` and no value on any server, or values and no `cookie` line, requests with the cookie
    went to the servers in turn.

    ## In the log
    Nothing.

    ## Silent when
    The name stands anywhere else in the configuration: as a stick-table, in a sample fetch such as
    `nbsrv(name)`, in `track name/server`; a backend is chosen by a variable or an expression, or
    HAProxy loads Lua programs; the backend only holds a stick-table; the configuration has no
    frontend, or neither `global` nor `defaults`, so that other files complete it. ACLs in
    `defaults` sections are for the sections that inherit. Cookie values may be made by
    `dynamic-cookie-key`, and maps be read by Lua programs.

    ## Fix safety
    None: either it is to be used, or to go.

    ## Learnt
    An ACL may be declared in two sections and asked for in one of them only; each is judged alone.
    10 findings in published files read, all right.

    ## References
    - HAProxy configuration manual, section 4.2, keywords use_backend and acl
    """

    code = "HAP113"
    name = "unused-backend"
    severity = Severity.INFO
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080
                acl is_api path_beg /api
                acl is_static path_beg /static
                use_backend api if is_api
                default_backend api
            backend api
                server s1 10.0.0.1:80
            backend static
                server s1 10.0.0.2:80
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            resolvers dns
                parse-resolv-conf
            userlist staff
                user joe password $6$abc$def
            frontend web
                bind :8080
                stick-table type ip size 1m
                http-request add-acl(/etc/haproxy/block.lst) %[src] if { path /block }
                default_backend api
            backend api
                cookie S insert
                server s1 10.0.0.1:80
            backend static
                server s1 10.0.0.2:80 cookie a
        """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080
                acl is_api path_beg /api
                http-request track-sc0 src table rates
                use_backend api if is_api
                use_backend maintenance if { nbsrv(api) lt 1 }
            backend api
                server s1 10.0.0.1:80 track checked/s1
            backend maintenance
                http-request return status 503
            backend rates
                stick-table type ip size 1m store http_req_rate(10s)
            backend checked
                server s1 10.0.0.1:80 check
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if _knows_all_routes(config):
            named = names_in(line for line in config.lines if not _is_header(line))
            has_agents = any(proxy.own("filter", "spoe") for proxy in config.proxies)
            for proxy in config.proxies:
                if has_agents and not proxy.is_http:
                    continue  # the file of a SPOE filter may name it
                if proxy.kind == "backend" and proxy.name not in named and _serves(proxy):
                    name = proxy.section.name
                    yield self.finding(
                        proxy.header,
                        f'nothing routes to backend "{proxy.name}"',
                        advice="add the use_backend that was meant, or remove it",
                        span=proxy.header.span if name is None else name.span,
                    )
        for proxy in config.proxies:
            yield from self._acls(proxy)
        for unused in unused_names(config):
            yield self.finding(unused.line, unused.message, advice=unused.advice, span=unused.span)

    def _acls(self, proxy: Proxy) -> Iterator[Finding]:
        declarations = [line for line in proxy.own("acl") if len(line.arguments) > 1]
        if not declarations:
            return
        asked = names_in(line for line in proxy.section.lines if line.keyword != "acl")
        # An ACL may hang on variables: `if is_"$NAME"`.
        if any(word.references for line in proxy.section.lines for word in line.words):
            return
        reported: set[str] = set()
        for line in declarations:
            name = line.arguments[0]
            if name.value in asked or name.value in reported:
                continue
            reported.add(name.value)
            yield self.finding(
                line,
                f'no condition of this section asks for ACL "{name.value}"',
                advice="add the condition that was meant, or remove the ACL",
                span=name.span,
            )


def _is_header(line: Line) -> bool:
    return line.section is not None and line.section.header is line


def _knows_all_routes(config: HaproxyConfig) -> bool:
    if not config.is_whole or not any(proxy.routes or proxy.servers for proxy in config.frontends):
        return False
    if config.global_line("lua-load") or config.global_line("lua-load-per-thread"):
        return False
    return not any(route.is_dynamic for proxy in config.frontends for route in proxy.routes)


def _serves(proxy: Proxy) -> bool:
    """Whether the backend is there for requests: it has servers and is switched on."""
    return bool(proxy.servers) and not proxy.is_disabled and not proxy.header.conditions
