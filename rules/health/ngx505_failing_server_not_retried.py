from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.passes import Pass
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.syntax.nginx.amend import added_after

_ANSWERS = {
    "proxy": ("http_502", "http_503", "http_504"),
    "grpc": ("http_502", "http_503", "http_504"),
    "fastcgi": ("http_503",),
    "uwsgi": ("http_503",),
    "scgi": ("http_503",),
}
"""Conditions of `<family>_next_upstream` by which a server says that it cannot serve now."""


class FailingServerNotRetried(NginxRule):
    """A server that answers 502, 503 or 504 has its answer passed on while others are well.

    ## Problem
    By default nginx asks the next server only when a connection fails or times out. A server that
    answers 503, since it is starting, stopping or full, is a success for nginx, and is neither
    passed over nor counted as failed.

    ## Why
    Measured on nginx 1.22.1 with one of two servers answering 503: half of 120 requests got 503;
    with `http_503` none did.

    ## In the log
    Nothing in the error log; the access log has the 503.

    ## Silent when
    The upstream has one usable server; `next_upstream` names one of these answers, or is `off`, of
    which NGX502 speaks; an include that could not be read may set it.

    ## Fix safety
    Adds the answers. Unsafe: each such answer then counts as a failure of the server, so an
    application that answers 503 everywhere at once leaves no live upstream, and each request costs
    several tries. POST requests are not repeated.

    ## Learnt
    36 of 145 findings in real files read: all right, and nearly all about nginx's default. The
    advice gives the whole line where none is written: one with these answers alone would end the
    retries after errors and timeouts.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream
    """

    code = "NGX505"
    name = "failing-server-not-retried"
    severity = Severity.INFO
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location /api/ {
                        proxy_pass http://app;
                        proxy_next_upstream error timeout invalid_header;
                    }
                }
            }
            """
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                upstream app {
                    server 127.0.0.1:3000;
                    server 127.0.0.1:3001;
                }
                server {
                    listen 8080;
                    proxy_next_upstream error timeout http_503;
                    location / {
                        proxy_pass http://app;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        seen: set[int] = set()
        for route in config.passes:
            upstream, answers = route.upstream, _ANSWERS.get(route.family)
            if upstream is None or not upstream.has_failover or not route.is_http:
                continue
            setting = route.effective("next_upstream")
            if answers is None or not setting.is_certain or "off" in setting.values:
                continue
            if any(answer in setting.values for answer in answers):
                continue
            statement = setting.directive or route.directive
            if id(statement) in seen:
                continue
            seen.add(id(statement))
            yield self.finding(
                statement,
                f'a server of "{upstream.name}" that answers 503 has its answer passed on while'
                " others are well",
                advice=_advice(route, answers, is_set=setting.is_set),
                related=(Label(upstream.directive.span, "several servers"),),
                fix=Fix("ask the next server", Safety.UNSAFE, (_added(route, answers),))
                if setting.is_set or _may_set(config, route)
                else None,
            )


def _advice(route: Pass, answers: tuple[str, ...], *, is_set: bool) -> str:
    name, text = f"{route.family}_next_upstream", " ".join(answers)
    if is_set:
        return f"add {text} to {name}"
    return f"set {name} error timeout {text} (the default is error timeout)"


def _added(route: Pass, answers: tuple[str, ...]) -> Edit:
    directive = route.effective("next_upstream").directive
    text = " ".join(answers)
    if directive is None:
        return added_after(route.directive, f"{route.family}_next_upstream error timeout {text};")
    return Edit.insert(directive.source, directive.words[-1].end, f" {text}")


def _may_set(config: NginxConfig, route: Pass) -> bool:
    """Whether a line behind the pass repeats none where its file is included too."""
    name = f"{route.family}_next_upstream"
    return not any(context.own(name) for context in config.contexts_of(route.directive))
