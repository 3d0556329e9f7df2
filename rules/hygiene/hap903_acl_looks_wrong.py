from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.model.haproxy.proxy import Proxy
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.hygiene.haproxy_inspection import acls_of, content_samples, waits_for_content
from gwlint.syntax.haproxy.keywords import SampleSpec, acl_keyword, converter, sample_fetch
from gwlint.syntax.haproxy.tree import Line, Word
from gwlint.syntax.values.conditions import (
    AclExpression,
    WordProblem,
    parse_acl,
    parse_condition,
    split_condition,
)
from gwlint.syntax.values.problem import ValueProblem
from gwlint.syntax.values.sample_words import leading_name
from gwlint.syntax.values.samples import parse_sample

_OPERATORS = frozenset({"or", "OR", "||", "and", "AND", "&&"})
_NEED_PATTERNS = frozenset({"addr", "bin", "ipv4", "ipv6", "method", "sint", "str"})
_PATHS = frozenset({"path", "path_beg"})
_PATH_BEGINS = ("/", "*")
_PHASES = {
    "http-request": ("http-request header", "http-request body"),
    "http-response": ("http-response header", "http-response body"),
    "http-after-response": ("http-response header", "http-response body"),
    "use_backend": ("use-backend",),
}


class AclLooksWrong(HaproxyRule):
    """A condition that cannot mean what it says: it never matches, or compares with a word `or`.

    ## Problem
    An ACL has no pattern to compare with; patterns are joined by `or` or `and`, which are patterns
    themselves; a path is compared with something that does not begin with a slash; a rule for
    requests tests a response, or one for responses tests a request that is gone by then; a
    use_backend rule in mode tcp tests what the client sends, and nothing waits for that.

    ## Why
    Measured on HAProxy 2.6.12 and 2.8.25: it starts. It warns of missing patterns ("this ACL will
    never match") and of samples of the other direction, and accepts the rest without a word. In
    mode tcp, a TLS hello that came 0.15 s after the connection went to the default_backend in spite
    of `use_backend ... if { req.ssl_sni ... }`; so did requests with `path_beg` and `hdr(host)`.
    With an `inspect-delay` and a rule such as `tcp-request content accept if { req.ssl_hello_type 1
    }` all were routed by name; with only one of the two they were not.

    ## In the log
    `[WARNING] config : parsing acl keyword 'path' : no pattern to match against were provided`,
    `[WARNING] ... anonymous acl will never match because it uses keyword 'path' which is
    incompatible with 'backend http-response header rule'`.

    ## Silent when
    Patterns come from a file or the environment, or `--` says that there are none on purpose; the
    sample is not known or its type is not certain; the same name has another ACL that works. In
    mode tcp: `inspect-delay` is set, and a `tcp-request content` rule has a condition that is not
    known to need no data.

    ## Fix safety
    None: what was meant is not known. A value of the request is kept for the response by
    `http-request set-var(txn.path) path`.

    ## Learnt
    Rare: none of 236 published files shows it.

    ## References
    - HAProxy configuration manual, sections 7.1 and 7.2, and section 4.2, tcp-request inspect-delay
    """

    code = "HAP903"
    name = "acl-looks-wrong"
    severity = Severity.WARNING
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
                acl is_api path_beg /api or path_beg /v2
                acl is_shop path_beg shop
                acl is_any path
                acl is_page path_end .html
                http-request deny if { status 404 }
                http-response set-header Cache-Control no-store if is_page
                use_backend api if is_api or is_shop or is_any
                default_backend api

            backend api
                server a1 127.0.0.1:3001
            """
        ),
        Example.haproxy(
            """
            defaults
                mode tcp
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            frontend tls
                bind 127.0.0.1:8443
                use_backend shop if { req.ssl_sni shop.example.com }
                default_backend app

            backend shop
                server s1 127.0.0.1:3001

            backend app
                server s1 127.0.0.1:3002
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
                acl is_api path_beg /api
                acl is_api path_beg /v2
                acl has_token req.hdr(X-Token) -m found
                acl is_tls ssl_fc
                http-request set-var(txn.path) path
                http-request deny if has_token !is_tls
                http-response set-header Cache-Control no-store if { status 404 }
                http-response set-header X-Page 1 if { var(txn.path) -m end .html }
                use_backend api if is_api
                default_backend api

            backend api
                server a1 127.0.0.1:3001
            """
        ),
        Example.haproxy(
            """
            defaults
                mode tcp
                timeout connect 5s
                timeout client 30s
                timeout server 30s

            frontend tls
                bind 127.0.0.1:8443
                tcp-request inspect-delay 5s
                tcp-request content accept if { req.ssl_hello_type 1 }
                use_backend shop if { req.ssl_sni shop.example.com }
                use_backend lan if { src 10.0.0.0/8 }
                default_backend app

            backend shop
                server s1 127.0.0.1:3001

            backend lan
                server s1 127.0.0.1:3003

            backend app
                server s1 127.0.0.1:3002
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        for proxy in config.proxies:
            yield from self._proxy(proxy)
            if config.is_whole and _is_plain_tcp(proxy):
                yield from self._too_early(proxy)

    def _too_early(self, proxy: Proxy) -> Iterator[Finding]:
        acls = acls_of(proxy)
        if waits_for_content(proxy, acls):
            return
        for route in proxy.routes:
            sample = next(content_samples(route, acls), None)
            if sample is None or route.line.conditions:
                continue
            yield self.finding(
                route.line,
                f'in mode tcp "{sample}" has no value yet when the backend is chosen, unless the'
                " first data comes with the connection: nothing waits for it",
                advice="set 'tcp-request inspect-delay 5s' and a 'tcp-request content accept if'"
                f" with {'HTTP' if _is_http_sample(sample) else '{ req.ssl_hello_type 1 }'}",
                span=route.line.words[0].span,
            )
            return

    def _proxy(self, proxy: Proxy) -> Iterator[Finding]:
        declared: dict[str, list[AclExpression]] = {}
        for line in proxy.section.lines:
            if line.conditions or line.modifier is not None:
                continue
            if line.keyword == "acl":
                try:
                    acl = parse_acl(line.arguments)
                except WordProblem:
                    continue
                declared.setdefault(acl.name.value, []).append(acl.expression)
                yield from self._expression(line, acl.expression)
            elif line.keyword in _PHASES:
                yield from self._rule(proxy, line, declared)

    def _rule(
        self, proxy: Proxy, line: Line, declared: dict[str, list[AclExpression]]
    ) -> Iterator[Finding]:
        words = split_condition(line.arguments)[1]
        if not words:
            return
        try:
            condition = parse_condition(words)
        except WordProblem:
            return
        for operand in condition.operands():
            place: Word | None = operand.name
            if operand.anonymous is not None:
                place = operand.anonymous.sample
                yield from self._expression(line, operand.anonymous)
                expressions = [operand.anonymous]
            elif place is not None:
                expressions = declared.get(place.value.lstrip("!"), [])
            else:
                continue
            if place is None or not expressions:
                continue
            if all(_is_elsewhere(one, line.keyword, proxy) for one in expressions):
                sample = leading_name(expressions[0].sample.value)
                yield self.finding(
                    line,
                    f'"{sample}" has no value in an {line.keyword} rule, so the test never matches',
                    advice="keep it in a variable of the transaction where it is known: set-var"
                    if line.keyword.endswith("response")
                    else "test it in an http-response rule",
                    span=place.span,
                )

    def _expression(self, line: Line, expression: AclExpression) -> Iterator[Finding]:
        name = leading_name(expression.sample.value)
        patterns = expression.patterns
        joined = next((word for word in patterns if word.value in _OPERATORS), None)
        if joined is not None and len(patterns) > 1 and not joined.is_quoted:
            yield self.finding(
                line,
                f'"{joined.value}" is a pattern here, not an operator: all words after the sample'
                " are compared with it",
                advice="write one acl line for each test, with the same name for 'or'",
                span=joined.span,
            )
            return
        if _lacks_patterns(line, expression):
            yield self.finding(
                line,
                f'"{expression.sample.value}" has no pattern to compare with, so it never matches',
                advice="add a pattern, or '-m found' to ask whether there is a value",
                span=expression.sample.span,
            )
        if expression.sample.value in _PATHS and not expression.flags:
            wrong = [word for word in patterns if not _may_be_path(word)]
            if patterns and len(wrong) == len(patterns):
                yield self.finding(
                    line,
                    f'a path begins with "/", so {name} "{wrong[0].value}" never matches',
                    advice="begin it with '/', or test hdr(host), or use path_sub",
                    span=wrong[0].span,
                )


