from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Label, Severity
from gwlint.rules.hygiene.haproxy_stages import Rule, rules_of, sorted_rules
from gwlint.source import Span, decode
from gwlint.syntax.haproxy.tree import HaproxyFile, Line, Section


class RuleOrder(HaproxyRule):
    """A rule is written behind others, but runs before them; or global stands behind its users.

    ## Problem
    HAProxy runs the rules of a proxy by kind: tcp-request connection, session and content,
    `monitor fail`, http-request, redirect, use_backend, use-server. The order of the lines counts
    only among rules of one kind. What the global section says of logs is asked for by `log global`
    when a proxy is read, so that it must stand above it.

    ## Why
    Who reads the file from top to bottom believes that a request which `use_backend` has taken is
    not denied or rewritten by the line below. Measured on HAProxy 2.6.12 and 2.8.25: it is; the
    server starts with a warning, for each pair of kinds that is reported here. With the global
    section and its `log` at the end of the file, a frontend with `log global` logged nothing.

    ## In the log
    `[WARNING] config : parsing [haproxy.cfg:15] : a 'http-request' rule placed after a
    'use_backend' rule will still be processed before.`

    ## Silent when
    A rule of the section stands under `.if`; rules that need mode http stand in a section of mode
    tcp, which ignores them (HAP602). A global section behind proxies is info where it has no
    `log`, or the one above has one too: HAProxy says of it, when asked for diagnostics, that the
    order of such statements is unspecified. One in another file is not looked at.

    ## Fix safety
    Moves whole lines, with the comments directly above them, behind the rules that run before them
    anyway. What HAProxy does stays the same, and the warning goes away. Lines only move down, so
    that every ACL is still declared above its uses.

    ## Learnt
    In real files the line that is out of order is mostly a late addition at the end of a frontend:
    a header, a deny, a redirect to HTTPS. 6 of 11 findings in published files read, all right.

    ## References
    - HAProxy configuration manual, section 4.2, keywords http-request, tcp-request, redirect
      and use_backend
    """

    code = "HAP901"
    name = "rule-order"
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

            frontend web
                bind 127.0.0.1:8080
                acl is_api path_beg /api
                # the API has servers of its own
                use_backend api if is_api
                acl is_internal path_beg /internal
                http-request deny if is_internal
                default_backend app

            backend api
                server a1 127.0.0.1:3001

            backend app
                server s1 127.0.0.1:3000
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            listen web
                bind 127.0.0.1:8080
                redirect scheme https if { path /login }
                http-request set-header X-Forwarded-Proto http
                tcp-request connection reject if { src 192.0.2.0/24 }
                server s1 127.0.0.1:3000
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
                log global
                option httplog
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            listen web
                bind 127.0.0.1:8080
                server s1 127.0.0.1:3000

            global
                log 127.0.0.1:514 local0
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

            frontend web
                bind 127.0.0.1:8080
                tcp-request connection reject if { src 192.0.2.0/24 }
                default_backend app
                acl is_api path_beg /api
                http-response set-header X-Served-By web
                http-request deny if { path_beg /internal }
                use_backend api if is_api

            backend api
                server a1 127.0.0.1:3001

            backend app
                server s1 127.0.0.1:3000
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        comments = _Comments(config.trees)
        for proxy in config.proxies:
            rules = rules_of(proxy, with_http=proxy.is_http or not config.is_whole)
            if any(rule.line.conditions for rule in rules):
                continue
            highest: Rule | None = None
            late: list[tuple[Rule, Rule]] = []
            for rule in rules:
                if highest is None or rule.stage >= highest.stage:
                    highest = rule
                else:
                    late.append((rule, highest))
            if not late:
                continue
            rule, before = late[0]
            more = f"; so do {len(late) - 1} more of this section" if len(late) > 1 else ""
            yield self.finding(
                rule.line,
                f'this "{rule.stage.label}" rule runs before the "{before.stage.label}" rule above'
                f" it{more}",
                advice="put the rules in the order in which HAProxy runs them",
                span=rule.line.words[0].span,
                related=(Label(before.line.words[0].span, "runs later"),),
                fix=_reordered(rules, comments),
            )
        yield from self._late_globals(config)

    def _late_globals(self, config: HaproxyConfig) -> Iterator[Finding]:
        first: Section | None = None
        logs = False
        waiting: Line | None = None
        for section in config.sections:
            if first is not None and section.header.source is not first.header.source:
                first, logs, waiting = None, False, None
            if section.kind != "global":
                first = first or section
                if section.kind in _LOGGING and not logs and waiting is None:
                    waiting = next((line for line in section.lines if _asks_global(line)), None)
                continue
            log = next((line for line in section.lines if line.keyword == "log"), None)
            if first is not None and not section.header.conditions:
                unheard = waiting if log is not None else None
                yield self.finding(
                    section.header,
                    "this global section comes too late: 'log global' above it finds no log target,"
                    " and nothing is logged"
                    if unheard is not None
                    else "a global section behind others: which statements prevail is unspecified",
                    advice="move it to the top of the file",
                    severity=Severity.INFO if unheard is None else Severity.WARNING,
                    related=()
                    if unheard is None
                    else (Label(unheard.span, "asks for the targets here"),),
                )
            logs = logs or log is not None


