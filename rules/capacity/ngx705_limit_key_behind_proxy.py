from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.capacity.limits import Limits, Zone
from gwlint.source import Span
from gwlint.syntax.values.nginx_address import parse_listen_address
from gwlint.syntax.values.problem import ValueProblem

_BY_ADDRESS = re.compile(r"\$\{?(?:binary_)?remote_addr\}?")
_FROM_PROXY = re.compile(r"\$\{?http_(?:x_forwarded_(?:for|proto)|cf_connecting_ip)\b")
_SAY_PROXY = ("set", "proxy_set_header", "fastcgi_param", "return", "rewrite")
_SCHEME_BEFORE = re.compile(r"\$\{?http_x_forwarded_proto\b")


class LimitKeyBehindProxy(NginxRule):
    """A limit by the client's address behind another proxy: all clients share one budget.

    ## Problem
    `$remote_addr` and `$binary_remote_addr` are the address of whoever connects. Behind a load
    balancer that is the balancer, for all clients, unless the real-IP module puts the client's
    address there.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: when one client had used its budget up, another one got
    503, and 200 once `real_ip_header` and `set_real_ip_from` were set.

    ## In the log
    `[error] limiting requests, excess: ... by zone "per_ip"` with the same client in each line.

    ## Silent when
    `set_real_ip_from` is in force, or a file that could not be read may set it; nothing in the
    configuration says that another proxy is in front. What says so: the server listens on
    loopback addresses or sockets only, or takes the PROXY protocol, or uses X-Forwarded-Proto,
    X-Forwarded-For or CF-Connecting-IP of the request in `set`, `return`, `rewrite` or headers it
    sends, or asks for X-Forwarded-Proto in `if`. Log formats say nothing: the usual one has
    $http_x_forwarded_for.

    ## Fix safety
    There is none: only the author knows the addresses of the proxy in front.

    ## Learnt
    Filters that look for attacks in X-Forwarded-Host and its kin say nothing about a proxy.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_realip_module.html
    - https://nginx.org/en/docs/http/ngx_http_limit_req_module.html#limit_req_zone
    """

    code = "NGX705"
    name = "limit-key-behind-proxy"
    severity = Severity.WARNING
    bad = (
        Example.nginx(
            """
            events {}
            http {
                limit_req_zone $binary_remote_addr zone=per_ip:1m rate=10r/s;
                server {
                    listen 127.0.0.1:8080;
                    location / {
                        limit_req zone=per_ip burst=20 nodelay;
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                limit_conn_zone $binary_remote_addr zone=addr:1m;
                limit_conn addr 20;
                server {
                    listen 8080;
                    location / {
                        if ($http_x_forwarded_proto = "http") {
                            return 301 https://$host$request_uri;
                        }
                        proxy_pass http://127.0.0.1:3000;
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
                limit_req_zone $binary_remote_addr zone=per_ip:1m rate=10r/s;
                set_real_ip_from 127.0.0.1;
                real_ip_header X-Forwarded-For;
                server {
                    listen 127.0.0.1:8080;
                    location / {
                        limit_req zone=per_ip burst=20 nodelay;
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                limit_req_zone $binary_remote_addr zone=per_ip:1m rate=10r/s;
                server {
                    listen 8080;
                    location / {
                        limit_req zone=per_ip burst=20 nodelay;
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        uses = [
            (use, use.zone)
            for use in Limits(config).uses
            if use.zone is not None and _BY_ADDRESS.fullmatch(use.zone.key)
        ]
        if not uses:
            return
        behind = _servers_behind(config)
        found: set[str] = set()
        for use, zone in uses:
            if zone.name in found:
                continue
            server = use.context.within("http server")
            servers = behind.values() if server is None else [behind.get(id(server))]
            for place in servers:
                if place is None:
                    continue
                level = place.server if server is None else use.context
                trusted = level.effective("set_real_ip_from")
                if not trusted.is_set and trusted.is_certain:
                    found.add(zone.name)
                    yield self._found(zone, use.directive.span, place.evidence)
                    break

    def _found(self, zone: Zone, used: Span, evidence: Span) -> Finding:
        return self.finding(
            zone.directive,
            f'"{zone.name}" counts by {zone.key}, which behind another proxy is the address of'
            " that proxy: all clients share one budget",
            advice="set real_ip_header and set_real_ip_from for the proxy in front",
            span=zone.directive.words[1].span,
            related=(
                Label(evidence, "says that a proxy is in front"),
                Label(used, "the limit is used here"),
            ),
        )


@dataclass(frozen=True, slots=True)
class _Behind:
    """A server that stands behind another proxy, and the place that says so."""

    server: Context
    evidence: Span


def _servers_behind(config: NginxConfig) -> dict[int, _Behind]:
    """By the id of the server's context."""
    found: dict[int, _Behind] = {}
    for context, directive in config.find("if", *_SAY_PROXY):
        server = context.within("http server")
        if server is None or id(server) in found:
            continue
        # A condition on X-Forwarded-For may be a guard against forged ones.
        says = _SCHEME_BEFORE if directive.name == "if" else _FROM_PROXY
        word = next((one for one in directive.arguments if says.search(one.value)), None)
        if word is not None:
            found[id(server)] = _Behind(server, word.span)
    for context in config.main.descendants():
        if context.kind == "http server" and id(context) not in found and context.is_complete:
            evidence = _listens_behind(context)
            if evidence is not None:
                found[id(context)] = _Behind(context, evidence)
    return found


def _listens_behind(server: Context) -> Span | None:
    """The listen directive that shows a proxy in front: PROXY protocol, or loopback only."""
    listens = [one for one in server.own("listen") if one.values]
    for one in listens:
        if "proxy_protocol" in one.values[1:]:
            return one.span
    if listens and all(_is_local(one.values[0]) for one in listens):
        return listens[0].span
    return None


def _is_local(text: str) -> bool:
    try:
        address = parse_listen_address(text)
    except ValueProblem:
        return False
    return address.path is not None or address.is_loopback
