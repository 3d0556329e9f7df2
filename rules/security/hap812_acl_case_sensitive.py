from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.haproxy.config import HaproxyConfig
from gwlint.rule import Example, Finding, HaproxyRule, Severity
from gwlint.rules.security.host_tests import HostTest, host_tests

_METHODS = frozenset({"beg", "dir", "dom", "end", "reg", "str", "sub"})
_FOLDING = (",lower", ",upper", ",host_only")


class AclCaseSensitive(HaproxyRule):
    """A host in capitals is another host for this test.

    ## Problem
    The Host header is compared without `-i`, though names of hosts have no case.

    ## Why
    Measured on 2.6.12 and 2.8.25: `hdr(host) app.example.com` did not match a request for
    APP.Example.Com, and neither did hdr_dom, hdr_end, hdr_beg, hdr_sub and hdr_reg; with `-i`, or
    with the converter lower or host_only, it did. Browsers send small letters; who wants to pass a
    rule by does not.

    ## In the log
    The backend that the request fell through to, or `web/<NOSRV> ... 503 ... SC--`.

    ## Silent when
    `-i` is there; the sample is folded (`lower`, `host_only`); the pattern has no letters, comes
    from the environment, or is a regular expression with `(?i)`; the test is `-m found` or alike.

    ## Fix safety
    None: a rule that is passed by in capitals today may not be meant to hold for them.

    ## Learnt
    Real files write `-i`: none of 236 was found. Where it is forgotten, capitals fall to the
    default backend: information.

    ## References
    - HAProxy configuration manual, section 7.1, flag -i
    - RFC 4343
    """

    code = "HAP812"
    name = "acl-case-sensitive"
    severity = Severity.INFO
    bad = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :80
                http-request deny if { hdr(host) admin.example.com }
            """
        ),
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :80
                acl shop req.hdr(host) -m end .shop.example.com
            """
        ),
    )
    good = (
        Example.haproxy(
            """
            defaults
                mode http
            frontend web
                bind :80
                acl shop hdr(host) -i shop.example.com
                acl blog hdr(host),lower blog.example.com
                acl local hdr(host) 127.0.0.1
                acl any hdr(host) -m found
            """
        ),
    )

    def check(self, config: HaproxyConfig) -> Iterator[Finding]:
        sections = [
            section
            for section in config.sections
            if section.kind in ("defaults", "frontend", "listen", "backend")
        ]
        for test in host_tests(sections):
            if _depends_on_case(test):
                yield self.finding(
                    test.line,
                    "this test does not match the same host written in capitals",
                    advice="add -i",
                    span=test.expression.sample.span,
                )


def _depends_on_case(test: HostTest) -> bool:
    expression = test.expression
    if expression.flag("-i") is not None or any(word in test.sample for word in _FOLDING):
        return False
    method = expression.flag("-m")
    if method is not None and method.value is not None and method.value.value not in _METHODS:
        return False
    if expression.flag("-f") is not None:
        return True
    return any(
        any(letter.isalpha() for letter in pattern.value)
        and "(?i)" not in pattern.value
        and not pattern.references
        for pattern in expression.patterns
    )