_LOGGING = frozenset({"defaults", "frontend", "listen"})


def _asks_global(line: Line) -> bool:
    return line.keyword == "log" and line.values[:1] == ["global"] and line.modifier is None


class _Comments:
    """Comments that fill a line of their own, by the file that they stand in."""

    def __init__(self, trees: list[HaproxyFile]) -> None:
        self._starts = {
            tree.source.path: sorted(
                comment.start - len(tree.source.indentation(comment.start).encode())
                for comment in tree.comments
                if _is_alone(comment)
            )
            for tree in trees
        }

    def block(self, line: Line) -> Span:
        """The whole physical line with the comments directly above it."""
        starts = self._starts.get(line.source.path, [])
        start = line.full_span.start
        index = bisect_left(starts, start) - 1
        while index >= 0 and line.source.data.find(b"\n", starts[index]) + 1 == start:
            start = starts[index]
            index -= 1
        return Span(line.source, start, line.full_span.end)


def _is_alone(comment: Span) -> bool:
    data = comment.source.data
    return not data[data.rfind(b"\n", 0, comment.start) + 1 : comment.start].strip()


def _reordered(rules: list[Rule], comments: _Comments) -> Fix | None:
    """Each rule that is too early moves behind the last one that runs before it."""
    source = rules[0].line.source
    if any(not rule.line.full_span.raw.endswith(b"\n") for rule in rules):
        return None
    left: list[Span] = []
    texts: dict[int, list[str]] = {}
    for rule, anchor in sorted_rules(rules):
        block = comments.block(rule.line)
        left.append(block)
        texts.setdefault(anchor.line.full_span.end, []).append(decode(block.raw))
    edits = [Edit.delete(_with_blank_line(span)) for span in _joined(left)]
    edits += [Edit.insert(source, place, "".join(moved)) for place, moved in texts.items()]
    return Fix("put the rules in order", Safety.SAFE, tuple(edits))


def _joined(blocks: list[Span]) -> list[Span]:
    """The blocks in order, those that follow directly upon one another as one."""
    joined: list[Span] = []
    for block in sorted(blocks, key=lambda span: span.start):
        if joined and joined[-1].end == block.start:
            joined[-1] = Span(block.source, joined[-1].start, block.end)
        else:
            joined.append(block)
    return joined


def _with_blank_line(span: Span) -> Span:
    """Whole lines, with the blank line behind them where one stands before them as well."""
    data = span.source.data
    before = data[data.rfind(b"\n", 0, max(0, span.start - 1)) + 1 : span.start]
    end = data.find(b"\n", span.end) + 1
    if span.start == 0 or end == 0 or before.strip() or data[span.end : end].strip():
        return span
    return Span(span.source, span.start, end)
