from __future__ import annotations

from collections.abc import Iterator, Sequence

from gwlint.edits import Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.addresses.haproxy_references import Missing, missing_references
from gwlint.rules.addresses.haproxy_server_names import server_names
from gwlint.source import decode
from gwlint.syntax.haproxy.amend import replaced
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.nearest import nearest

MOST_SUGGESTIONS = 100
"""How many missing names are compared with those that exist, which may be thousands. So many are no
typing mistakes."""


class UndefinedBackend(HaproxyRule):
    """A route leads to a backend or server that does not exist, or another name to nothing.

    ## Problem
    `use_backend` and `default_backend` name a `backend` or `listen` section, `use-server` a server
    of its own section. So do other names: `resolvers` and `track` of a server, `from` of a section,
    the stick table of `stick` and `track-sc0` rules (their own section's without `table`), caches,
    peers, mailers, http-errors, fcgi-app, rings, the filters of set-bandwidth-limit and
    send-spoe-group, the groups of users, and what samples name: `nbsrv(app)`, `http_auth(staff)`.

    ## Why
    Measured on 2.6.12 and 2.8.25: HAProxy refuses the configuration, so it does not start, and a
    reload keeps the old one. Of a ring that does not exist `haproxy -c` says nothing; only the
    start fails. A `peers` section in which no peer has the name of `localpeer` is left out with a
    warning, and tables are not shared.

    ## In the log
    `[ALERT] config : Proxy 'web': unable to find required default_backend: 'apps'.`,
    `[ALERT] config : backend 'app' : unable to find server 's3' referenced in a 'use-server' rule.`

    ## Silent when
    The name comes from a log-format expression or an environment variable, which HAProxy resolves
    while it runs; the section is disabled; the file has neither `global` nor `defaults`, so that
    it is a part of a configuration. In an `.if` block it is a warning.

    ## Fix safety
    Unsafe: the one name that is near may not be the one that was meant.

    ## Learnt
    9 of 20 findings in published files read, all right; none of them stands in a file that is in
    use.

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
        Example.haproxy(
            """
            global
                log ring@buffer local0
            defaults
                mode http
            userlist staff
                user joe password $6$abc$def groups admins
            frontend web
                bind :8080
                http-request auth unless { http_auth(staf) }
                http-request deny if { nbsrv(ap) lt 1 }
                default_backend app
            backend app
                stick-table type ip size 1m peers mesh
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
        self._compared = 0
        for missing in missing_references(config):
            if missing.is_refused:
                yield self._undefined(
                    missing.line, missing.word, missing.what, missing.known, missing.name
                )
            else:
                yield self._left_out(missing)
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

    def _left_out(self, missing: Missing) -> Finding:
        return self.finding(
            missing.line,
            f'no {missing.what} of this section is named "{missing.name}", as this HAProxy is, so'
            " it does without the section",
            advice=f"add {missing.what} {missing.name}, or correct localpeer in global",
            span=missing.word.span,
            severity=Severity.WARNING,
        )

    def _servers(self, proxy: Proxy) -> Iterator[Finding]:
        lines = [line for line in proxy.own("use-server") if line.arguments]
        if not lines:
            return
        names = server_names(proxy)
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
        self._compared += 1
        near = nearest(missing, names) if self._compared <= MOST_SUGGESTIONS else []
        fix = None
        advice = f"define {what} {missing}, or name one that exists"
        if len(near) == 1:
            advice = f"write {near[0]}, if that is what was meant"
            fix = _renamed(word, missing, near[0])
        where = " in this section" if line.keyword == "use-server" else ""
        return self.finding(
            line,
            f'there is no {what} "{missing}"{where}, so HAProxy does not start',
            advice=advice,
            span=word.span,
            severity=Severity.WARNING if line.conditions else Severity.ERROR,
            fix=fix,
        )


def _renamed(word: Word, name: str, other: str) -> Fix | None:
    """The word with another name in the place of the one; None where that is not certain."""
    text = name if word.value == name else decode(word.raw)
    if text.count(name) != 1:
        return None
    return Fix(f"write {other}", Safety.UNSAFE, (replaced(word, text.replace(name, other)),))