def _is_plain_tcp(proxy: Proxy) -> bool:
    """Whether a frontend is certainly in mode tcp, and stays there."""
    mode = proxy.effective("mode")
    return (
        proxy.is_frontend
        and proxy.mode == "tcp"
        and mode.is_certain
        and not any(word.references for word in mode.words)
        and not proxy.is_disabled
        and not any("switch-mode" in line.values for line in proxy.lines("tcp-request"))
    )


def _is_http_sample(name: str) -> bool:
    return not name.startswith(("req.ssl", "req_ssl", "req.len", "req_len", "req.payload"))


def _may_be_path(word: Word) -> bool:
    return bool(word.references) or word.value == "" or word.value.startswith(_PATH_BEGINS)


def _fetch(name: str) -> SampleSpec | None:
    """What a name means in an ACL, where `hdr` is that of the request."""
    definition = acl_keyword(name)
    return sample_fetch(name if definition is None else leading_name(definition))


def _lacks_patterns(line: Line, expression: AclExpression) -> bool:
    """Whether HAProxy warns that it never matches (measured for each type of value)."""
    if expression.patterns or expression.flags or expression.operator or expression.more:
        return False
    if any(word.value == "--" for word in line.words) or expression.sample.references:
        return False
    try:
        sample = parse_sample(expression.sample.value)
    except ValueProblem:
        return False
    name = sample.fetch.name
    if sample.converters:
        last = converter(sample.converters[-1].name)
        return last is not None and last.makes in _NEED_PATTERNS
    if acl_keyword(name) is not None:
        return True
    spec = sample_fetch(name)
    return spec is not None and spec.makes in _NEED_PATTERNS


def _is_elsewhere(expression: AclExpression, keyword: str, proxy: Proxy) -> bool:
    """Whether the sample has a value in no phase in which such rules of the proxy run."""
    spec = _fetch(leading_name(expression.sample.value))
    if spec is None or spec.contexts == 0:
        return False
    sides = [side for side, runs in _sides(proxy) if runs]
    contexts = [
        f"{side} {phase}"
        for side in sides
        for phase in _PHASES[keyword]
        if not (phase == "use-backend" and side == "backend")
    ]
    return bool(contexts) and not any(spec.works_in(context) for context in contexts)


def _sides(proxy: Proxy) -> tuple[tuple[str, bool], tuple[str, bool]]:
    return ("frontend", proxy.is_frontend), ("backend", proxy.is_backend)
