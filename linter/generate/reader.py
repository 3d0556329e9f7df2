"""From the YAML of a spec to a GatewaySpec: every key, its form and its default."""

from __future__ import annotations

from gwlint.generate import values
from gwlint.generate.document import compose
from gwlint.generate.fields import Fields
from gwlint.generate.problems import Problems
from gwlint.generate.read_pools import read_pools
from gwlint.generate.read_sites import read_certificate, read_sites
from gwlint.generate.spec import (
    GatewaySpec,
    Limits,
    Listener,
    Logging,
    RequestLimit,
    Retries,
    Target,
    Timeouts,
    Tls,
    Workers,
)

KEYS = (
    "target",
    "listeners",
    "tls",
    "sites",
    "pools",
    "timeouts",
    "retries",
    "limits",
    "request_limits",
    "resolvers",
    "logging",
    "workers",
)


def read_spec(path: str, data: bytes) -> GatewaySpec:
    """The spec that `data` holds. Raises SpecErrors with every fault of form and reference."""
    problems = Problems(path)
    root = compose(data, problems)
    if root is None:
        problems.raise_if_any()
        raise AssertionError("compose told no problem")
    top = Fields.of(root, "the spec", KEYS, problems)
    timeouts = _timeouts(top)
    limits = _request_limits(top)
    tls = _tls(top)
    pools = read_pools(top, timeouts)
    spec = GatewaySpec(
        target=_target(top),
        listeners=_listeners(top, tls is not None),
        tls=tls,
        sites=read_sites(top),
        pools=pools,
        timeouts=timeouts,
        retries=_retries(top),
        limits=_limits(top),
        request_limits=limits,
        resolvers=_resolvers(top),
        logging=_logging(top),
        workers=_workers(top),
        places={key: top.place(key) for key in KEYS},
    )
    _tell_loops(spec, problems)
    problems.raise_if_any()
    return spec


def _tell_loops(spec: GatewaySpec, problems: Problems) -> None:
    """Tell servers that are a listener of the gateway itself."""
    for server in (server for pool in spec.pools for server in pool.servers):
        for listener in spec.listeners:
            local = {"127.0.0.1", "::1"} if listener.address in ("*", "::") else {listener.address}
            if listener.port == server.port and server.host in local:
                message = f"{server.address} is a listener of this gateway: requests go round"
                problems.add(server.place, message)


def _target(top: Fields) -> Target:
    fields = top.fields("target", ("nginx", "haproxy"))
    usual = Target()
    return Target(
        nginx=fields.value("nginx", values.version, usual.nginx),
        haproxy=fields.value("haproxy", values.version, usual.haproxy),
    )


def _listeners(top: Fields, with_tls: bool) -> tuple[Listener, ...]:
    plain = Listener(port=80, address="*", https=False, redirect=with_tls)
    if not top.has("listeners"):
        secure = Listener(port=443, address="*", https=True, redirect=False)
        return (plain, secure) if with_tls else (plain,)
    mappings = [
        Fields.of(node, "a listener", ("port", "address", "protocol", "redirect"), top.problems)
        for node in top.items("listeners")
    ]
    protocols = [
        fields.value("protocol", values.one_of("http", "https"), "") for fields in mappings
    ]
    secure_ports = [
        fields.value("port", values.whole(1, 65535), 0)
        for fields, protocol in zip(mappings, protocols, strict=True)
        if protocol == "https"
    ]
    listeners: list[Listener] = []
    for fields, protocol in zip(mappings, protocols, strict=True):
        port = fields.required("port", values.whole(1, 65535))
        fields.needed("protocol")
        listener = Listener(
            port=port or 0,
            address=fields.value("address", values.bind_address, "*"),
            https=protocol == "https",
            redirect=fields.flag("redirect", default=protocol == "http" and bool(secure_ports)),
        )
        if listener.https and not with_tls:
            fields.tell("protocol", "https needs the key tls with a certificate")
        if listener.redirect and listener.https:
            fields.tell("redirect", "a listener with https has nothing to redirect to")
        if listener.redirect and not secure_ports:
            fields.tell("redirect", "there is no listener with https to redirect to")
        if port and any(_same_socket(listener, other) for other in listeners):
            fields.tell("port", f"another listener has port {port} on this address already")
        listeners.append(listener)
    return tuple(listeners)


