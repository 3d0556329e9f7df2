from __future__ import annotations

from collections.abc import Iterator

from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.context import Context
from gwlint.rule import Example, Finding, Label, NginxRule, Severity
from gwlint.rules.capacity.limits import ZONE_DIRECTIVES, Limits, Use, Zone
from gwlint.syntax.nearest import nearest


class LimitZone(NginxRule):
    """A limit names a zone that is not defined, or a zone that no limit uses.

    ## Problem
    `limit_req` and `limit_conn` count in a zone that `limit_req_zone` or `limit_conn_zone` makes.
    Without it there is nothing to count in; and a zone alone limits nothing.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: nginx does not start with a limit whose zone is not
    defined, nor with one whose zone is of the other kind. The order in the file does not matter.

    ## In the log
    `[emerg] zero size shared memory zone "per_ip"`, or
    `[emerg] the shared memory zone "per_ip" is already declared for a different use`.

    ## Silent when
    A file that could not be read, or the surroundings of a fragment, may define or use the zone;
    for unused zones: Lua or another language may use it.

    ## Fix safety
    There is none: only the author knows which zone is meant.

    ## Learnt
    Fragments use zones of a file elsewhere as a rule, so they are never judged.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_limit_req_module.html#limit_req_zone
    - https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html#limit_conn_zone
    """

    code = "NGX707"
    name = "limit-zone"
    severity = Severity.ERROR
    bad = (
        Example.nginx(
            """
            events {}
            http {
                limit_req_zone $binary_remote_addr zone=per_ip:1m rate=10r/s;
                server {
                    listen 8080;
                    limit_req zone=perip burst=20;
                }
            }
            """
        ),
        Example.nginx(
            """
            events {}
            http {
                limit_conn_zone $binary_remote_addr zone=addr:1m;
                server {
                    listen 8080;
                    limit_req zone=addr burst=20;
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
                server {
                    listen 8080;
                    limit_conn addr 20;
                }
                limit_conn_zone $binary_remote_addr zone=addr:1m;
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        for block in config.main.children:
            if block.kind in ("http", "stream"):
                yield from self._module(config, block)

    def _module(self, config: NginxConfig, block: Context) -> Iterator[Finding]:
        limits = Limits(config, block.kind)
        used = {use.name for use in limits.uses}
        if block.is_certain:
            for use in limits.uses:
                yield from self._use(use, limits)
        if not _is_whole(config):
            return
        for name, zone in limits.zones.items():
            if name not in used:
                yield self.finding(
                    zone.directive,
                    f'no {zone.use} uses the zone "{name}", so it limits nothing',
                    advice=f"add {zone.use} where it should count, or remove the zone",
                    severity=Severity.INFO,
                )

    def _use(self, use: Use, limits: Limits) -> Iterator[Finding]:
        if "$" in use.name:
            return
        zone = limits.zones.get(use.name)
        if zone is not None and zone.use == use.directive.name:
            return
        maker = next(maker for maker, user in ZONE_DIRECTIVES.items() if user == use.directive.name)
        yield self.finding(
            use.directive,
            _undefined(use.name) if zone is None else _other_kind(zone),
            advice=_advice(use.name, maker, limits) if zone is None else f"add a {maker}",
            span=use.word.span,
            related=() if zone is None else (Label(zone.directive.span, "the other kind"),),
        )


def _undefined(name: str) -> str:
    return f'the zone "{name}" is not defined, so nginx does not start'


def _other_kind(zone: Zone) -> str:
    return f'the zone "{zone.name}" is one for {zone.use}, so nginx does not start'


def _advice(name: str, maker: str, limits: Limits) -> str:
    near = nearest(
        name, [one for one, zone in limits.zones.items() if zone.directive.name == maker]
    )
    return f'define it with {maker}, or write "{near[0]}"' if near else f"define it with {maker}"


def _is_whole(config: NginxConfig) -> bool:
    """Whether every file was read and no other language may use a zone."""
    return config.main.is_complete and all(
        context.is_complete and "_by_lua" not in context.kind
        for context in config.main.descendants()
    )
