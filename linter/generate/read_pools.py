"""The pools of a spec: servers, balancing, keep-alive, health."""

from __future__ import annotations

from ruamel.yaml.nodes import ScalarNode

from gwlint.generate import values
from gwlint.generate.document import position
from gwlint.generate.fields import Fields
from gwlint.generate.spec import Health, KeepAlive, Pool, Server, Timeouts

_POOL = ("servers", "algorithm", "keep_alive", "health", "timeouts")
_SERVER = ("address", "weight", "backup", "connections")
_HEALTH = ("failures", "pause", "path", "host", "interval", "timeout", "recoveries")


def read_pools(top: Fields, timeouts: Timeouts) -> tuple[Pool, ...]:
    """The pools by name. `timeouts` are those of the gateway, which a pool may replace."""
    top.needed("pools")
    pools: list[Pool] = []
    for name, fields in top.named("pools", "pool", _POOL):
        waits = fields.fields("timeouts", ("connect", "response"))
        connect = waits.value("connect", values.duration("100ms", "10s"), timeouts.connect)
        response = waits.value("response", values.duration("100ms", "24h"), timeouts.response)
        if connect > response:
            waits.tell("connect", "connect is longer than response, which begins after it")
        pools.append(
            Pool(
                name=name,
                servers=_servers(fields),
                algorithm=fields.value(
                    "algorithm", values.one_of("round_robin", "least_conn"), "round_robin"
                ),
                keep_alive=_keep_alive(fields),
                health=_health(fields),
                connect=connect,
                response=response,
            )
        )
    return tuple(pools)


def _servers(pool: Fields) -> tuple[Server, ...]:
    if pool.needed("servers") is None:
        return ()
    servers: list[Server] = []
    for node in pool.items("servers"):
        if isinstance(node, ScalarNode):
            address = pool.item(node, "servers", values.server_address)
            fields = Fields(position(node), "a server", {}, pool.problems)
        else:
            fields = Fields.of(node, "a server", _SERVER, pool.problems)
            address = fields.required("address", values.server_address)
        if address is None:
            continue
        server = Server(
            host=address[0],
            port=address[1],
            weight=fields.value("weight", values.whole(1, 256), 1),
            backup=fields.flag("backup", default=False),
            connections=fields.value("connections", values.whole(1, 100_000), None),
            place=fields.place("address"),
        )
        if any(server.address == other.address for other in servers):
            fields.tell("address", f"{server.address} is in this pool already")
        servers.append(server)
    if servers and all(server.backup for server in servers):
        pool.tell("servers", "every server is a backup, so none is ever first")
    return tuple(servers)


def _keep_alive(pool: Fields) -> KeepAlive:
    fields = pool.fields("keep_alive", ("connections", "idle"))
    return KeepAlive(
        connections=fields.value("connections", values.whole(1, 10_000), 32),
        # Node and uvicorn close idle connections after 5 s; reuse must stop before that.
        idle=fields.value("idle", values.duration("1s", "1h"), 4000),
    )


def _health(pool: Fields) -> Health:
    fields = pool.fields("health", _HEALTH)
    interval = fields.value("interval", values.duration("100ms", "30s"), 2000)
    failures = fields.value("failures", values.whole(2, 100), 3)
    if interval * failures > 30_000:
        fields.tell("interval", "interval x failures is more than 30 s with a dead server in use")
    timeout = fields.value("timeout", values.duration("100ms", "30s"), min(interval, 2000))
    if timeout > interval:
        fields.tell("timeout", "the timeout of a check is longer than the interval of checks")
    return Health(
        failures=failures,
        pause=fields.value("pause", values.duration("1s", "10m"), 10_000),
        path=fields.value("path", values.request_target, None),
        host=fields.value("host", values.single_host, None),
        interval=interval,
        timeout=timeout,
        recoveries=fields.value("recoveries", values.whole(1, 100), 2),
    )
