from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.syntax.haproxy_obsolete import (
    BIND_PROCESS,
    HIDDEN_HEADERS,
    IN_GLOBAL,
    INSTEAD,
    MAILERS_GONE,
    MASTER_WORKER,
    MODE_HEALTH,
    NEWEST,
    OLDEST,
    PROGRAM,
    RENAMED,
    WARNED,
    WITHOUT_EFFECT,
    Obsolete,
    edits_for,
    has_hidden_headers,
    httpchk_edits,
)
from gwlint.rules.syntax.statements import Statement, statements
from gwlint.source import Span
from gwlint.syntax.haproxy.amend import words_removed
from gwlint.syntax.haproxy.tree import Line, Section
from gwlint.syntax.values.bind_line import parse_bind


class RemovedOrDeprecated(HaproxyRule):
    """The line is one that newer versions of HAProxy no longer understand.

    ## Problem
    Old keywords went, one after the other: clitimeout, reqadd, block and monitor-net with 2.1,
    `option forceclose` with 2.0, nbproc with 2.5, bind-process and headers behind the version of
    `option httpchk` with 2.7, `program` and the sending of mails with 3.3; dispatch, transparent
    and `master-worker` without argument go with 3.5.

    ## Why
    Measured on 2.6.12 and 2.8.25: HAProxy refuses the configuration, so it does not start, and a
    reload keeps the old one. An upgrade that changes nothing else takes the site down.

    ## In the log
    `[ALERT] config : the 'clitimeout' directive is not supported anymore since HAProxy 2.1. Use
    'timeout client'.`

    ## Silent when
    The target is older than the version that took the keyword away, unless it warns already.
    Without a target, what all versions since 2.4 refuse is an error, what newer ones refuse a
    warning, and what no stable version refuses yet is info. In an `.if` block nothing is an error,
    since that may ask for a version.

    ## Fix safety
    Safe: with the old line HAProxy does not start, and the new one says the same. What has no
    effect is removed, as HAProxy itself advises (forceclose, nbproc, http-use-htx). Rewriting of
    headers by regular expressions is left to the author, as are rules in `defaults`, where the new
    ones may not stand, and checks in `defaults`.

    ## Versions
    Each keyword has the version that refuses it, and the one that warns of it. Without a target,
    what HAProxy 2.4 refuses is an error, what newer ones refuse a warning, and what no stable one
    refuses yet info.

    ## Learnt
    Headers behind `option httpchk` still start on 2.6, with a warning, and fail on the next
    upgrade: they are the form that runs unnoticed today. 10 of 12 findings in published files read,
    all right.

    ## References
    - HAProxy configuration manual, section 4.2, and the alerts of HAProxy itself
    - Announcement of HAProxy 3.5-dev2, https://www.mail-archive.com/haproxy@formilux.org/msg47317.html
    """

    code = "HAP005"
    name = "removed-or-deprecated"
    severity = Severity.ERROR
    fix = Safety.SAFE
    bad = (
        Example.haproxy(
            """
            global
                nbproc 1
            defaults
                mode http
                contimeout 5000
                clitimeout 50000
                srvtimeout 50000
                redispatch
                option forceclose
            frontend web
                bind :8080 process 1
                block if { path_beg /admin }
                reqadd X-Forwarded-Proto:\\ https
                rspidel ^Server:.*
                default_backend app
            backend app
                option httpchk GET /alive HTTP/1.1\\r\\nHost:\\ app.local
                server s1 10.0.0.1:80 check
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            backend app
                reqrep ^([^\\ ]*\\ /)old(.*) \\1new\\2
                dispatch 10.0.0.1:80
            """,
            target="2.8",
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                option redispatch
            frontend web
                bind :8080
                http-request deny if { path_beg /admin }
                default_backend app
            backend app
                option httpchk
                http-check send meth GET uri /alive ver HTTP/1.1 hdr Host app.local
                server s1 10.0.0.1:80 check
            """
        ),
        Example.haproxy("global\n    nbproc 1\ndefaults\n    mode http\n", target="2.4"),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for section in config.sections:
            if section.kind == "program":
                yield from self._obsolete(
                    config, _Old(section.header, "section program", PROGRAM, section.header.span)
                )
        proxies = {proxy.section: proxy for proxy in config.proxies}
        for statement in statements(config):
            old = _old(proxies, statement)
            if old is not None:
                yield from self._obsolete(config, old)
        yield from self._mailers(config)

    def _mailers(self, config: HaproxyConfig) -> Iterator[Finding]:
        if config.is_older_than(str(MAILERS_GONE)) or not config.is_whole:
            return
        if any(config.global_line(name) for name in ("lua-load", "lua-load-per-thread")):
            return
        for section in config.sections:
            for line in section.lines:
                if line.keyword == "email-alert" and line.values[:1] == ["mailers"]:
                    yield self.finding(
                        line,
                        f"from HAProxy {MAILERS_GONE} on it sends no mail by itself: email-alert"
                        " needs a Lua program that does",
                        advice="load one by lua-load, such as mailers.lua of HAProxy's examples",
                        severity=Severity.INFO if config.target is None else Severity.WARNING,
                        span=line.words[0].span,
                    )
                    return

    def _obsolete(self, config: HaproxyConfig, old: _Old) -> Iterator[Finding]:
        severity, when = _verdict(config, old.obsolete)
        if severity is None:
            return
        if old.line.conditions:
            severity = min(severity, Severity.WARNING)
        instead = old.obsolete.instead
        yield self.finding(
            old.line,
            f'"{old.name}" {when}',
            advice=f"write {instead}" if instead else "remove the line",
            span=old.span,
            severity=severity,
            fix=Fix(f"write {instead}" if instead else f"remove {old.name}", Safety.SAFE, old.edits)
            if old.edits
            else None,
        )


class _Old:
    """A line that is out of date: what of it, since when, and how to put it right."""

    def __init__(
        self, line: Line, name: str, obsolete: Obsolete, span: Span, edits: tuple[Edit, ...] = ()
    ) -> None:
        self.line = line
        self.name = name
        self.obsolete = obsolete
        self.span = span
        self.edits = edits


def _verdict(config: HaproxyConfig, obsolete: Obsolete) -> tuple[Severity | None, str]:
    """How bad it is for the target, and what to say of it; None when it is fine there."""
    refused, target = obsolete.refused, config.target
    gone = f"is refused since HAProxy {refused}: it does not start"
    if target is None:
        if refused <= OLDEST:
            return Severity.ERROR, gone
        later = f"is refused from HAProxy {refused} on, which then does not start"
        return (Severity.WARNING if refused <= NEWEST else Severity.INFO), later
    if target >= refused:
        return Severity.ERROR, gone
    later = f"is deprecated, and refused from HAProxy {refused} on"
    if obsolete.warned is not None and target >= obsolete.warned:
        return Severity.WARNING, later
    return None, ""


def _old(proxies: dict[Section, Proxy], statement: Statement) -> _Old | None:
    """What is out of date in a statement."""
    line, kind = statement.line, statement.section.kind
    spec = statement.lookup.spec
    if spec is None:
        return None
    span = line.words[0].span if line.modifier is None else line.span
    if kind == "global" and spec.name in IN_GLOBAL:
        return _Old(line, spec.name, IN_GLOBAL[spec.name], span, edits_for(spec.name, line))
    if kind == "global" and spec.name == "master-worker" and not line.arguments:
        return _Old(line, "master-worker alone", MASTER_WORKER, span)
    if spec.removed is not None:
        if line.modifier is not None and spec.removed > NEWEST:
            return None  # what `no` of it will be is not known yet
        instead = RENAMED.get(spec.name) or INSTEAD.get(spec.name, "")
        if not instead and spec.name not in WITHOUT_EFFECT:
            instead = "what the manual names in its place"
        obsolete = Obsolete(spec.removed, instead, WARNED.get(spec.name))
        name = Span(line.source, line.words[0].start, line.words[_last_word(line, spec.length)].end)
        return _Old(line, spec.name, obsolete, name, edits_for(spec.name, line))
    return _old_form(proxies, line, spec.name)


def _old_form(proxies: dict[Section, Proxy], line: Line, name: str) -> _Old | None:
    """What is out of date in a line whose keyword is not."""
    if name == "option httpchk" and has_hidden_headers(line):
        edits = httpchk_edits(line) if _may_add_checks(proxies, line) else ()
        return _Old(line, "option httpchk with headers", HIDDEN_HEADERS, line.words[0].span, edits)
    if name == "mode" and line.values[:1] == ["health"]:
        return _Old(line, "mode health", MODE_HEALTH, line.span)
    process = parse_bind(line).last("process") if name == "bind" else None
    if process is None or process.value is None:
        return None
    is_plain = "/" not in process.value.value
    edits = (words_removed(process.keyword, process.value),) if is_plain else ()
    return _Old(line, "process", BIND_PROCESS, process.keyword.span, edits)


def _last_word(line: Line, length: int) -> int:
    return min(length - (line.modifier is None), len(line.words) - 1)


def _may_add_checks(proxies: dict[Section, Proxy], line: Line) -> bool:
    """Whether `http-check send` may follow the line.

    Not where the section sends or connects already. An own rule drops all that are inherited, so
    not where there are only such; and what is expected must stand behind what is sent.
    """
    section = line.section
    if section is None or section.kind == "defaults" or line.conditions:
        return False
    proxy = proxies.get(section)
    if proxy is None:
        return False
    own = proxy.own("http-check")
    if not own:
        return not any(proxy.lines("http-check"))
    return all(
        rule.start > line.start and rule.values[:1] not in (["send"], ["connect"]) for rule in own
    )
