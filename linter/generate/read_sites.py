"""The sites of a spec: hosts, certificates, routes."""

from __future__ import annotations

from gwlint.generate import values
from gwlint.generate.fields import Fields
from gwlint.generate.spec import Certificate, Route, Site

_SITE = ("hosts", "certificate", "key", "routes")
_ROUTE = ("path", "pool", "websocket", "limit", "body")


def read_sites(top: Fields) -> tuple[Site, ...]:
    """The sites by name; a host may stand in one only."""
    top.needed("sites")
    taken: dict[str, str] = {}
    sites: list[Site] = []
    for name, fields in top.named("sites", "site", _SITE):
        certificate = read_certificate(fields) if fields.has("certificate") else None
        if certificate is None and fields.has("key"):
            fields.tell("key", "a key without a certificate")
        if certificate is not None and not top.has("tls"):
            fields.tell("certificate", "the certificate of a site needs the key tls of the spec")
        hosts = _hosts(fields, name, taken)
        sites.append(Site(name, hosts, _routes(fields, top), certificate))
    return tuple(sites)


def read_certificate(fields: Fields) -> Certificate | None:
    """The keys `certificate` and `key` of a mapping."""
    certificate = fields.required("certificate", values.file_path)
    key = fields.value("key", values.file_path, None)
    if certificate is None:
        return None
    return Certificate(certificate, key, fields.place("key"))


def _hosts(fields: Fields, site: str, taken: dict[str, str]) -> tuple[str, ...]:
    if fields.needed("hosts") is None:
        return ()
    hosts: list[str] = []
    for node in fields.items("hosts"):
        host = fields.item(node, "hosts", values.host)
        if host is None:
            continue
        if host in taken:
            fields.tell_at(node, f"the host {host} stands in site {taken[host]} already")
            continue
        taken[host] = site
        hosts.append(host)
    return tuple(hosts)


def _routes(fields: Fields, top: Fields) -> tuple[Route, ...]:
    if fields.needed("routes") is None:
        return ()
    routes: list[Route] = []
    for node in fields.items("routes"):
        route = Fields.of(node, "a route", _ROUTE, fields.problems)
        path = route.required("path", values.route_path)
        pool = route.required("pool", values.name)
        limit = route.value("limit", values.name, None)
        if pool is not None:
            _refer(route, "pool", pool, "pool", top.keys_of("pools"))
        if limit is not None:
            _refer(route, "limit", limit, "request limit", top.keys_of("request_limits"))
        if path is not None and any(path == other.path for other in routes):
            route.tell("path", f"another route of this site has the prefix {path}")
        routes.append(
            Route(
                path=path or "/",
                pool=pool or "",
                websocket=route.flag("websocket", default=False),
                limit=limit,
                body=route.value("body", values.size("1k", "1024g"), None),
            )
        )
    return tuple(routes)


def _refer(route: Fields, key: str, name: str, what: str, names: list[str]) -> None:
    if name not in names:
        route.tell(key, f'there is no {what} "{name}"', values.likely(name, names))