def _same_socket(one: Listener, other: Listener) -> bool:
    if one.port != other.port:
        return False
    addresses = {one.address, other.address}
    if len(addresses) == 1:
        return True
    # Every IPv4 address includes each of them; IPv6 sockets are kept apart (v6only).
    return "*" in addresses and not any(":" in address for address in addresses)


def _tls(top: Fields) -> Tls | None:
    if not top.has("tls"):
        return None
    fields = top.fields("tls", ("certificate", "key", "profile", "hsts", "post_quantum"))
    certificate = read_certificate(fields)
    if certificate is None:
        return None
    return Tls(
        profile=fields.value("profile", values.one_of("intermediate", "modern"), "intermediate"),
        certificate=certificate,
        hsts=fields.value("hsts", values.duration("0s", "3650d"), values.milliseconds("730d")),
        post_quantum=fields.flag("post_quantum", default=False),
    )


def _timeouts(top: Fields) -> Timeouts:
    fields = top.fields(
        "timeouts",
        (
            "request_header",
            "request_body",
            "send",
            "client_idle",
            "connect",
            "response",
            "queue",
            "websocket",
            "shutdown",
        ),
    )

    def time(key: str, default: str, at_least: str, at_most: str) -> int:
        usual = values.milliseconds(default)
        return fields.value(key, values.duration(at_least, at_most), usual)

    timeouts = Timeouts(
        request_header=time("request_header", "15s", "1s", "5m"),
        request_body=time("request_body", "30s", "1s", "5m"),
        send=time("send", "60s", "1s", "30m"),
        client_idle=time("client_idle", "75s", "1s", "1h"),
        connect=time("connect", "4s", "100ms", "10s"),
        response=time("response", "60s", "100ms", "24h"),
        queue=time("queue", "10s", "100ms", "5m"),
        # 60 s is the limit that cuts web sockets off when nobody has set one.
        websocket=time("websocket", "1h", "61s", "7d"),
        shutdown=time("shutdown", "30s", "1s", "24h"),
    )
    if timeouts.connect > timeouts.response:
        fields.tell("connect", "connect is longer than response, which begins after it")
    return timeouts


def _retries(top: Fields) -> Retries:
    fields = top.fields("retries", ("attempts", "within"))
    return Retries(
        attempts=fields.value("attempts", values.whole(2, 5), 3),
        within=fields.value("within", values.duration("1s", "60s"), 10_000),
    )


def _limits(top: Fields) -> Limits:
    fields = top.fields("limits", ("body", "request_header", "response_header"))
    return Limits(
        body=fields.value("body", values.size("1k", "1024g"), 10 * 1024 * 1024),
        request_header=fields.value("request_header", values.size("8k", "256k"), 16 * 1024),
        response_header=fields.value("response_header", values.size("4k", "256k"), 16 * 1024),
    )


def _request_limits(top: Fields) -> tuple[RequestLimit, ...]:
    limits: list[RequestLimit] = []
    for name, fields in top.named("request_limits", "request limit", ("rate", "burst")):
        rate = fields.required("rate", values.rate)
        if rate is not None:
            burst = fields.value("burst", values.whole(1, 100_000), 2 * rate[0])
            limits.append(RequestLimit(name, rate[0], rate[1], burst))
    return tuple(limits)


def _resolvers(top: Fields) -> tuple[str, ...]:
    if not top.has("resolvers"):
        return ()
    found = [top.item(node, "resolvers", values.ip_address) for node in top.items("resolvers")]
    return tuple(address for address in found if address is not None)


def _logging(top: Fields) -> Logging:
    fields = top.fields("logging", ("to", "folder", "level"))
    return Logging(
        to=fields.value("to", values.log_destination, "local"),
        folder=fields.value("folder", values.folder_path, "/var/log/nginx"),
        level=fields.value("level", values.one_of("warn", "notice", "info", "error"), "warn"),
    )


def _workers(top: Fields) -> Workers:
    keys = ("processes", "clients", "user", "group", "chroot")
    fields = top.fields("workers", keys)
    return Workers(
        processes=fields.value("processes", values.processes, None),
        clients=fields.value("clients", values.whole(512, 1_000_000), 4096),
        user=fields.value("user", values.account, None),
        group=fields.value("group", values.account, None),
        chroot=fields.value("chroot", values.folder_path, None),
    )
