from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.effective import Effective
from gwlint.model.nginx.keepalive import POOL_BY_DEFAULT_SINCE
from gwlint.model.nginx.websocket import is_upgraded
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.protocol.levels import setting_header
from gwlint.syntax.nginx.amend import added_after, replaced
from gwlint.syntax.nginx.tree import Directive


class UpgradeWithoutHttp11(NginxRule):
    """An upgrade to web sockets is asked for in HTTP/1.0, which knows none.

    ## Problem
    The handshake of a web socket has to be HTTP/1.1 or newer. `proxy_http_version` is 1.0 by
    default below nginx 1.29.7.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: with `proxy_http_version 1.0` the application got
    `GET / HTTP/1.0` with the Upgrade header. nginx passes a 101 on if one comes, but RFC 6455
    lets the application refuse, and Upgrade in HTTP/1.0 is to be ignored (RFC 9110, section 7.8).

    ## In the log
    Nothing is logged. The access log has the answer of the application: 400 or 426, or 200 for a
    plain answer.

    ## Silent when
    The version is 1.1, or the target is nginx 1.29.7 or newer and none is set; the Upgrade header
    is not set or cleared; a file that could not be read may set the version.

    ## Fix safety
    Adds `proxy_http_version 1.1` beside the Upgrade header: safe, HTTP/1.1 servers understand
    both.

    ## Versions
    Below nginx 1.29.7 the default is HTTP/1.0. Without a target an older version is assumed, and
    the advice names this one.

    ## Learnt
    Some servers look at the headers only and open the socket all the same, so this is a warning
    and no error.

    ## References
    - https://nginx.org/en/docs/http/websocket.html
    - https://www.rfc-editor.org/rfc/rfc6455#section-4.1
    """

    code = "NGX602"
    name = "upgrade-without-http11"
    severity = Severity.WARNING
    fix = Safety.SAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location /ws {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection "upgrade";
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                proxy_http_version 1.0;
                server {
                    listen 8080;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection "upgrade";
                    location / { proxy_pass http://127.0.0.1:3000; }
                }
            }
            """,
            target="1.31.3",
        ),
    )
    good = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    proxy_http_version 1.1;
                    location /ws {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection "upgrade";
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location /ws {
                        proxy_pass http://127.0.0.1:3000;
                        proxy_set_header Upgrade $http_upgrade;
                        proxy_set_header Connection "upgrade";
                    }
                }
            }
            """,
            target="1.29.7",
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        seen: set[int] = set()
        for route in config.passes:
            if route.family != "proxy" or not is_upgraded(route):
                continue
            header = setting_header(route, "Upgrade")
            version = route.effective("http_version")
            if header is None or id(header) in seen or not version.is_certain:
                continue
            if version.value != "1.0" if version.is_set else _is_11_by_default(config):
                continue
            seen.add(id(header))
            edit = _edit(config, header, version)
            default = "" if version.is_set else f" (the default from nginx {POOL_BY_DEFAULT_SINCE})"
            yield self.finding(
                header,
                "an upgrade to web sockets is passed on in HTTP/1.0, in which the application"
                " may ignore or refuse it",
                advice=f"set proxy_http_version 1.1{default}",
                fix=None if edit is None else Fix("speak HTTP/1.1", Safety.SAFE, (edit,)),
            )


def _is_11_by_default(config: NginxConfig) -> bool:
    return config.is_at_least(POOL_BY_DEFAULT_SINCE)


def _edit(config: NginxConfig, header: Directive, version: Effective) -> Edit | None:
    if version.is_set:
        return replaced(version.words[0], "1.1")
    if any(context.own(version.name) for context in config.contexts_of(header)):
        return None
    return added_after(header, "proxy_http_version 1.1;")
