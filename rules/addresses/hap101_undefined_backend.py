from __future__ import annotations

from collections.abc import Iterator, Sequence

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.addresses.haproxy_references import missing_references
from gwlint.syntax.haproxy.amend import replaced
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.nearest import nearest
from gwlint.syntax.values.server_line import parse_template_range

_MOST_TEMPLATE_SERVERS = 10_000
"""More names than this are not written out: a rule must not take longer than the server."""


class UndefinedBackend(HaproxyRule):
    """A route leads to a backend or server that does not exist, or another name to nothing.

    ## Problem
    `use_backend` and `default_backend` name a `backend` or `listen` section, `use-server` a server
    of its own section. So do other names: `resolvers` and `track` of a server, `from` of a section,
    the stick table of `stick` and `track-sc0` rules (their own section's without `table`), and
    `filter cache`.

    ## Why
    Measured on 2.6.12 and 2.8.25: HAProxy refuses the configuration, so it does not start, and a
    reload keeps the old one.

    ## In the log
    [ALERT] config : Proxy 'web': unable to find required default_backend: 'apps'.,
    [ALERT] config : backend 'app' : unable to find server 's3' referenced in a 'use-server' rule.

    ## Silent when
    The name comes from a log-format expression or an environment variable, which HAProxy resolves
    while it runs; the section is disabled; the file has neither `global` nor `defaults`, so that
    it is a part of a configuration. In an `.if` block it is a warning.

    ## Fix safety
    Unsafe: the one name that is near may not be the one that was meant.

    ## References
    - HAProxy configuration manual, section 4.2, keywords use_backend, default_backend, use-server
    """

    code = "HAP101"
    name = "undefined-backend"
    severity = Severity.ERROR
    fix = Safety.UNSAFE
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080
                use_backend static if { path_beg /static }
                default_backend aps
            backend apps
                use-server s3 if { path /three }
                server s1 10.0.0.1:80
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :8080
                default_backend web-servrs
            backend web-servers
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
                bind :8080
                use_backend %[req.hdr(host),lower]
                use_backend "$BACKEND" if { path /x }
                default_backend apps
            backend apps
                use-server s2 if { path /two }
                server-template s 1-3 10.0.0.1:80
            """
        ),
        Example.haproxy("frontend web\n    bind :8080\n    default_backend elsewhere\n"),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        if not config.is_whole:
            return
        for missing in missing_references(config):
            yield self._undefined(
                missing.line, missing.word, missing.what, missing.known, missing.name
            )
        backends = list(config.backend_by_name)
        # A name from the environment may be any of them.
        are_known = not any(
            proxy.section.name is not None and proxy.section.name.references
            for proxy in config.backends
        )
        for proxy in config.proxies:
            if proxy.is_disabled:
                continue
            if proxy.is_frontend and are_known:
                for route in proxy.routes:
                    name = route.backend.value
                    if not route.is_dynamic and name and name not in config.backend_by_name:
                        yield self._undefined(route.line, route.backend, "backend", backends)
            if proxy.is_backend:
                yield from self._servers(proxy)

    def _servers(self, proxy: Proxy) -> Iterator[Finding]:
        lines = [line for line in proxy.own("use-server") if line.arguments]
        if not lines:
            return
        names = _server_names(proxy)
        if names is None:
            return
        for line in lines:
            word = line.arguments[0]
            if "%" not in word.value and not word.references and word.value not in names:
                yield self._undefined(line, word, "server", list(names))

    def _undefined(
        self, line: Line, word: Word, what: str, names: Sequence[str], name: str | None = None
    ) -> Finding:
        """`name` is what is missing, where it is not the word itself."""
        missing = word.value if name is None else name
        near = nearest(missing, names)
        fix = None
        advice = f"define {what} {missing}, or name one that exists"
        if len(near) == 1:
            advice = f"write {near[0]}, if that is what was meant"
            fix = Fix(f"write {near[0]}", Safety.UNSAFE, (replaced(word, near[0]),))
        where = " in this section" if what == "server" else ""
        return self.finding(
            line,
            f'there is no {what} "{missing}"{where}, so HAProxy does not start',
            advice=advice,
            span=word.span,
            severity=Severity.WARNING if line.conditions else Severity.ERROR,
            fix=fix,
        )


def _server_names(proxy: Proxy) -> dict[str, None] | None:
    """The names of the servers of a backend, in order; None when they are not all known."""
    names: dict[str, None] = {}
    for server in proxy.servers:
        parsed = server.parsed
        if parsed.name is None:
            continue
        if parsed.name.references or (parsed.count is not None and parsed.count.references):
            return None
        if parsed.count is None:
            names[parsed.name.value] = None
            continue
        span = parse_template_range(parsed.count.value)
        if span is None or span.size > _MOST_TEMPLATE_SERVERS:
            return None
        names.update((f"{parsed.name.value}{n}", None) for n in range(span.low, span.high + 1))
    return names
