from __future__ import annotations

from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.addresses.moving_names import moves
from gwlint.rules.addresses.placeholders import placeholder_reason
from gwlint.rules.addresses.shared_memory import zone_edits
from gwlint.rules.addresses.targets import Target, targets

RESOLVE_SINCE = "1.27.3"
"""From here on open source nginx knows `server ... resolve`."""


class NameResolvedOnce(NginxRule):
    """The name of a destination is looked up when nginx starts, and never again.

    ## Problem
    nginx turns a name without variables into addresses when it reads its configuration, and keeps
    them until the next reload, whatever the time to live of the record is. Load balancers in
    clouds, containers and pods get new addresses without telling.

    ## Why
    Measured on nginx 1.22.1 and 1.31.3: after the address had changed, every request was sent to
    the old one and answered with 502.

    ## In the log
    `connect() failed (111: Connection refused) while connecting to upstream`, or `upstream timed
    out (110: Connection timed out) while connecting to upstream`, with an address that the name no
    longer has.

    ## Silent when
    The destination holds a variable, has `resolve` already, is an address, `localhost` or a
    placeholder; it may be the name of an upstream in a file that was not read. Info only for names
    that are not known to move, such as those of containers, whose addresses change when they are
    made anew.

    ## Fix safety
    For a server of an upstream, with nginx 1.27.3 or newer and a `resolver` in force: adds
    `resolve` and a `zone`. Unsafe, since names are then looked up by that resolver, which does not
    read /etc/hosts.

    ## Versions
    `resolve` with a `zone` came to open source nginx with 1.27.3. For an older target the advice is
    a variable and a resolver. Without a target the advice names the version, and there is no fix.

    ## Learnt
    Nearly all findings are names of containers, hence info; one name is said once, however many
    locations pass to it.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server
    - https://nginx.org/en/docs/http/ngx_http_core_module.html#resolver
    """

    code = "NGX107"
    name = "name-resolved-once"
    severity = Severity.WARNING
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                resolver 10.0.0.2;
                upstream app {
                    server app-1234.eu-west-1.elb.amazonaws.com:8080;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                }
            }
            """,
            target="1.28.0",
        ),
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://web:3000;
                    }
                    location /functions/ {
                        proxy_pass https://jobs-abcdef-ew.a.run.app/;
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
                resolver 10.0.0.2;
                upstream app {
                    zone app 64k;
                    server app-1234.eu-west-1.elb.amazonaws.com:8080 resolve;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                    }
                    location /variable/ {
                        set $name web.internal;
                        proxy_pass http://$name:3000;
                    }
                }
            }
            """,
            target="1.28.0",
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        passed: set[str] = set()
        for target in targets(config):
            server = target.server
            if not target.is_name or target.host == "localhost":
                continue
            if placeholder_reason(target.address) is not None:
                continue
            if server is not None and (server.flag("resolve") or server.is_down):
                continue
            # Many locations pass to one name; to say so once will do.
            if server is None and target.host in passed:
                continue
            passed.add(target.host)
            yield self.finding(
                target.directive,
                f'"{target.address.host}" is looked up only when nginx starts or reloads; once its'
                " address changes, requests fail until the next reload",
                advice=_advice(config, target),
                span=target.host_span,
                severity=Severity.WARNING if moves(target.host) else Severity.INFO,
                fix=_fix(config, target),
            )


def _advice(config: NginxConfig, target: Target) -> str:
    if config.is_older_than(RESOLVE_SINCE):
        return "put the name into a variable and set a resolver, or reload when it changes"
    where = "it" if target.server is not None else "a server of an upstream with the name"
    since = "" if config.is_at_least(RESOLVE_SINCE) else f" (from nginx {RESOLVE_SINCE} on)"
    return f"give {where} the parameter resolve, a zone and a resolver{since}"


def _fix(config: NginxConfig, target: Target) -> Fix | None:
    if target.upstream is None or not config.is_at_least(RESOLVE_SINCE):
        return None
    resolver = target.context.effective("resolver")
    if not resolver.is_set or not resolver.is_certain or resolver.value == "off":
        return None
    edit = Edit.insert(target.word.source, target.word.end, " resolve")
    return Fix(
        "look the name up while running", Safety.UNSAFE, (edit, *zone_edits(target.upstream))
    )
