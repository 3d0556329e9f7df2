from __future__ import annotations

import re
from collections.abc import Iterator

from gwlint.edits import Edit, Fix, Safety
from gwlint.model.nginx.config import NginxConfig
from gwlint.model.nginx.keepalive import has_pool
from gwlint.model.nginx.passes import Pass
from gwlint.model.nginx.upstream import Upstream
from gwlint.rule import Example, Finding, NginxRule, Severity
from gwlint.rules.keepalive.pool import (
    IDLE_LIMIT_SINCE,
    POOL_SIZE,
    ApplicationLimit,
    reuse_edits,
    time_text,
    wants_reuse,
)
from gwlint.rules.keepalive.upgrades import added_to_http
from gwlint.source import Span, encode
from gwlint.syntax.values.address import Address, Family

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9]+")

_Key = tuple[str, int]


class DirectAddressNoPool(NginxRule):
    """A pass to an address instead of an upstream block keeps no connections.

    ## Problem
    Only an upstream block can hold a pool of idle connections. `proxy_pass http://127.0.0.1:3000`
    opens a new connection for each request, whatever the version and the headers.

    ## Why
    Measured on nginx 1.22.1: 600 requests opened 200 connections to the application instead of 4.
    So it is on 1.31.3 too, where an upstream block has a pool by default: 60 requests to an address
    opened 60 connections, to a block with the same address one.

    ## In the log
    Nothing is logged. The application sees a new connection for each request.

    ## Silent when
    The address is a variable or a unix socket; the host may be the name of an upstream block that
    is not shown here, as a name without a port in a fragment; the location is named for web
    sockets, which take a connection each, or has a path of its own and says `Connection: upgrade`
    to every request; the route says `Connection: close`.

    ## Fix safety
    Makes an upstream block with the address, a pool of 32 and an idle limit, and sets what a route
    needs to use it. Unsafe, because an application that does not bear kept connections was shielded
    from them. Only where a Host header is set and the scheme is http: else the name of the block
    would become the Host, or the name that a certificate is checked for.

    ## Versions
    The same in every version: the pool that upstream blocks have by default from nginx 1.29.7 on is
    none for an address. `keepalive_timeout` in an upstream needs nginx 1.15.3, and is left out for
    an older target.

    ## Learnt
    All 22 findings in real files read: 21 right. One was a web terminal below `/_shell/`, with the
    two headers of web sockets for every request, so such a route counts as one now. The rest were
    examples and small sites; where a benchmark has an upstream block for its main route, what is
    left are paths that are hardly asked for, which information suits.

    ## References
    - https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive
    """

    code = "NGX409"
    name = "direct-address-no-pool"
    severity = Severity.INFO
    fix = Safety.UNSAFE
    bad = (
        Example.nginx(
            """
            events {}
            http {
                server {
                    listen 8080;
                    proxy_set_header Host $host;
                    location / {
                        proxy_pass http://127.0.0.1:3000;
                    }
                    location /api/ {
                        proxy_pass http://127.0.0.1:3000/v1/;
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
                    location / { proxy_pass https://192.0.2.1; }
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
                    keepalive 32;
                    keepalive_timeout 4s;
                }
                server {
                    listen 8080;
                    location / {
                        proxy_pass http://app;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                        proxy_set_header Host $host;
                    }
                    location /socket {
                        proxy_pass http://unix:/run/app.sock;
                    }
                    location /ws {
                        proxy_pass http://127.0.0.1:3000;
                    }
                }
            }
            """
        ),
    )

    def check(self, config: NginxConfig) -> Iterator[Finding]:
        pools = _pools(config)
        names = {one.name for one in config.upstreams}
        for route in config.passes:
            address = _address(route)
            if address is None:
                continue
            yield self.finding(
                route.directive,
                f"requests to {route.destination.authority} go through no upstream block, so each"
                " opens a new connection",
                advice="name the address in an upstream block with keepalive, and pass there",
                span=route.word.span,
                fix=_fix(config, route, address, pools, names),
            )


def _address(route: Pass) -> Address | None:
    """The address of a route that could use a pool and has none."""
    if not wants_reuse(route):
        return None
    address = route.address
    if address is None or not address.family.is_network or not address.host:
        return None
    if address.has_hopeless_host:
        return None
    # The names of upstream blocks are no addresses and have no port.
    is_no_block = ":" in route.destination.authority or address.family is Family.IPV4
    http = route.context.within("http")
    return address if is_no_block or (http is not None and http.is_certain) else None


def _key(address: Address) -> _Key | None:
    host = address.canonical_host
    return None if not host or address.port is None else (host, address.port)


def _pools(config: NginxConfig) -> dict[_Key, Upstream]:
    """The upstream blocks with a pool for one address alone."""
    found: dict[_Key, Upstream] = {}
    for upstream in config.upstreams:
        if not upstream.is_http or not has_pool(upstream) or len(upstream.servers) != 1:
            continue
        address = upstream.servers[0].address
        key = None if address is None else _key(address)
        if key is not None and not upstream.has_dynamic_servers:
            found.setdefault(key, upstream)
    return found


def _fix(
    config: NginxConfig,
    route: Pass,
    address: Address,
    pools: dict[_Key, Upstream],
    names: set[str],
) -> Fix | None:
    key = _key(address)
    if key is None or route.destination.scheme != "http" or route.header("Host") is None:
        return None
    needed = reuse_edits(config, route)
    if needed is None or not route.effective("set_header").is_certain:
        return None
    pool = pools.get(key)
    if pool is None:
        name = _NOT_IN_A_NAME.sub("_", f"{key[0]}_{key[1]}")
        new = [None if name in names else _block(config, address, name, route)]
    else:
        name, new = pool.name, []
    edits = [edit for edit in (_renamed(route, name), *new, *needed) if edit is not None]
    if len(edits) < 1 + len(new) + len(needed):
        return None
    return Fix("keep connections to the application", Safety.UNSAFE, tuple(edits))


def _server_text(address: Address) -> str:
    """The address as an upstream's `server` takes it, with its port."""
    host = f"[{address.host}]" if ":" in (address.host or "") else address.host
    return f"{host}:{address.port}"


def _block(config: NginxConfig, address: Address, name: str, route: Pass) -> Edit | None:
    """The upstream block with the address alone; None where there is no place for it."""
    server = route.context.within("http server")
    if server is None:
        return None
    lines = [f"server {_server_text(address)};", f"keepalive {POOL_SIZE};"]
    if not config.is_older_than(IDLE_LIMIT_SINCE):
        service = config.facts.at(address)
        known = None if service is None else service.idle_timeout
        wanted = ApplicationLimit(known, is_complete=known is not None).wanted
        lines.append(f"keepalive_timeout {time_text(wanted)};")
    return added_to_http(server, f"upstream {name}", *lines)


def _renamed(route: Pass, name: str) -> Edit | None:
    """The pass with the name of the block in place of the address."""
    word = route.word
    authority = encode(route.destination.authority)
    begin = word.raw.find(b"//" + authority)
    if begin == -1:
        return None
    start = word.start + begin + 2
    return Edit(Span(word.source, start, start + len(authority)), name)
